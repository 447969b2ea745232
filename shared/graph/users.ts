import type { Call } from '../call.ts';
import type { Graph } from './client.ts';
import { GraphFault } from './errors.ts';
import { textField } from './fields.ts';
import { segment, withQuery } from './odata.ts';

export interface GraphUser {
  readonly id: string;
  readonly userPrincipalName: string;
  readonly displayName: string | null;
  readonly mail: string | null;
}

export interface GraphUsers {
  /** By object id or user principal name; null when there is none, or when Graph cannot read the text as either. */
  find(idOrUpn: string, call: Call): Promise<GraphUser | null>;
}

export function createGraphUsers(graph: Graph): GraphUsers {
  return {
    find: async (idOrUpn, call) => {
      const path = withQuery(`/users/${segment(idOrUpn)}`, { $select: 'id,userPrincipalName,displayName,mail' });
      const user = await graph.find(path, 'GET /users/{id}', call).catch(nobodyWhenUnreadable);
      if (user === null) return null;
      return {
        id: textField(user, 'id') ?? '',
        userPrincipalName: textField(user, 'userPrincipalName') ?? '',
        displayName: textField(user, 'displayName'),
        mail: textField(user, 'mail'),
      };
    },
  };
}

/** A text like `$x@contoso.com` is a 400 to Graph (graph.md §7.3): one odd entry must not fail all the others. */
export function nobodyWhenUnreadable(error: unknown): null {
  if (error instanceof GraphFault && error.kind === 'rejected') return null;
  throw error;
}

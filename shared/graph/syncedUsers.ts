import type { Call } from '../call.ts';
import { maxGraphBatch } from './batch.ts';
import type { Graph, GraphObject } from './client.ts';
import { isGraphFault } from './errors.ts';
import { flagField, textField } from './fields.ts';
import { segment, withQuery } from './odata.ts';

/** A user with the phone that the cloud shows. */
export interface PhonedUser {
  readonly id: string;
  readonly userPrincipalName: string;
  readonly displayName: string | null;
  readonly mobilePhone: string | null;
  /** Mastered in on-premises Active Directory. */
  readonly isSynced: boolean;
}

export interface SyncedUserPage {
  readonly users: readonly PhonedUser[];
  /** Where the list goes on; null at the end. */
  readonly nextPath: string | null;
}

/** Methods throw as those of Graph do. */
export interface GraphSyncedUsers {
  /** Users that are mastered on-premises, with and without a phone. @param from a nextPath; null: the beginning */
  page(page: { readonly size: number; readonly from: string | null }, call: Call): Promise<SyncedUserPage>;
  /** In the order of the ids; null: nobody has this id. */
  byIds(ids: readonly string[], call: Call): Promise<(PhonedUser | null)[]>;
}

/** As many as Graph gives at once (graph.md §9). */
export const maxUserPage = 999;

/** What each page of them begins with. */
export const syncedUserListPrefix = '/users?';

const $select = 'id,userPrincipalName,displayName,mobilePhone,onPremisesSyncEnabled';

export function createGraphSyncedUsers(graph: Graph): GraphSyncedUsers {
  async function readBatch(ids: readonly string[], call: Call): Promise<(PhonedUser | null)[]> {
    const requests = ids.map((id) => ({
      method: 'GET' as const,
      path: withQuery(`/users/${segment(id)}`, { $select }),
      label: 'GET /users/{id}',
    }));
    const parts = await graph.batch(requests, 'read', call);
    return parts.map((part) => {
      if (part.ok) return part.object === null ? null : readPhonedUser(part.object);
      if (isGraphFault(part.fault, 'notFound')) return null;
      throw part.fault;
    });
  }

  return {
    page: async ({ size, from }, call) => {
      const first = withQuery('/users', { $filter: 'onPremisesSyncEnabled eq true', $select, $top: size });
      const { items, nextPath } = await graph.page(from ?? first, 'GET /users?$filter', call);
      return { users: items.map(readPhonedUser), nextPath };
    },

    byIds: async (ids, call) => {
      const found: (PhonedUser | null)[] = [];
      for (let start = 0; start < ids.length; start += maxGraphBatch) {
        found.push(...(await readBatch(ids.slice(start, start + maxGraphBatch), call)));
      }
      return found;
    },
  };
}

function readPhonedUser(user: GraphObject): PhonedUser {
  return {
    id: textField(user, 'id') ?? '',
    userPrincipalName: textField(user, 'userPrincipalName') ?? '',
    displayName: textField(user, 'displayName'),
    mobilePhone: textField(user, 'mobilePhone'),
    isSynced: flagField(user, 'onPremisesSyncEnabled'),
  };
}

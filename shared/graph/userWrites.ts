import type { Call } from '../call.ts';
import type { GraphOutput } from './answers.ts';
import type { Graph } from './client.ts';
import { segment } from './odata.ts';

/** What sign-in hangs on; what is absent stays as it is. */
export interface IdentityChange {
  readonly userPrincipalName?: string;
  /** null: none. */
  readonly onPremisesImmutableId?: string | null;
}

export interface GraphUserWrites {
  /** @throws GraphFault, Fault `outcome_unknown` when it may have been carried out */
  changeIdentity(userId: string, change: IdentityChange, call: Call): Promise<GraphOutput>;
}

export function createGraphUserWrites(graph: Graph): GraphUserWrites {
  return {
    changeIdentity: (userId, change, call) =>
      graph.write('PATCH', `/users/${segment(userId)}`, change, 'PATCH /users/{id}', call),
  };
}

import type { Call } from '../../call.ts';
import type { ExchangeGroupCreator } from './createInExchange.ts';
import type { GraphGroupCreator } from './createInGraph.ts';
import type { Creation, ExchangeGroupRequest, GraphGroupRequest, GroupRequest } from './creationPlan.ts';
import { livesInExchange } from '../kinds.ts';

export interface GroupCreator {
  /**
   * Ensures that the group of the request exists: creates it, completes what an interrupted creation left out, or
   * finds it as asked. Safe to repeat at any point.
   * @throws Fault `exists_with_differences`, `address_in_use`, `ambiguous_group`, `owner_not_valid`, blockers, upstream
   *   faults
   */
  create(request: GroupRequest, isDryRun: boolean, call: Call): Promise<Creation>;
}

/** Exchange creates the mail groups, Graph the others (graph.md §1.1). */
export function createGroupCreator(creators: {
  inExchange: ExchangeGroupCreator;
  inGraph: GraphGroupCreator;
}): GroupCreator {
  const { inExchange, inGraph } = creators;
  return {
    create: (request, isDryRun, call) =>
      isForExchange(request)
        ? inExchange.create(request, isDryRun, call)
        : inGraph.create(request as GraphGroupRequest, isDryRun, call),
  };
}

function isForExchange(request: GroupRequest): request is ExchangeGroupRequest {
  return livesInExchange(request.kind);
}

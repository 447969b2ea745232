import type { Call } from '../call.ts';
import type { PushMapping } from './mapping.ts';
import type { PushReply, PushRequest } from './pushReply.ts';

export interface Pusher {
  /**
   * A full reconcile, now: within the request, or as an operation when it is long. A dry run also of a mapping that is
   * not stored yet.
   * @throws Fault `push_mapping_inactive` (unless dry or `activates`), `not_approved`, `plan_changed`,
   *   `too_many_removals`, `would_empty_group`, `too_many_additions`, `group_busy`, blockers of the target, and of an
   *   upstream that failed before anything was written
   */
  push(mapping: PushMapping, request: PushRequest, call: Call): Promise<PushReply>;
}

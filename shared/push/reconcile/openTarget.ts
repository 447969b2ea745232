import type { Call } from '../../call.ts';
import { isFault } from '../../errors.ts';
import { type ProtectionLists, refuseUnmanageable } from '../../groups/blockers.ts';
import type { Group } from '../../groups/group.ts';
import type { GroupResolver } from '../../groups/resolve.ts';
import type { PushMapping } from '../mapping.ts';
import { targetGone } from '../mappings/mappingFaults.ts';

/**
 * The target of a mapping as it is now, which may be written.
 * @throws Fault `group_not_found` when it is gone, blockers, faults of resolving
 */
export async function openTarget(
  target: Pick<PushMapping, 'targetId' | 'targetName'>,
  { groups, protection }: { readonly groups: GroupResolver; readonly protection: ProtectionLists },
  call: Call,
): Promise<Group> {
  const group = await resolve();
  refuseUnmanageable(group, protection);
  return group;

  async function resolve(): Promise<Group> {
    try {
      return await groups.resolveForWrite(target.targetId, call);
    } catch (error) {
      // Nobody has given a name here that could be mended.
      throw isFault(error, 'group_not_found') ? targetGone(target) : error;
    }
  }
}

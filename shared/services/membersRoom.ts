import { createEntraMembers } from '../groups/entraMembers.ts';
import { createMemberLister } from '../groups/listMembers.ts';
import { createMemberTargets } from '../groups/memberTargets.ts';
import { createMemberWriters } from '../groups/memberWriters.ts';
import { createMemberWrites } from '../groups/memberWrites.ts';
import { createMemberResolver } from '../groups/members.ts';
import { createMembership } from '../groups/membership.ts';
import { createMembershipApplySlice } from '../groups/membershipApplySlice.ts';
import { createMembershipOperations } from '../groups/membershipOperation.ts';
import { createMembershipPages } from '../groups/membershipPages.ts';
import { createMembershipPlanSlice } from '../groups/membershipPlanSlice.ts';
import { createMembershipPlanner } from '../groups/planMembership.ts';
import { createGroupResolver } from '../groups/resolve.ts';
import { createMembershipSetter } from '../groups/setMembers.ts';
import { createOperationWorker } from '../operations/operationWorker.ts';
import type { Ground } from './ground.ts';

/** Who a member is, and how members are written; what groups need of it stands here too. */
export type MembersRoom = ReturnType<typeof openMembersRoom>;

export function openMembersRoom(ground: Ground) {
  const groups = createGroupResolver(ground);
  const entraMembers = createEntraMembers(ground);
  const memberResolver = createMemberResolver(ground);
  const memberTargets = createMemberTargets({ memberResolver, entraMembers });
  const memberWrites = createMemberWrites({ ...ground, memberWriters: createMemberWriters(ground) });
  const membershipPlanner = createMembershipPlanner({ ...ground, memberTargets });
  const writing = { ...ground, groups, memberTargets, memberWrites, membershipPlanner };
  const membershipPages = createMembershipPages(ground.operations);
  const slicing = { ...writing, membershipPages };
  const membershipOperations = createMembershipOperations({
    ...slicing,
    planSlice: createMembershipPlanSlice(slicing),
    applySlice: createMembershipApplySlice(slicing),
  });
  const operationWorker = createOperationWorker({ ...ground, runners: [membershipOperations] });
  return {
    groups,
    entraMembers,
    memberResolver,
    membership: createMembership(writing),
    membershipSetter: createMembershipSetter({ ...writing, membershipOperations, operationWorker }),
    memberLister: createMemberLister({ ...ground, groups }),
    operationWorker,
  };
}

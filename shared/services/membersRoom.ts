import { createEntraMembers } from '../groups/membership/entraMembers.ts';
import { createMemberLister } from '../groups/membership/listMembers.ts';
import { createMemberTargets } from '../groups/membership/memberTargets.ts';
import { createMemberWriters } from '../groups/membership/memberWriters.ts';
import { createMemberWrites } from '../groups/membership/memberWrites.ts';
import { createMemberResolver } from '../groups/membership/members.ts';
import { createMembership } from '../groups/membership/membership.ts';
import { createMembershipApplySlice } from '../groups/membership/membershipApplySlice.ts';
import { createMembershipOperations } from '../groups/membership/membershipOperation.ts';
import { createMembershipPages } from '../groups/membership/membershipPages.ts';
import { createMembershipPlanSlice } from '../groups/membership/membershipPlanSlice.ts';
import { createMembershipPlanner } from '../groups/membership/planMembership.ts';
import { createGroupResolver } from '../groups/resolve.ts';
import { createMembershipSetter } from '../groups/membership/setMembers.ts';
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
  return {
    groups,
    entraMembers,
    memberResolver,
    membership: createMembership(writing),
    membershipSetter: createMembershipSetter({ ...writing, membershipOperations }),
    memberLister: createMemberLister({ ...ground, groups }),
    memberTargets,
    memberWrites,
    membershipOperations,
  };
}

import type { Call } from '../call.ts';
import type { GraphGroups } from '../graph/groups.ts';
import type { Group } from './group.ts';
import { compareMembership, type MembershipPlan, type MembershipScope } from './membershipPlan.ts';
import type { MemberTargets } from './memberTargets.ts';
import type { ProtectedUsers } from './protectedUsers.ts';
import { groupNotReady } from './resolve.ts';

export interface MembershipPlanner {
  /**
   * Reads the actual members page by page past an index of the desired ones, resolves what no member bears, and says
   * what is to be done. Reads only.
   * @throws Fault `group_not_ready`, upstream faults
   */
  plan(group: Group, desired: readonly string[], scope: MembershipScope, call: Call): Promise<MembershipPlan>;
}

/** Resolved together: so many that calls are saved, so few that little is held. */
const chunkSize = 100;

export function createMembershipPlanner(dependencies: {
  graphGroups: GraphGroups;
  memberTargets: MemberTargets;
  protectedUsers: ProtectedUsers;
}): MembershipPlanner {
  const { graphGroups, memberTargets, protectedUsers } = dependencies;
  return {
    plan: async (group, desired, scope, call) => {
      if (group.id === null || group.graph === null) throw groupNotReady(group);
      const comparison = compareMembership(group.id, desired, scope);
      for await (const page of graphGroups.memberPages(group.id, { addresses: true }, call)) comparison.see(page);

      const leftOver = comparison.leftOver();
      for (let start = 0; start < leftOver.length; start += chunkSize) {
        const chunk = leftOver.slice(start, start + chunkSize);
        const resolutions = await memberTargets.resolve(group.kind, 'add', chunk, call);
        for (const [index, entry] of chunk.entries()) {
          const resolution = resolutions[index];
          if (resolution === undefined) throw new RangeError('a member without its resolution');
          comparison.resolve(entry, resolution);
        }
      }
      const isProtected = await protectedUsers.test(call);
      return comparison.plan(({ id, userPrincipalName, mail, addresses }) =>
        isProtected([id, userPrincipalName, mail, ...addresses]),
      );
    },
  };
}

import type { Call } from '../call.ts';
import { GraphFault } from '../graph/errors.ts';
import type { GraphIdentityReads, RoleAssignableGroup, RoleAssignment } from '../graph/identityReads.ts';
import type { TokenSource } from '../upstream/tokens.ts';
import { attempt } from './attempt.ts';
import type { OwnPrincipal, Reading, UserPrivilege } from './facts.ts';

/** What makes a user privileged, as the directory has it. */
export interface PrivilegeReading {
  /** Active roles given to the user itself, whatever their scope. */
  readonly assignments: readonly RoleAssignment[];
  /** Groups that can hold roles, of which the user is a member or an owner. */
  readonly groups: readonly RoleAssignableGroup[];
  /** Ids of roles that could be activated; none where the tenant has no licence for such. */
  readonly eligible: Reading<readonly string[]>;
}

/** What our service principal may do. */
export interface OwnStanding {
  /** Object id. */
  readonly id: string;
  /** Application permissions for Graph, as the token has them. */
  readonly permissions: readonly string[];
  /** Roles over the tenant, as the token has them: those that come through a group too. */
  readonly tokenRoleIds: readonly string[];
  /** As the directory has them: one that was given a moment ago, and those over units. */
  readonly assignments: Reading<readonly RoleAssignment[]>;
}

/** Methods throw as those of Graph do. */
export interface PrivilegeReader {
  ofUser(userId: string, call: Call): Promise<PrivilegeReading>;
  own(call: Call): Promise<OwnStanding>;
}

export function createPrivilegeReader(dependencies: {
  readonly identityReads: GraphIdentityReads;
  readonly graphTokens: TokenSource;
}): PrivilegeReader {
  const { identityReads, graphTokens } = dependencies;

  async function eligibleRoles(principalId: string, call: Call): Promise<string[]> {
    try {
      return await identityReads.eligibleRoles(principalId, call);
    } catch (error) {
      // Without the licence nobody can be eligible (graph.md §4).
      if (error instanceof GraphFault && error.graphCode === 'AadPremiumLicenseRequired') return [];
      throw error;
    }
  }

  return {
    ofUser: async (userId, call) => {
      const [assignments, groups, eligible] = await Promise.all([
        identityReads.roleAssignments(userId, call),
        identityReads.roleAssignableGroups(userId, call),
        attempt(() => eligibleRoles(userId, call)),
      ]);
      return { assignments, groups, eligible };
    },

    own: async (call) => {
      const { claims } = await graphTokens.get(call);
      const id = claims.oid ?? '';
      const assignments = await attempt(() => identityReads.roleAssignments(id, call));
      return { id, permissions: claims.roles, tokenRoleIds: claims.directoryRoles, assignments };
    },
  };
}

/** Pure. */
export function userPrivilegeOf({ assignments, groups, eligible }: PrivilegeReading): UserPrivilege {
  return {
    roleIds: [...new Set(assignments.map(({ roleId }) => roleId))],
    roleAssignableGroups: groups.map(({ name }) => name),
    eligibleRoleIds: eligible.known ? eligible.value : null,
  };
}

/** Pure. Roles over the tenant, known only where the directory could be asked. */
export function ownPrincipalOf({ id, tokenRoleIds, assignments }: OwnStanding): Reading<OwnPrincipal> {
  if (!assignments.known) return assignments;
  const inDirectory = assignments.value.filter(({ isTenantWide }) => isTenantWide).map(({ roleId }) => roleId);
  return { known: true, value: { id, roleIds: [...new Set([...inDirectory, ...tokenRoleIds])] } };
}

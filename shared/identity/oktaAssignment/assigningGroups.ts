import type { Call } from '../../call.ts';
import type { OktaApps } from '../../okta/apps.ts';
import type { OktaGroups } from '../../okta/groups.ts';
import type { OktaUsers } from '../../okta/users.ts';

export interface AssigningGroups {
  /**
   * Names of the groups by which an app is assigned to a user. Who has an assignment of his own besides is shown with
   * that alone, and is assigned by the group as soon as it is gone (inferred).
   */
  of(appId: string, userId: string, call: Call): Promise<readonly string[]>;
}

export function createAssigningGroups(dependencies: {
  oktaApps: OktaApps;
  oktaUsers: OktaUsers;
  oktaGroups: OktaGroups;
}): AssigningGroups {
  const { oktaApps, oktaUsers, oktaGroups } = dependencies;
  return {
    of: async (appId, userId, call) => {
      const assigned = await oktaApps.groupIds(appId, call);
      if (assigned.length === 0) return [];
      const memberships = await oktaUsers.groupIds(userId, call);
      const ids = assigned.filter((id) => memberships.has(id));
      return Promise.all(ids.map(async (id) => (await oktaGroups.get(id, call))?.name ?? id));
    },
  };
}

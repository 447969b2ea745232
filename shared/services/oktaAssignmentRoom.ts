import { createAssigningGroups } from '../identity/oktaAssignment/assigningGroups.ts';
import { createFeatureLock } from '../identity/oktaAssignment/featureLock.ts';
import { createOktaSideOfRepair } from '../identity/oktaAssignment/oktaSideOfRepair.ts';
import { createOktaApps } from '../okta/apps.ts';
import { createOktaGroups } from '../okta/groups.ts';
import { createOktaProvisioning } from '../okta/provisioning.ts';
import { createOktaUsers } from '../okta/users.ts';
import type { Ground } from './ground.ts';

/** Okta's side of repairs; null where its API is not configured. */
export function openOktaAssignmentRoom(ground: Ground) {
  const { okta, oktaAssignments } = ground;
  if (!okta.isConfigured) return null;
  const oktaApps = createOktaApps(okta);
  const oktaProvisioning = createOktaProvisioning({ read: okta, write: oktaAssignments });
  const featureLock = createFeatureLock({ ...ground, oktaProvisioning });
  const assigningGroups = createAssigningGroups({
    oktaApps,
    oktaUsers: createOktaUsers(okta),
    oktaGroups: createOktaGroups(okta),
  });
  return {
    featureLock,
    oktaSideOfRepair: createOktaSideOfRepair({ ...ground, oktaApps, oktaProvisioning, assigningGroups, featureLock }),
  };
}

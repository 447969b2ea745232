import { createGraphIdentityReads } from '../graph/identityReads.ts';
import { createOktaSideReader } from '../identity/oktaSide.ts';
import { createPrivilegeReader } from '../identity/privilege.ts';
import { createImmutableIdReader } from '../identity/readImmutableId.ts';
import { createOktaApps } from '../okta/apps.ts';
import { createOktaUsers } from '../okta/users.ts';
import type { Ground } from './ground.ts';

export function openUsersRoom(ground: Ground) {
  const { graph, graphTokens, okta } = ground;
  const identityReads = createGraphIdentityReads(graph);
  const oktaSide = createOktaSideReader({ oktaUsers: createOktaUsers(okta), oktaApps: createOktaApps(okta) });
  const privileges = createPrivilegeReader({ identityReads, graphTokens });
  return { immutableIdReader: createImmutableIdReader({ ...ground, identityReads, oktaSide, privileges }) };
}

import { createGraphIdentityReads } from '../graph/identityReads.ts';
import { createOktaSideReader } from '../identity/oktaSide.ts';
import { createImmutableIdReader } from '../identity/readImmutableId.ts';
import { createOktaApps } from '../okta/apps.ts';
import { createOktaUsers } from '../okta/users.ts';
import type { Ground } from './ground.ts';

export function openUsersRoom(ground: Ground) {
  const { graph, okta } = ground;
  const identityReads = createGraphIdentityReads(graph);
  const oktaSide = createOktaSideReader({ oktaUsers: createOktaUsers(okta), oktaApps: createOktaApps(okta) });
  return { immutableIdReader: createImmutableIdReader({ ...ground, identityReads, oktaSide }) };
}

import { createAttributeWriter } from '../attributes/attributeWriter.ts';
import { createAttributeReader } from '../attributes/readAttributes.ts';
import { createAttributeUpdater } from '../attributes/updateAttributes.ts';
import { createGraphIdentityReads } from '../graph/identityReads.ts';
import { createGraphSynchronization } from '../graph/synchronization.ts';
import { createGraphUserAttributes } from '../graph/userAttributes.ts';
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
  const userAttributes = createGraphUserAttributes(graph);
  const attributeReader = createAttributeReader({
    ...ground,
    userAttributes,
    identityReads,
    oktaSide,
    privileges,
    synchronization: createGraphSynchronization(graph),
  });
  const attributeWriter = createAttributeWriter({ ...ground, userAttributes });
  return {
    immutableIdReader: createImmutableIdReader({ ...ground, identityReads, oktaSide, privileges }),
    attributeReader,
    attributeUpdater: createAttributeUpdater({ ...ground, attributeReader, attributeWriter }),
  };
}

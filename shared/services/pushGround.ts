import { createOktaApps } from '../okta/apps.ts';
import { createOktaGroups } from '../okta/groups.ts';
import { createOktaUsers } from '../okta/users.ts';
import { createPushMatcher } from '../push/oktaMatcher.ts';
import { createOktaSource } from '../push/oktaSource.ts';
import { createPushMappingStore } from '../push/store/mappingStore.ts';
import { createPushMemberStore } from '../push/store/memberStore.ts';
import { createPushPending } from '../push/store/pendingStore.ts';
import type { Ground } from './ground.ts';

/** What everything about push mappings stands on: where they are kept, and where their people come from. */
export type PushGround = ReturnType<typeof layPushGround>;

export function layPushGround(ground: Ground) {
  const { okta, directoryObjects } = ground;
  const pushSource = createOktaSource({
    okta,
    oktaGroups: createOktaGroups(okta),
    oktaUsers: createOktaUsers(okta),
    oktaApps: createOktaApps(okta),
  });
  return {
    pushMappings: createPushMappingStore(ground),
    pushMembers: createPushMemberStore(ground),
    pushPending: createPushPending(ground),
    pushSource,
    pushMatcher: createPushMatcher({ source: pushSource, directoryObjects }),
  };
}

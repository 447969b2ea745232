import { createMemberTargets } from '../groups/membership/memberTargets.ts';
import { createMembershipExplainer } from '../push/explain/explainMembership.ts';
import { createMappingDeleter } from '../push/mappings/deleteMapping.ts';
import { createMappingTargets } from '../push/mappings/mappingTarget.ts';
import { createMappingPusher } from '../push/mappings/pushMapping.ts';
import { createMappingPutter } from '../push/mappings/putMapping.ts';
import { createMappingReader } from '../push/mappings/readMappings.ts';
import { createMappingStatusSetter } from '../push/mappings/setMappingStatus.ts';
import type { Pusher } from '../push/pusher.ts';
import type { Ground } from './ground.ts';
import type { openGroupsRoom } from './groupsRoom.ts';
import type { MembersRoom } from './membersRoom.ts';
import type { PushGround } from './pushGround.ts';

type Parts = Ground & MembersRoom & ReturnType<typeof openGroupsRoom> & PushGround & { readonly pusher: Pusher };

/** What people do with push mappings. */
export function openMappingsRoom(parts: Parts) {
  return {
    mappingPutter: createMappingPutter({ ...parts, mappingTargets: createMappingTargets(parts) }),
    mappingStatusSetter: createMappingStatusSetter(parts),
    mappingDeleter: createMappingDeleter(parts),
    mappingReader: createMappingReader(parts),
    mappingPusher: createMappingPusher(parts),
    membershipExplainer: createMembershipExplainer({ ...parts, memberTargets: createMemberTargets(parts) }),
  };
}

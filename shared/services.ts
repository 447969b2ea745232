import type { AuditReader } from './audit/auditReader.ts';
import type { Clock } from './clock.ts';
import type { Config } from './config.ts';
import { type ConnectionTester, createConnectionTester } from './connection/testConnection.ts';
import type { GroupCreator } from './groups/creation/createGroup.ts';
import type { GroupDeleter } from './groups/deletion/deleteGroup.ts';
import type { GroupLister } from './groups/listGroups.ts';
import type { MemberLister } from './groups/membership/listMembers.ts';
import type { Membership } from './groups/membership/membership.ts';
import type { GroupReader } from './groups/readGroup.ts';
import type { GroupRestorer } from './groups/restore/restoreGroup.ts';
import type { MembershipSetter } from './groups/membership/setMembers.ts';
import type { DeletedGroupLister } from './groups/deletion/snapshotLister.ts';
import type { GroupUpdater } from './groups/update/updateGroup.ts';
import type { OperationWorker } from './operations/operationWorker.ts';
import type { Operations } from './operations/operations.ts';
import type { Sweeper } from './operations/sweeper.ts';
import type { EventCollector } from './push/hooks/collector.ts';
import type { EventHookReceiver } from './push/hooks/receiver.ts';
import { layGround, type Outside } from './services/ground.ts';
import { openGroupsRoom } from './services/groupsRoom.ts';
import { openHookRoom } from './services/hookRoom.ts';
import { openMembersRoom } from './services/membersRoom.ts';
import { openOperationsRoom } from './services/operationsRoom.ts';
import { layPushGround } from './services/pushGround.ts';

export type { Outside } from './services/ground.ts';

/** What the functions call. */
export interface Services {
  readonly groupReader: GroupReader;
  readonly groupLister: GroupLister;
  readonly groupCreator: GroupCreator;
  readonly groupUpdater: GroupUpdater;
  readonly groupDeleter: GroupDeleter;
  readonly groupRestorer: GroupRestorer;
  readonly deletedGroupLister: DeletedGroupLister;
  readonly membership: Membership;
  readonly membershipSetter: MembershipSetter;
  readonly memberLister: MemberLister;
  readonly operations: Operations;
  readonly operationWorker: OperationWorker;
  readonly sweeper: Sweeper;
  readonly clock: Clock;
  readonly connectionTester: ConnectionTester;
  readonly auditReader: AuditReader;
  readonly eventHookReceiver: EventHookReceiver;
  readonly eventCollector: EventCollector;
}

/** Wires everything once, room by room. */
export function createServices(config: Config, outside: Outside): Services {
  const ground = layGround(config, outside);
  const members = openMembersRoom(ground);
  return {
    clock: ground.clock,
    connectionTester: createConnectionTester(ground),
    ...members,
    ...openGroupsRoom(ground, members),
    ...openOperationsRoom(config, ground, members),
    ...openHookRoom(config, ground, layPushGround(ground)),
  };
}

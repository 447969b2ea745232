import type { AttributeReader } from './attributes/readAttributes.ts';
import type { AttributeUpdater } from './attributes/updateAttributes.ts';
import type { AuditReader } from './audit/auditReader.ts';
import type { Clock } from './clock.ts';
import type { Config } from './config.ts';
import { type ConnectionTester, createConnectionTester } from './connection/testConnection.ts';
import type { DirSyncUserLister } from './dirsync/listUsers.ts';
import type { DirSyncReader } from './dirsync/readDirSync.ts';
import type { BypassSwitcher } from './dirsync/setBypass.ts';
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
import type { MembershipExplainer } from './push/explain/explainMembership.ts';
import type { MappingDeleter } from './push/mappings/deleteMapping.ts';
import type { MappingPusher } from './push/mappings/pushMapping.ts';
import type { MappingPutter } from './push/mappings/putMapping.ts';
import type { MappingReader } from './push/mappings/readMappings.ts';
import type { MappingStatusSetter } from './push/mappings/setMappingStatus.ts';
import type { PendingWorker } from './push/reconcile/pendingWorker.ts';
import type { ReconcileWorker } from './push/reconcile/reconcileWorker.ts';
import type { BatchStarter } from './identity/batch/repairImmutableIds.ts';
import { createFeatureKeeper } from './identity/oktaAssignment/featureKeeper.ts';
import type { ImmutableIdReader } from './identity/readImmutableId.ts';
import type { ImmutableIdRepairer } from './identity/repair/repairImmutableId.ts';
import type { RepairWorker } from './identity/repair/repairWorker.ts';
import { openDirsyncRoom } from './services/dirsyncRoom.ts';
import { openBatchRoom } from './services/batchRoom.ts';
import { layGround, type Outside } from './services/ground.ts';
import { openGroupsRoom } from './services/groupsRoom.ts';
import { openHookRoom } from './services/hookRoom.ts';
import { openMappingsRoom } from './services/mappingsRoom.ts';
import { openMembersRoom } from './services/membersRoom.ts';
import { openOktaAssignmentRoom } from './services/oktaAssignmentRoom.ts';
import { openOperationsRoom } from './services/operationsRoom.ts';
import { layPushGround } from './services/pushGround.ts';
import { openPushRoom } from './services/pushRoom.ts';
import { openRepairsRoom } from './services/repairsRoom.ts';
import { openUsersRoom } from './services/usersRoom.ts';

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
  readonly pendingWorker: PendingWorker;
  readonly reconcileWorker: ReconcileWorker;
  readonly mappingPutter: MappingPutter;
  readonly mappingStatusSetter: MappingStatusSetter;
  readonly mappingDeleter: MappingDeleter;
  readonly mappingReader: MappingReader;
  readonly mappingPusher: MappingPusher;
  readonly membershipExplainer: MembershipExplainer;
  readonly immutableIdReader: ImmutableIdReader;
  readonly immutableIdRepairer: ImmutableIdRepairer;
  readonly batchStarter: BatchStarter;
  readonly repairWorker: RepairWorker;
  readonly attributeReader: AttributeReader;
  readonly attributeUpdater: AttributeUpdater;
  readonly dirSyncReader: DirSyncReader;
  readonly bypassSwitcher: BypassSwitcher;
  readonly dirSyncUserLister: DirSyncUserLister;
}

/** Wires everything once, room by room. */
export function createServices(config: Config, outside: Outside): Services {
  const ground = layGround(config, outside);
  const members = openMembersRoom(ground);
  const groups = openGroupsRoom(ground, members);
  const pushGround = layPushGround(ground);
  const parts = { ...ground, ...members, ...groups, ...pushGround };
  const push = openPushRoom(config, parts);
  const users = openUsersRoom(ground);
  const okta = openOktaAssignmentRoom(ground);
  const { featureLock = null, oktaSideOfRepair = null } = okta ?? {};
  const repairs = openRepairsRoom(config, ground, { ...users, oktaSideOfRepair });
  const batch = openBatchRoom(config, ground, { ...repairs, featureLock });
  const dirsync = openDirsyncRoom(config, ground);
  return {
    clock: ground.clock,
    connectionTester: createConnectionTester({ ...ground, enabledRooms: config.enabledRooms }),
    ...members,
    ...groups,
    ...openOperationsRoom(config, ground, {
      runners: [members.membershipOperations, push.pushOperations, repairs.repairOperations, batch.batchOperations],
      revivals: [
        { name: 'pending changes', revive: (call) => push.pendingSender.revive(call) },
        repairs.repairWorker.revival,
        ...(featureLock === null
          ? []
          : [createFeatureKeeper({ ...ground, featureLock, repairs: repairs.repairEngine })]),
      ],
      retentions: [repairs.repairWorker.retention, dirsync.switchRetention],
    }),
    ...openHookRoom(config, ground, pushGround),
    ...push,
    ...openMappingsRoom({ ...parts, ...push }),
    ...users,
    ...repairs,
    ...batch,
    ...dirsync,
  };
}

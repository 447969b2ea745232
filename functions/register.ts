import type { Action } from '../shared/action/contract.ts';
import { type Endpoint, registerEndpoints } from '../shared/action/endpoint.ts';
import { registerActions } from '../shared/action/register.ts';
import { registerWorkers, type Worker } from '../shared/action/worker.ts';
import { systemClock } from '../shared/clock.ts';
import { type Environment, readConfig, rooms } from '../shared/config.ts';
import { createServices, type Outside } from '../shared/services.ts';
import { listAudit } from './audit/listAudit.ts';
import { testConnection } from './connection/testConnection.ts';
import { getDirSync } from './dirsync/getDirSync.ts';
import { listDirSyncUsers } from './dirsync/listDirSyncUsers.ts';
import { restoreBypassDirSyncOverrides } from './dirsync/restoreBypassDirSyncOverrides.ts';
import { setBypassDirSyncOverrides } from './dirsync/setBypassDirSyncOverrides.ts';
import { createGroup } from './groups/createGroup.ts';
import { deleteGroup } from './groups/deleteGroup.ts';
import { getGroup } from './groups/getGroup.ts';
import { listDeletedGroups } from './groups/listDeletedGroups.ts';
import { restoreGroup } from './groups/restoreGroup.ts';
import { updateGroup } from './groups/updateGroup.ts';
import { listGroups } from './groups/listGroups.ts';
import { addMembers } from './members/addMembers.ts';
import { listMembers } from './members/listMembers.ts';
import { removeMembers } from './members/removeMembers.ts';
import { setMembers } from './members/setMembers.ts';
import { cancelOperation } from './operations/cancelOperation.ts';
import { getOperation } from './operations/getOperation.ts';
import { listOperations } from './operations/listOperations.ts';
import { deletePushMapping } from './push/deletePushMapping.ts';
import { explainMembership } from './push/explainMembership.ts';
import { getPushMapping } from './push/getPushMapping.ts';
import { listPushMappings } from './push/listPushMappings.ts';
import { push } from './push/push.ts';
import { putPushMapping } from './push/putPushMapping.ts';
import { setPushMappingStatus } from './push/setPushMappingStatus.ts';
import { receiveEventHook } from './push/receiveEventHook.ts';
import { verifyEventHook } from './push/verifyEventHook.ts';
import { diagnoseAttributes } from './users/diagnoseAttributes.ts';
import { getImmutableId } from './users/getImmutableId.ts';
import { repairImmutableId } from './users/repairImmutableId.ts';
import { repairImmutableIds } from './users/repairImmutableIds.ts';
import { updateSensitiveAttributes } from './users/updateSensitiveAttributes.ts';
import { collectEvents } from './workers/collectEvents.ts';
import { collectEventsPoison } from './workers/collectEventsPoison.ts';
import { processPendingChanges } from './workers/processPendingChanges.ts';
import { processPendingChangesPoison } from './workers/processPendingChangesPoison.ts';
import { reconcilePushMapping } from './workers/reconcilePushMapping.ts';
import { reconcilePushMappingPoison } from './workers/reconcilePushMappingPoison.ts';
import { reconcilePushMappings } from './workers/reconcilePushMappings.ts';
import { resumeRepair } from './workers/resumeRepair.ts';
import { resumeRepairPoison } from './workers/resumeRepairPoison.ts';
import { runOperation } from './workers/runOperation.ts';
import { runOperationPoison } from './workers/runOperationPoison.ts';
import { sweep } from './workers/sweep.ts';

/** Everything this app can register, room by room. ENABLED_ROOMS says what of it is. */
export const actions: readonly Action[] = [
  testConnection,

  createGroup,
  listGroups,
  getGroup,
  updateGroup,
  deleteGroup,
  listDeletedGroups,
  restoreGroup,

  listMembers,
  addMembers,
  removeMembers,
  setMembers,

  putPushMapping,
  listPushMappings,
  getPushMapping,
  deletePushMapping,
  setPushMappingStatus,
  push,
  explainMembership,

  getImmutableId,
  repairImmutableId,
  repairImmutableIds,
  diagnoseAttributes,
  updateSensitiveAttributes,

  getDirSync,
  setBypassDirSyncOverrides,
  restoreBypassDirSyncOverrides,
  listDirSyncUsers,

  listOperations,
  getOperation,
  cancelOperation,
  listAudit,
];

/** What speaks the protocol of somebody else. */
export const endpoints: readonly Endpoint[] = [verifyEventHook, receiveEventHook];

/** What queues and timers set off. */
export const workers: readonly Worker[] = [
  runOperation,
  runOperationPoison,
  collectEvents,
  collectEventsPoison,
  processPendingChanges,
  processPendingChangesPoison,
  reconcilePushMapping,
  reconcilePushMappingPoison,
  reconcilePushMappings,
  resumeRepair,
  resumeRepairPoison,
  sweep,
];

/**
 * The composition root: reads the settings once, wires the services, registers what the enabled rooms have.
 * With wrong settings all actions are registered, and each call says which settings to mend: a throw here would leave
 * an administrator with an app that lists no functions and a reason buried in the host's log
 * (docs/decisions/wrong-settings-still-register.md). Workers are not: their messages can wait, and would end as poison.
 */
export function register(options: { env: Environment } & Partial<Outside>): void {
  const result = readConfig(options.env);
  const outside: Outside = {
    fetch: options.fetch ?? fetch,
    clock: options.clock ?? systemClock,
    random: options.random ?? Math.random,
  };
  if (!result.ok) {
    const { fault } = result;
    const services = () => {
      throw fault;
    };
    const everywhere = new Set(rooms);
    registerActions(actions, everywhere, { services, writeMode: 'off', clock: outside.clock });
    registerEndpoints(endpoints, everywhere, { services, clock: outside.clock });
    return;
  }
  const services = createServices(result.config, outside);
  const { writeMode, enabledRooms } = result.config;
  const runtime = { services: () => services, writeMode, clock: outside.clock };
  registerActions(actions, enabledRooms, runtime);
  registerEndpoints(endpoints, enabledRooms, runtime);
  registerWorkers(workers, result.config, runtime);
}

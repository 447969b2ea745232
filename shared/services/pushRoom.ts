import type { Config } from '../config.ts';
import { createMemberWriters } from '../groups/membership/memberWriters.ts';
import { createExecutor } from '../push/reconcile/execute.ts';
import { createFullRunner } from '../push/reconcile/fullRun.ts';
import { createMappingHealth } from '../push/reconcile/mappingHealth.ts';
import { createNameFollower } from '../push/reconcile/nameFollower.ts';
import { createPendingSender } from '../push/reconcile/pendingSender.ts';
import { createPendingWorker } from '../push/reconcile/pendingWorker.ts';
import { createPlanWriter } from '../push/reconcile/planWriter.ts';
import { createPusher } from '../push/reconcile/pusher.ts';
import { createPushOperations } from '../push/reconcile/pushOperation.ts';
import { createReconcileWorker } from '../push/reconcile/reconcileWorker.ts';
import { createSurveyor } from '../push/reconcile/survey.ts';
import type { Ground } from './ground.ts';
import type { openGroupsRoom } from './groupsRoom.ts';
import type { MembersRoom } from './membersRoom.ts';
import type { PushGround } from './pushGround.ts';

type Parts = Ground & MembersRoom & ReturnType<typeof openGroupsRoom> & PushGround;

/** What makes targets follow their Okta groups: on events, on a timer, and when a person asks for it. */
export function openPushRoom({ writeMode }: Config, parts: Parts) {
  const mappingHealth = createMappingHealth(parts);
  const surveyor = createSurveyor(parts);
  const planWriter = createPlanWriter({ ...parts, memberWriters: createMemberWriters(parts) });
  const working = {
    ...parts,
    mappingHealth,
    surveyor,
    executor: createExecutor({ ...parts, planWriter }),
    nameFollower: createNameFollower({ ...parts, mappingHealth }),
    pendingSender: createPendingSender(parts),
    mayWrite: writeMode === 'on',
  };
  const reconciling = { ...working, fullRunner: createFullRunner(working) };
  const pushOperations = createPushOperations(reconciling);
  return {
    pusher: createPusher({ ...reconciling, pushOperations }),
    pushOperations,
    pendingSender: working.pendingSender,
    pendingWorker: createPendingWorker(working),
    reconcileWorker: createReconcileWorker(reconciling),
  };
}

import type { Worker } from '../../shared/action/worker.ts';

export const reconcilePushMappings: Worker = {
  name: 'reconcilePushMappings',
  rooms: ['push'],
  summary: 'Asks for a reconcile of every push mapping that is not INACTIVE',
  trigger: 'timer',
  schedule: ({ reconcileSchedule }) => reconcileSchedule,
  run: (call, { reconcileWorker }) => reconcileWorker.enqueueAll(call),
};

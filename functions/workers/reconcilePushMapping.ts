import type { Worker } from '../../shared/action/worker.ts';

export const reconcilePushMapping: Worker = {
  name: 'reconcilePushMapping',
  rooms: ['push'],
  summary: 'Reconciles one push mapping in full',
  trigger: 'queue',
  queue: 'reconciles',
  run: (message, call, { reconcileWorker }) => reconcileWorker.run(message, call),
};

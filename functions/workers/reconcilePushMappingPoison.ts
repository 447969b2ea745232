import type { Worker } from '../../shared/action/worker.ts';

export const reconcilePushMappingPoison: Worker = {
  name: 'reconcilePushMappingPoison',
  rooms: ['push'],
  summary: 'Tells the owner of a push mapping that its reconcile could not be done',
  trigger: 'queue',
  queue: 'reconciles-poison',
  run: (message, call, { pendingWorker }) => pendingWorker.giveUp(message, call),
};

import type { Worker } from '../../shared/action/worker.ts';

export const processPendingChangesPoison: Worker = {
  name: 'processPendingChangesPoison',
  rooms: ['push'],
  summary: 'Tells the owner of a push mapping that its worker could not go on',
  trigger: 'queue',
  queue: 'pushes-poison',
  run: (message, call, { pendingWorker }) => pendingWorker.giveUp(message, call),
};

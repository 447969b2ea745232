import type { Worker } from '../../shared/action/worker.ts';

export const runOperationPoison: Worker = {
  name: 'runOperationPoison',
  rooms: ['members', 'push', 'users'],
  summary: 'Tells the owner of an operation that its worker could not go on',
  trigger: 'queue',
  queue: 'operations-poison',
  run: (message, call, { operationWorker }) => operationWorker.giveUp(message, call),
};

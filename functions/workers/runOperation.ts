import type { Worker } from '../../shared/action/worker.ts';

export const runOperation: Worker = {
  name: 'runOperation',
  rooms: ['members', 'push', 'users'],
  summary: 'Goes on with an operation',
  trigger: 'queue',
  queue: 'operations',
  run: (message, call, { operationWorker }) => operationWorker.run(message, call),
};

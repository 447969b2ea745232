import type { Worker } from '../../shared/action/worker.ts';

export const resumeRepair: Worker = {
  name: 'resumeRepair',
  rooms: ['members', 'push', 'users'],
  summary: 'Looks again at a repair that has ended, and goes on with one that nobody goes on with',
  trigger: 'queue',
  queue: 'repairs',
  run: (message, call, { repairWorker }) => repairWorker.run(message, call),
};

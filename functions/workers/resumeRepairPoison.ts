import type { Worker } from '../../shared/action/worker.ts';

export const resumeRepairPoison: Worker = {
  name: 'resumeRepairPoison',
  rooms: ['members', 'push', 'users'],
  summary: 'Logs that a repair could not be gone on with, until the next sweep',
  trigger: 'queue',
  queue: 'repairs-poison',
  run: (message, call, { repairWorker }) => repairWorker.giveUp(message, call),
};

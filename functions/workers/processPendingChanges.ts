import type { Worker } from '../../shared/action/worker.ts';

export const processPendingChanges: Worker = {
  name: 'processPendingChanges',
  rooms: ['push'],
  summary: 'Brings the changes that events of Okta told of into the targets of push mappings',
  trigger: 'queue',
  queue: 'pushes',
  run: (message, call, { pendingWorker }) => pendingWorker.run(message, call),
};

import type { Worker } from '../../shared/action/worker.ts';

export const collectEvents: Worker = {
  name: 'collectEvents',
  rooms: ['push'],
  summary: 'Notes which push mappings the events of Okta concern',
  trigger: 'queue',
  queue: 'events',
  run: (message, call, { eventCollector }, { count }) => eventCollector.collect(message, count, call),
};

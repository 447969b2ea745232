import type { Worker } from '../../shared/action/worker.ts';

export const collectEventsPoison: Worker = {
  name: 'collectEventsPoison',
  rooms: ['push'],
  summary: 'Asks for a full reconcile of the push mappings whose events could not be collected',
  trigger: 'queue',
  queue: 'events-poison',
  run: (message, call, { eventCollector }) => eventCollector.giveUp(message, call),
};

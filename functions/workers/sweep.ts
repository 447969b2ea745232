import { rooms } from '../../shared/config.ts';
import type { Worker } from '../../shared/action/worker.ts';

export const sweep: Worker = {
  name: 'sweep',
  rooms,
  summary: 'Revives what has stalled, and removes what is past its retention',
  trigger: 'timer',
  schedule: () => '0 */2 * * * *',
  run: (call, { sweeper }) => sweeper.sweep(call),
};

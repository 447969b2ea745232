import type { Call } from '../../call.ts';
import type { Clock } from '../../clock.ts';
import type { Queues } from '../../store/queues.ts';
import { pushQueue } from '../queues.ts';
import type { PushPending } from '../store/pendingStore.ts';

/** Puts the pending changes of mappings on their way. All methods throw storage faults. */
export interface PendingSender {
  /** Unless a message is on its way. @param dueAtMs now when absent; at most seconds away: it holds new ones up */
  send(oktaGroupId: string, call: Call, dueAtMs?: number): Promise<void>;
  /** At `dueAtMs`: whatever is due then. */
  sendAt(oktaGroupId: string, dueAtMs: number, call: Call): Promise<void>;
  /** Those that have been due for a while: their message was lost, or their worker. Returns how many. */
  revive(call: Call): Promise<number>;
}

/** For how long what is due may just be waiting for its turn. */
const graceMs = 2 * 60_000;

export function createPendingSender(dependencies: {
  pushPending: PushPending;
  queues: Pick<Queues, 'send'>;
  clock: Clock;
}): PendingSender {
  const { pushPending, queues, clock } = dependencies;
  return {
    send: async (oktaGroupId, call, dueAtMs = clock.now()) => {
      if (await pushPending.mark(oktaGroupId, call)) await queues.send(pushQueue, { oktaGroupId }, call, dueAtMs);
    },

    sendAt: (oktaGroupId, dueAtMs, call) => queues.send(pushQueue, { oktaGroupId }, call, dueAtMs),

    revive: async (call) => {
      const groupIds = await pushPending.groupsDue(graceMs, call);
      for (const oktaGroupId of groupIds) await queues.send(pushQueue, { oktaGroupId }, call);
      return groupIds.length;
    },
  };
}

import type { Call } from '../call.ts';
import type { Clock } from '../clock.ts';
import { Fault } from '../errors.ts';
import { leasePauseMs, whileHeld } from '../store/leaseHold.ts';
import type { Leases } from '../store/leases.ts';

export interface SwitchLock {
  /**
   * Runs `work` while nobody else switches. Its call ends when the hold is lost.
   * @throws Fault `switch_busy`, `storage_unavailable`
   */
  hold<Result>(call: Call, work: (heldCall: Call) => Promise<Result>): Promise<Result>;
}

const leaseName = 'dirsync/lock.json';
/** For one who will be done soon. */
const patienceMs = 5_000;

export function createSwitchLock(dependencies: { leases: Leases; clock: Clock; random: () => number }): SwitchLock {
  const { leases, clock, random } = dependencies;
  return {
    hold: async (call, work) => {
      const giveUpAtMs = clock.now() + patienceMs;
      for (;;) {
        const lease = await leases.acquire(leaseName, call);
        if (lease !== null) return whileHeld(lease, call, work);
        const pauseMs = leasePauseMs(random());
        if (clock.now() + pauseMs >= giveUpAtMs || pauseMs >= call.deadline.remainingMs()) throw switchBusy();
        await clock.sleep(pauseMs, call.deadline.signal);
      }
    },
  };
}

function switchBusy(): Fault {
  return new Fault('switch_busy', {
    detail: 'Another request is switching, or reading the phones for a switch, right now; nothing was written.',
    fix: 'Repeat the request in some seconds.',
  });
}

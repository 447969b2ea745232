import type { Call } from '../../call.ts';
import type { Clock } from '../../clock.ts';
import { leasePauseMs, whileHeld } from '../../store/leaseHold.ts';
import type { Leases } from '../../store/leases.ts';
import { userBusy } from './repairStore.ts';

export interface UserLock {
  /**
   * Runs `work` while nobody else writes to the user. Its call ends when the hold is lost.
   * @param waitMs how long to wait for somebody else to be done
   * @throws Fault `user_busy`, `storage_unavailable`
   */
  hold<Result>(
    userId: string,
    waitMs: number,
    call: Call,
    work: (heldCall: Call, lost: AbortSignal) => Promise<Result>,
  ): Promise<Result>;
}

export function createUserLock(dependencies: { leases: Leases; clock: Clock; random: () => number }): UserLock {
  const { leases, clock, random } = dependencies;
  return {
    hold: async (userId, waitMs, call, work) => {
      const giveUpAtMs = clock.now() + waitMs;
      for (;;) {
        const lease = await leases.acquire(`users/${userId.toLowerCase()}.json`, call);
        if (lease !== null) return whileHeld(lease, call, (heldCall) => work(heldCall, lease.lost));
        const pauseMs = leasePauseMs(random());
        if (clock.now() + pauseMs >= giveUpAtMs || pauseMs >= call.deadline.remainingMs()) throw userBusy();
        await clock.sleep(pauseMs, call.deadline.signal);
      }
    },
  };
}

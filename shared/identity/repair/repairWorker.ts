import type { Call } from '../../call.ts';
import type { Clock } from '../../clock.ts';
import { isFault } from '../../errors.ts';
import type { Retention, Revival } from '../../operations/sweeper.ts';
import type { Queues } from '../../store/queues.ts';
import type { HeldUser, RepairEngine } from './engine.ts';
import type { Repair } from './repair.ts';
import type { RepairStore } from './repairStore.ts';
import { addressRemarks, endOf } from './repairTexts.ts';

/** Sees to repairs that nobody else sees to, and looks again at those that have ended. */
export interface RepairWorker {
  /** Queues those that are due; returns how many. */
  readonly revival: Revival;
  readonly retention: Retention;
  /** Goes on with the repair that a message names. @throws whatever is no Fault: a defect, which counts towards poison */
  run(message: unknown, call: Call): Promise<void>;
  /** For a message that was given up: the next sweep queues its repair again. */
  giveUp(message: unknown, call: Call): Promise<void>;
}

/** `{userId, repairId}` */
const repairQueue = 'repairs';
/** Whoever still holds the user then is alive: the lease of one who died has ended (15 s). */
const patienceMs = 16_000;
/** An open repair goes on by messages of its operation; one that none has come for is everybody's. */
const silenceMs = 5 * 60_000;
const removedAtOnce = 100;
const dayMs = 24 * 3_600_000;

export function createRepairWorker(
  dependencies: { repairEngine: RepairEngine; repairs: RepairStore; queues: Pick<Queues, 'send'>; clock: Clock },
  retentionDays: number,
): RepairWorker {
  const { repairEngine, repairs, queues, clock } = dependencies;

  function isDue({ phase, updatedAtMs, record, lookAgainAtMs }: Repair): boolean {
    if (phase === 'ended') return lookAgainAtMs !== null && lookAgainAtMs <= clock.now();
    return clock.now() - Math.max(updatedAtMs, record.notBeforeMs) > silenceMs;
  }

  return {
    revival: {
      name: 'repairs',
      revive: async (call) => {
        const due = (await repairs.pending(clock.now(), call)).filter(isDue);
        for (const { userId, repairId } of due) await queues.send(repairQueue, { userId, repairId }, call);
        return due.length;
      },
    },

    retention: {
      name: 'repair retention',
      removeExpired: async (call) => {
        const settled = await repairs.settledBefore(clock.now() - retentionDays * dayMs, removedAtOnce, call);
        for (const repair of settled) await repairs.remove(repair, call);
        return settled.length;
      },
    },

    run: async (message, call) => {
      const { userId, repairId } = readMessage(message);
      const repair = userId === null ? null : await repairEngine.last(userId, call);
      if (repair?.repairId !== repairId || !isDue(repair)) {
        call.log.info({ event: 'repair_skipped', requestId: call.requestId, repairId });
        return;
      }
      const ofRepair = { ...call, operationId: repair.operationId };
      try {
        const resume = (held: HeldUser) => held.resume(repair.repairId);
        const turn = await repairEngine.hold(repair.userId, patienceMs, ofRepair, resume);
        if (turn?.type === 'ended') tellWhatIsNew(repair, turn.repair, call);
      } catch (error) {
        if (!isFault(error)) throw error;
        // Still due: the next sweep queues it again.
        call.log.warn({ event: 'repair_put_off', requestId: call.requestId, repairId, code: error.code });
      }
    },

    giveUp: (message, call) => {
      const { userId, repairId } = readMessage(message);
      call.log.error({ event: 'repair_poisoned', requestId: call.requestId, userId, repairId });
      return Promise.resolve();
    },
  };
}

/** Whoever asked for the repair has had an answer by now: what has come since is in the log. */
function tellWhatIsNew(looked: Repair, found: Repair, { log, requestId }: Pick<Call, 'log' | 'requestId'>): void {
  const { repairId, operationId, userId, record } = found;
  const known = new Set(addressRemarks(looked));
  const isWritten = record.last?.atMs !== looked.record.last?.atMs;
  const news = [
    ...(isWritten || record.ended !== looked.record.ended ? [endOf(found).message] : []),
    ...addressRemarks(found).filter((remark) => !known.has(remark)),
  ];
  if (news.length === 0) return;
  const { userPrincipalName } = record.before;
  const message = news.join(' ');
  log.warn({ event: 'repair_found_changed', requestId, repairId, operationId, userId, userPrincipalName, message });
}

function readMessage(message: unknown): { userId: string | null; repairId: string | null } {
  const field = (name: string): string | null => {
    const value = typeof message === 'object' && message !== null ? (Reflect.get(message, name) as unknown) : null;
    return typeof value === 'string' ? value : null;
  };
  return { userId: field('userId'), repairId: field('repairId') };
}

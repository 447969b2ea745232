import type { Call } from '../../call.ts';
import type { OperationChange } from '../../operations/operationStore.ts';
import type { OperationRunner, Step } from '../../operations/runner.ts';
import type { RepairEngine } from './engine.ts';
import type { RepairTurn } from './repair.ts';
import { fixOf } from './repairAnswer.ts';
import { addressRemarks, endOf } from './repairTexts.ts';

/** Whoever still holds the user then is alive: the lease of one who died has ended (15 s). */
const patienceMs = 16_000;

/** Brings a repair to its end when the request that began it could not. */
export function createRepairOperations({ repairEngine }: { readonly repairEngine: RepairEngine }): OperationRunner {
  return {
    type: 'repairImmutableId',

    hold: ({ targetId }, call, work) =>
      repairEngine.hold(targetId, patienceMs, call, (held) =>
        work({
          call: held.call,
          lost: held.lost,
          next: async ({ operationId }) => {
            const repair = await repairEngine.last(targetId, held.call);
            const turn = repair?.operationId === operationId ? await held.resume(repair.repairId) : null;
            return turn === null ? neverBegun : stepOf(turn, held.call);
          },
          letGo: () => Promise.resolve(),
        }),
      ),

    settle: () => Promise.resolve({}),

    summary: ({ message }) => message,
  };
}

/** What an operation says after a turn of its repair; whoever stores it has a worker go on at `dueAtMs`. */
export function changeAfter(turn: RepairTurn): OperationChange {
  const { repair } = turn;
  if (turn.type === 'ended') {
    const { isOk, code, message, fix } = endOf(repair);
    const endedAtMs = repair.endedAtMs ?? repair.updatedAtMs;
    return { state: isOk ? 'succeeded' : 'failed', endedAtMs, code: isOk ? null : code, message, fix };
  }
  const { attention } = repair;
  const { untilMs: dueAtMs } = turn;
  const name = repair.record.before.userPrincipalName;
  if (attention === null) {
    const message = `The repair of ${name} goes on by itself.`;
    return { state: 'running', dueAtMs, code: 'not_replicated', message, fix: null };
  }
  return { state: 'needs_attention', dueAtMs, code: 'needs_attention', message: attention, fix: fixOf(repair) };
}

/** What a caller should know beside the outcome. */
export function warnOfAddresses({ repair }: RepairTurn, call: Pick<Call, 'warn'>): void {
  for (const remark of addressRemarks(repair)) call.warn(remark);
}

function stepOf(turn: RepairTurn, call: Call): Step {
  warnOfAddresses(turn, call);
  const change = changeAfter(turn);
  if (turn.type === 'ended') {
    return { type: 'ended', change, state: change.state === 'succeeded' ? 'succeeded' : 'failed', fault: null };
  }
  const code = turn.repair.attention === null ? 'not_replicated' : 'needs_attention';
  return { type: 'wait', change, untilMs: turn.untilMs, code, why: change.message ?? '' };
}

/** Its request ended before the end state was stored, and so before the first write. */
const neverBegun: Step = {
  type: 'ended',
  change: {
    code: 'not_attempted',
    message: 'The request ended before anything was written; another repair may have followed it.',
    fix: 'Repeat the request if the user is not as it should be.',
  },
  state: 'failed',
  fault: null,
};

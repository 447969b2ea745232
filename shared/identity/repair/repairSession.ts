import type { Call } from '../../call.ts';
import { isFault } from '../../errors.ts';
import { refuseWhenLost } from '../../operations/runner.ts';
import { undoText } from './repairTexts.ts';
import type { Repair, RepairStepRow } from './repair.ts';
import type { RepairChange, RepairStore, StoredRepair } from './repairStore.ts';

/** One turn of a repair by the one who holds the user. */
export interface RepairSession {
  readonly repair: Repair;
  readonly call: Call;
  /** Stores a change, and `rows` beside the steps so far. @throws Fault `user_busy`, `deadline_exceeded`, storage faults */
  save(change: RepairChange): Promise<Repair>;
}

export function openSession(repairs: RepairStore, opened: StoredRepair, lost: AbortSignal, call: Call): RepairSession {
  let stored = opened;
  return {
    get repair() {
      return stored.repair;
    },
    call,
    save: async (change) => {
      refuseWhenLost(lost);
      try {
        stored = await repairs.save(stored, change, call.proving());
        return stored.repair;
      } catch (error) {
        if (isFault(error, 'storage_unavailable') && isInTheMiddle(stored.repair)) {
          // What cannot be stored is not written: the user stays out meanwhile, and nobody could tell but the log.
          tellAttention(stored.repair, call, 'The storage account is unreachable in the middle of a repair.');
        }
        throw error;
      }
    },
  };
}

/** Away in Entra, or perhaps not assigned in Okta. */
function isInTheMiddle({ record, okta, oktaState, phase }: Repair): boolean {
  return record.awaySinceMs !== null || (okta !== null && oktaState !== null && phase !== 'ended');
}

/**
 * Never silent: each turn that leaves a repair so says so, as an error that an alert can be set on, with what a person
 * would send to have the user as before.
 */
export function tellAttention(repair: Repair, call: Call, reason: string | null = repair.attention): void {
  if (reason === null) return;
  call.log.error({
    event: 'repair_needs_attention',
    requestId: call.requestId,
    repairId: repair.repairId,
    operationId: repair.operationId,
    userId: repair.userId,
    userPrincipalName: repair.record.before.userPrincipalName,
    reason,
    undo: undoText(repair),
  });
}

/** Of a row whose write was sent, and nothing is known of since. */
export const sentCode = 'outcome_unknown';
/** A user whose way home is refused for days must not make the row grow. */
const maxSteps = 40;
const firstSteps = 10;

/** With one more row, in place of the one that said that it was sent; the same again in a row counts once. */
export function withStep(steps: readonly RepairStepRow[], row: RepairStepRow): readonly RepairStepRow[] {
  const isSame = (last: RepairStepRow | undefined, code: string) => last?.step === row.step && last.code === code;
  const told = isSame(steps.at(-1), sentCode) ? steps.slice(0, -1) : steps;
  const added = [...(isSame(told.at(-1), row.code) ? told.slice(0, -1) : told), row];
  return added.length <= maxSteps ? added : [...added.slice(0, firstSteps), ...added.slice(firstSteps + 1)];
}

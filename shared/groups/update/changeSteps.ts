import { type Fault, isFault } from '../../errors.ts';
import { type ChangeRow, type SettingDifference, wasNotSet, wasSet } from './groupChange.ts';

/** Settings that are written together. */
export interface ChangeStep {
  readonly differences: readonly SettingDifference[];
  /** @throws Fault when nothing of it was written, or may have been: `outcome_unknown` */
  readonly write: () => Promise<StepEnd>;
}

type Reason = Pick<Fault, 'code' | 'message'>;

/** `partly`: some of it was written before the fault. */
export type StepEnd = { readonly type: 'done' } | { readonly type: 'partly'; readonly fault: Fault };

/**
 * Takes the steps in order, until one fails. What of them is done and what is not is told row by row.
 * @throws Fault of the first step when nothing was written by it: then there is nothing to tell but the fault
 */
export async function takeSteps(steps: readonly ChangeStep[]): Promise<ChangeRow[]> {
  const rows = new Map<string, ChangeRow>();
  let failure: Fault | null = null;
  for (const [index, { differences, write }] of steps.entries()) {
    let reason: Reason | null = failure === null ? null : notAttempted(failure);
    if (failure === null) reason = failure = await take(write, index === 0);
    for (const difference of differences) {
      const row = reason === null ? wasSet(difference) : wasNotSet(difference, reason);
      // A setting that takes two steps is set when both are done.
      if ((rows.get(difference.field)?.outcome ?? 'set') === 'set') rows.set(difference.field, row);
    }
  }
  return [...rows.values()];
}

/** What went wrong; null when nothing. */
async function take(write: ChangeStep['write'], isFirst: boolean): Promise<Fault | null> {
  try {
    const end = await write();
    return end.type === 'done' ? null : end.fault;
  } catch (error) {
    if (isFirst || !isFault(error)) throw error;
    return error;
  }
}

function notAttempted(failure: Fault): Reason {
  return { code: 'not_attempted', message: `It was not tried, since a change before it failed: ${failure.message}` };
}

import type { Audit, Intent } from '../audit/audit.ts';
import type { Call } from '../call.ts';
import { type Fault, isFault } from '../errors.ts';
import { sendOnce, type WriteOutput } from './openWrite.ts';

/** A write that ensures a state of one object: what is missing can be told from what is there. */
export interface StateWrite<State, Change> {
  /** The cmdlet, or the method and path, as the audit names it. */
  readonly operation: string;
  /** `group` when absent. */
  readonly targetType?: Intent['targetType'];
  readonly targetId: string;
  readonly targetName: string;
  /** What of the state asked for is missing; null when nothing. Pure. */
  missing(state: State): Change | null;
  send(change: Change, call: Call): Promise<WriteOutput>;
  /** The state as it is now; null when it is not shown. */
  read(call: Call): Promise<State | null>;
  /** What the audit shall say of a state that `change` is for. Pure. */
  describe(state: State, change: Change): unknown;
}

/**
 * Sends what is missing, and nothing else; the state as it was read then. A lost answer is read back, and what is then
 * still missing is sent once more (docs/decisions/a-lost-answer-is-read-back.md).
 * @throws Fault `outcome_unknown` when a second answer was lost too, or time was up before it
 */
export async function ensureState<State, Change>(
  write: StateWrite<State, Change>,
  state: State,
  audit: Audit,
  call: Call,
): Promise<State> {
  let current = state;
  let lastFault: Fault | null = null;
  for (;;) {
    const missing = write.missing(current);
    if (missing === null) return current;
    if (lastFault !== null && call.deadline.signal.aborted) throw lastFault;
    const isLastTry = lastFault !== null;
    const before = current;
    const { operation, targetType = 'group', targetId, targetName } = write;
    const intent = {
      operation,
      targetType,
      targetId,
      targetName,
      before: write.describe(before, missing),
      planned: missing,
    };
    const { after, openFault } = await audit.record(intent, call, async () => {
      const sent = await sendOnce(() => write.send(missing, call), call);
      const after = await readBack(write, before, call.proving());
      // A clear answer proves the write even where the read-back still lags; a lost one is proven by it alone.
      const isProven = sent.openFault === null || write.missing(after) === null;
      if (!isProven && isLastTry) throw sent.openFault;
      const { upstreamRequestId } = sent;
      const openFault = isProven ? null : sent.openFault;
      const state = isProven ? ('succeeded' as const) : ('unknown' as const);
      return { result: { after, openFault }, state, after: write.describe(after, missing), upstreamRequestId };
    });
    current = after;
    lastFault = openFault;
    if (openFault === null) return current;
  }
}

/** The state as it is now, or as it was when that cannot be read: a failed proof is no failed write. */
async function readBack<State, Change>(write: StateWrite<State, Change>, before: State, call: Call): Promise<State> {
  try {
    return (await write.read(call)) ?? before;
  } catch (error) {
    if (isFault(error)) return before;
    throw error;
  }
}

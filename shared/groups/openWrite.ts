import type { Call } from '../call.ts';
import { type Fault, isFault } from '../errors.ts';
import type { Output } from '../exchange/answers.ts';

/** What Graph says to a write has no warnings. */
export type WriteOutput = Pick<Output, 'requestId'> & Partial<Pick<Output, 'warnings'>>;

/** What came of sending one write. */
export interface Sent<Answer extends WriteOutput = Output> {
  readonly upstreamRequestId: string | null;
  /** What was put out; null when the answer was lost. */
  readonly output: Answer | null;
  /** The write may or may not have been carried out: what can be read back decides (design §6.3). null: it was. */
  readonly openFault: Fault | null;
}

/** Sends a write once. Exchange's warnings go into the reply. @throws Fault when it was surely not carried out */
export async function sendOnce<Answer extends WriteOutput>(
  write: () => Promise<Answer>,
  call: Call,
): Promise<Sent<Answer>> {
  try {
    const output = await write();
    for (const warning of output.warnings ?? []) call.warn(warning);
    return { upstreamRequestId: output.requestId, output, openFault: null };
  } catch (error) {
    if (!isFault(error, 'outcome_unknown')) throw error;
    return { upstreamRequestId: error.upstreamRequestId, output: null, openFault: error };
  }
}

import { type Fault, isFault } from '../../errors.ts';
import { type GraphErrorKind, GraphFault } from '../../graph/errors.ts';
import type { Refusal, WriteAnswer } from '../repairRecord.ts';

/** What a fault of a write means to a repair. Pure. @throws what is no Fault: a defect */
export function answerOf(error: unknown): WriteAnswer {
  if (!isFault(error)) throw error;
  const { message } = error;
  if (isFault(error, 'outcome_unknown')) return { type: 'lost', message };
  const why = error instanceof GraphFault ? refusalOf(error) : null;
  if (why !== null) return { type: 'refused', why, message };
  // Throttled, no token, no connection: it was never carried out (shared/upstream).
  return { type: 'throttled', waitMs: waitMsOf(error) };
}

export function waitMsOf({ retryAfterSeconds }: Fault): number {
  return (retryAfterSeconds ?? 0) * 1_000;
}

const refusals: Readonly<Partial<Record<GraphErrorKind, Refusal>>> = {
  propertyConflict: 'conflict',
  onPremisesMastered: 'synced',
  forbidden: 'forbidden',
  managementRestricted: 'forbidden',
  notFound: 'missing',
};

/** null: Graph did not judge the write, but who sends it. */
function refusalOf({ kind, message }: GraphFault): Refusal | null {
  if (kind === 'unauthorized') return null;
  // graph.md §2.2
  const isInvalid = /invalid value specified for property/i.test(message);
  return refusals[kind] ?? (isInvalid ? 'invalid' : 'other');
}

/** Whether a request changes something. A lost answer to a write leaves its outcome open; one to a read costs nothing. */
export type Effect = 'read' | 'write';

/** How one attempt ended, as far as a repeat is concerned. */
export type Ending =
  /** 429, or Exchange's concurrency text: refused before anything was done. */
  | { readonly type: 'throttled'; readonly retryAfterMs: number | null }
  /** No connection was made: nothing was sent. */
  | { readonly type: 'notSent' }
  /** The request went out and no usable answer came back: connection lost, 5xx, 408, a gateway's page. */
  | { readonly type: 'unanswered' }
  /** An answer that stands, good or bad. */
  | { readonly type: 'answered' };

export type Decision =
  | { readonly type: 'deliver' }
  | { readonly type: 'retry'; readonly afterMs: number }
  /** Give up; the caller learns how long to wait where that is known. */
  | { readonly type: 'giveUp'; readonly afterMs: number | null };

interface RetryRule {
  readonly attempts: number;
  readonly effects: readonly Effect[];
}

/**
 * Which endings may be repeated, as data. A write is repeated only when it is certain that it was not carried out
 * (design §6.3); `unanswered` writes go back to the caller, who reads back first.
 */
const retryRules: Readonly<Record<'throttled' | 'notSent' | 'unanswered', RetryRule>> = {
  // Bounded by the deadline, which the gate keeps; the number only ends what would never end.
  throttled: { attempts: 50, effects: ['read', 'write'] },
  notSent: { attempts: 3, effects: ['read', 'write'] },
  unanswered: { attempts: 4, effects: ['read'] },
};

const backoffBaseMs = 300;
const backoffCapMs = 8_000;

/**
 * Decides what follows an attempt. Pure: time and chance come in as numbers.
 * @param attempt how many attempts have been made, 1 or more
 * @param remainingMs until the deadline; a wait that would not end before it is not begun
 * @param chance in [0, 1), spreads the waits of callers that failed together
 */
export function decide(
  ending: Ending,
  state: { effect: Effect; attempt: number; remainingMs: number; chance: number },
): Decision {
  if (ending.type === 'answered') return { type: 'deliver' };
  const rule = retryRules[ending.type];
  const askedMs = ending.type === 'throttled' ? ending.retryAfterMs : null;
  if (!rule.effects.includes(state.effect) || state.attempt >= rule.attempts) {
    return { type: 'giveUp', afterMs: askedMs };
  }
  const afterMs = askedMs ?? backoffMs(state.attempt, state.chance);
  return afterMs < state.remainingMs ? { type: 'retry', afterMs } : { type: 'giveUp', afterMs };
}

function backoffMs(attempt: number, chance: number): number {
  const ceilingMs = Math.min(backoffCapMs, backoffBaseMs * 2 ** attempt);
  return Math.round(ceilingMs / 2 + (ceilingMs / 2) * chance);
}

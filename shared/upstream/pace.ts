/**
 * How fast one throttle scope may be called: pure decisions over a state; time comes in as a number.
 *
 * Three things bound a scope, each learned from the answers alone, since no upstream publishes all of its limits
 * (exchange.md §1.8, graph.md §7.1):
 * - a gate, closed until the wait that the upstream asked for is over;
 * - how many calls are under way at once: grows by one a round trip, halves when throttled (AIMD, models.md C3);
 * - a rate, once it can be known. Between two throttlings the upstream's allowance went from empty to empty, so what it
 *   let through in that time is its rate. What it saves up while the gate is closed may then be spent at once.
 */
export interface Pace {
  readonly openAtMs: number;
  readonly inFlight: number;
  /** Calls that may be under way at once; only its whole part counts. */
  readonly limit: number;
  /** Calls a millisecond; null until two throttlings have told. */
  readonly rate: number | null;
  /** What may be sent now under `rate`, as of `creditAtMs`. */
  readonly credit: number;
  readonly creditAtMs: number;
  /** When the upstream last began to throttle; null while it never has. */
  readonly throttledAtMs: number | null;
  /** The throttling from which the next rate is measured. */
  readonly emptySinceMs: number | null;
  /** Calls that it has let through since. */
  readonly passed: number;
  /** When a call last went out with nobody waiting behind it: then it is not the upstream that sets the pace. */
  readonly slackAtMs: number;
  readonly lastSentAtMs: number;
  /** Throttlings in a row without one call let through: spreads the waits when none is asked for. */
  readonly refusals: number;
}

export const startLimit = 6;
const minLimit = 1;
const maxLimit = 64;
/** The rate is probed upwards by this share of itself a second, at least by `minProbe` calls a second. */
const probeShare = 0.01;
const minProbePerSecond = 0.1;
/** One throttling may lower the rate to this share at most: a longer one tells less of it. */
const maxRateDrop = 0.6;
/** Calls let through that a measurement needs. */
const minPassed = 20;
/** Below the measured rate, so that small irregularities do not end in a refusal. */
const rateMargin = 0.97;
/** Credit that is kept back for the same reason. */
const reserve = 2;
/**
 * Added to the wait that was asked for: other instances of this app are throttled a moment later than we are, and a call
 * made before their wait is over is refused as well. Nothing is lost by it, since the upstream saves up meanwhile.
 */
export const gateMarginMs = 300;
const forgetAfterMs = 60_000;
const backoffBaseMs = 500;
const backoffCapMs = 30_000;

export function startPace(nowMs: number): Pace {
  return {
    openAtMs: nowMs,
    inFlight: 0,
    limit: startLimit,
    rate: null,
    credit: 0,
    creditAtMs: nowMs,
    throttledAtMs: null,
    emptySinceMs: null,
    passed: 0,
    slackAtMs: nowMs,
    lastSentAtMs: nowMs,
    refusals: 0,
  };
}

/** `go`: call now. Otherwise not before `untilMs`; null: not before a call that is under way has ended. */
export type Admission = { readonly type: 'go' } | { readonly type: 'wait'; readonly untilMs: number | null };

export function admit(pace: Pace, nowMs: number): Admission {
  if (nowMs < pace.openAtMs) return { type: 'wait', untilMs: pace.openAtMs };
  if (pace.inFlight >= Math.floor(pace.limit)) return { type: 'wait', untilMs: null };
  if (pace.rate === null) return { type: 'go' };
  const missing = 1 + reserve - creditAt(pace, nowMs);
  return missing <= 0 ? { type: 'go' } : { type: 'wait', untilMs: nowMs + Math.max(1, missing / pace.rate) };
}

/** A call goes out. @param isLast nobody waits behind it */
export function sent(pace: Pace, isLast: boolean, nowMs: number): Pace {
  return {
    ...pace,
    inFlight: pace.inFlight + 1,
    credit: creditAt(pace, nowMs) - 1,
    creditAtMs: nowMs,
    slackAtMs: isLast ? nowMs : pace.slackAtMs,
    lastSentAtMs: nowMs,
    // What was measured before a long rest says nothing any more.
    rate: nowMs - pace.lastSentAtMs > forgetAfterMs ? null : pace.rate,
  };
}

/** A call has ended without being throttled. */
export function passed(pace: Pace, nowMs: number): Pace {
  const isFull = pace.inFlight * 2 >= pace.limit;
  return {
    ...pace,
    inFlight: pace.inFlight - 1,
    passed: pace.passed + 1,
    refusals: 0,
    limit: isFull ? Math.min(maxLimit, pace.limit + 1 / pace.limit) : pace.limit,
    ...(pace.rate === null ? {} : { ...settled(pace, nowMs), rate: probed(pace.rate) }),
  };
}

/** A call has ended without an answer that says anything of throttling: a lost connection, a 5xx. */
export function lost(pace: Pace): Pace {
  return { ...pace, inFlight: pace.inFlight - 1 };
}

/**
 * A call was refused.
 * @param sentAtMs when it went out: calls that were under way when the gate closed belong to the same throttling
 * @param retryAfterMs what the upstream asks for; null when it says nothing
 * @param chance in [0, 1), spreads callers that were throttled together
 */
export function throttled(
  pace: Pace,
  call: { sentAtMs: number; retryAfterMs: number | null; chance: number },
  nowMs: number,
): Pace {
  const waitMs = call.retryAfterMs === null ? backoffMs(pace.refusals, call.chance) : call.retryAfterMs + gateMarginMs;
  const openAtMs = Math.max(pace.openAtMs, nowMs + waitMs);
  const inFlight = pace.inFlight - 1;
  const isSameThrottling = pace.throttledAtMs !== null && call.sentAtMs <= pace.throttledAtMs;
  if (isSameThrottling) return { ...pace, inFlight, openAtMs };
  return {
    ...pace,
    inFlight,
    openAtMs,
    limit: Math.max(minLimit, pace.limit / 2),
    credit: 0,
    creditAtMs: nowMs,
    throttledAtMs: nowMs,
    refusals: pace.refusals + 1,
    ...measured(pace, nowMs),
  };
}

/** The rate since the last measurement, where that tells anything, and where the next measurement begins. */
function measured(pace: Pace, nowMs: number): Pick<Pace, 'rate' | 'emptySinceMs' | 'passed'> {
  const begin = { emptySinceMs: nowMs, passed: 0 };
  // Without demand all the time, what was let through says what was asked for, not what was allowed.
  if (pace.emptySinceMs === null || pace.slackAtMs > pace.emptySinceMs) return { ...begin, rate: pace.rate };
  // Refused calls may count too: then the next throttling comes at once, and a handful of calls says nothing yet.
  if (pace.passed < minPassed) return { emptySinceMs: pace.emptySinceMs, passed: pace.passed, rate: pace.rate };
  const rate = (pace.passed / Math.max(1, nowMs - pace.emptySinceMs)) * rateMargin;
  return { ...begin, rate: Math.max(rate, (pace.rate ?? 0) * maxRateDrop) };
}

function creditAt(pace: Pace, nowMs: number): number {
  return pace.rate === null ? 0 : pace.credit + Math.max(0, nowMs - pace.creditAtMs) * pace.rate;
}

/** Credit so far at the old rate, before the rate changes. */
function settled(pace: Pace, nowMs: number): Pick<Pace, 'credit' | 'creditAtMs'> {
  return { credit: creditAt(pace, nowMs), creditAtMs: Math.max(nowMs, pace.creditAtMs) };
}

/** Called for each call let through, at `rate` a second: adds up to the share of a second. */
function probed(rate: number): number {
  const perSecond = rate * 1_000;
  return rate + Math.max(minProbePerSecond, perSecond * probeShare) / perSecond / 1_000;
}

function backoffMs(refusals: number, chance: number): number {
  const ceilingMs = Math.min(backoffCapMs, backoffBaseMs * 2 ** Math.min(refusals, 10));
  return Math.round(ceilingMs / 2 + (ceilingMs / 2) * chance);
}

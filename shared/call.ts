import { setMaxListeners } from 'node:events';
import type { Clock } from './clock.ts';

/** An absolute point in time, carried down as an AbortSignal. */
export interface Deadline {
  readonly signal: AbortSignal;
  /** Milliseconds left, never below 0. */
  remainingMs(): number;
}

/** What a log line may hold: flat values only, so that no object with a secret in it slips through. */
export type LogFields = Readonly<Record<string, string | number | boolean | null>>;

export interface Log {
  info(fields: LogFields): void;
  warn(fields: LogFields): void;
  error(fields: LogFields, cause?: unknown): void;
}

/**
 * One request on its way down: who asked, how long there is, where to log.
 * `deadline` ends the work; `proving()` gives the same call with the time that was kept back to read back what was
 * written (design §6.4).
 */
export interface Call {
  readonly requestId: string;
  readonly action: string;
  /** Of the operation that this is a part of; null for a request of its own. */
  readonly operationId: string | null;
  readonly deadline: Deadline;
  readonly log: Log;
  /** Adds a sentence to the reply's `warnings`: what did not fail the request and must not stay unsaid. */
  warn(sentence: string): void;
  proving(): Call;
}

export interface CallTimes {
  /** From the start of the request to the end of all synchronous work. */
  readonly totalMs: number;
  /** Kept back from `totalMs` for proofs. */
  readonly proofMs: number;
}

/** 25 s in all: below the 30 s after which an Okta Workflows card gives up (okta.md §2.1, inferred there). */
export const defaultCallTimes: CallTimes = { totalMs: 25_000, proofMs: 5_000 };

export function startCall(
  options: { requestId: string; action: string; log: Log; operationId?: string; times?: CallTimes },
  clock: Clock,
): Call & { readonly warnings: readonly string[]; end(): void } {
  const { totalMs, proofMs } = options.times ?? defaultCallTimes;
  const startedAtMs = clock.now();
  const work = startDeadline(startedAtMs + totalMs - proofMs, clock);
  const warnings: string[] = [];
  const warn = (sentence: string) => {
    if (!warnings.includes(sentence)) warnings.push(sentence);
  };
  const { requestId, action, log, operationId = null } = options;
  const base = { requestId, action, operationId, log, warn };
  let cancelProof: () => void = () => undefined;
  let provingCall: Call | null = null;
  /** Most calls read only, and have nothing to prove. */
  const proving = (): Call => {
    if (provingCall === null) {
      const proof = startDeadline(startedAtMs + totalMs, clock);
      cancelProof = () => proof.cancel();
      provingCall = { ...base, deadline: proof, proving };
    }
    return provingCall;
  };
  return {
    ...base,
    warnings,
    deadline: work,
    proving,
    end: () => {
      work.cancel();
      cancelProof();
    },
  };
}

/**
 * The same call with its work ended early when `signal` aborts; what has been written is proven and recorded all the same.
 * `end` stops listening.
 */
export function endedBy(call: Call, signal: AbortSignal): Call & { end(): void } {
  const work = joinDeadline(call.deadline, signal);
  return { ...call, deadline: work, end: () => work.end() };
}

/** The same call with its work ended after `ms` at the latest: whoever asks it to wait longer is told at once. */
export function limitedTo(call: Call, ms: number, clock: Clock): Call & { end(): void } {
  const limit = startDeadline(clock.now() + ms, clock);
  const work = joinDeadline(call.deadline, limit.signal);
  const remainingMs = () => Math.min(work.remainingMs(), limit.remainingMs());
  const end = () => {
    limit.cancel();
    work.end();
  };
  return { ...call, deadline: { signal: work.signal, remainingMs }, end };
}

/** Joined by hand: on Node.js 20 a signal of AbortSignal.any may be collected before it fires. */
function joinDeadline(deadline: Deadline, signal: AbortSignal): Deadline & { end(): void } {
  const controller = newController();
  const abort = () => controller.abort();
  const sources = [deadline.signal, signal];
  for (const source of sources) source.addEventListener('abort', abort);
  if (sources.some(({ aborted }) => aborted)) abort();
  return {
    signal: controller.signal,
    remainingMs: () => (controller.signal.aborted ? 0 : deadline.remainingMs()),
    end: () => {
      for (const source of sources) source.removeEventListener('abort', abort);
    },
  };
}

function startDeadline(expiresAtMs: number, clock: Clock): Deadline & { cancel(): void } {
  const controller = newController();
  const leftMs = expiresAtMs - clock.now();
  if (leftMs <= 0) controller.abort();
  const cancel = clock.after(Math.max(0, leftMs), () => controller.abort());
  return {
    signal: controller.signal,
    remainingMs: () => (controller.signal.aborted ? 0 : Math.max(0, expiresAtMs - clock.now())),
    cancel,
  };
}

/**
 * Many requests at once listen to one deadline, and `fetch` goes on listening until its request is garbage-collected:
 * Node.js would warn of a leak where there is none.
 */
function newController(): AbortController {
  const controller = new AbortController();
  setMaxListeners(0, controller.signal);
  return controller;
}

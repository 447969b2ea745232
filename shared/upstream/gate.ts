import type { Call } from '../call.ts';
import type { Clock } from '../clock.ts';
import { admit, gateMarginMs, lost, passed, sent, startPace, throttled } from './pace.ts';

/** The right to make one call; ends with exactly one of these. */
export interface Ticket {
  /** The upstream let the call through, whatever it answered. */
  passed(): void;
  /** No answer says anything of throttling. */
  lost(): void;
  throttled(retryAfterMs: number | null): void;
}

/** Why a call did not get its turn: it would have come after the call's deadline. */
export class NoTurn extends Error {
  override readonly name = 'NoTurn';
  /** Until the gate opens; 0 when it is open. */
  readonly afterMs: number;
  /** Calls that were waiting with this one. */
  readonly queued: number;
  /** How long they take to go at the pace of late; null when none went while this one waited. */
  readonly drainMs: number | null;

  constructor(found: { afterMs: number; queued: number; drainMs: number | null }) {
    super('the turn would come after the deadline');
    this.afterMs = found.afterMs;
    this.queued = found.queued;
    this.drainMs = found.drainMs;
  }
}

/** The one way to an upstream's throttle scope: all callers of this process pass through it, first come, first served. */
export interface Gate {
  /** Hands out the places in the queue; who tries again keeps its own. */
  place(): number;
  /** Resolves when it is this place's turn. @throws NoTurn, at once when that is known */
  enter(place: number, call: Call): Promise<Ticket>;
  /** How long the gate stays closed, in milliseconds; 0 when it is open. */
  closedForMs(): number;
  /** A part of a call was throttled though the call was not. */
  slowDown(retryAfterMs: number | null): void;
}

interface Waiter {
  readonly place: number;
  readonly call: Call;
  readonly sinceMs: number;
  /** How many calls had gone out by then. */
  readonly sinceCount: number;
  readonly resolve: (ticket: Ticket) => void;
  readonly reject: (reason: NoTurn) => void;
}

export function createGate(clock: Clock, random: () => number): Gate {
  let pace = startPace(clock.now());
  let nextPlace = 0;
  let count = 0;
  let waiters: Waiter[] = [];
  /** Of the pump that is due; null when none is. */
  let wake: AbortController | null = null;

  /** As long as the upstream asked for: our own margin is nothing to tell. */
  const closedForMs = () => Math.max(0, pace.openAtMs - gateMarginMs - clock.now());

  /** Lets in whoever may go, turns away whose turn would come too late, and looks again when that may change. */
  function pump(): void {
    wake?.abort();
    wake = null;
    if (waiters.length === 0) return;
    const tooLate = waiters.filter(({ call }) => call.deadline.remainingMs() <= closedForMs());
    if (tooLate.length > 0) waiters = waiters.filter((waiter) => !tooLate.includes(waiter));
    for (const waiter of tooLate) waiter.reject(noTurn(waiter, waiters.length + tooLate.length - 1));

    for (let next = waiters[0]; next !== undefined; next = waiters[0]) {
      const nowMs = clock.now();
      const admission = admit(pace, nowMs);
      if (admission.type === 'wait') {
        if (admission.untilMs !== null) pumpAfter(admission.untilMs - nowMs);
        return;
      }
      waiters.shift();
      pace = sent(pace, waiters.length === 0, nowMs);
      count += 1;
      next.resolve(ticketFor(nowMs));
    }
  }

  function noTurn({ sinceMs, sinceCount }: Waiter, queued: number): NoTurn {
    const went = count - sinceCount;
    const drainMs = went === 0 ? null : ((clock.now() - sinceMs) / went) * queued;
    return new NoTurn({ afterMs: closedForMs(), queued, drainMs });
  }

  function pumpAfter(ms: number): void {
    const own = new AbortController();
    wake = own;
    void clock.sleep(Math.max(1, ms), own.signal).then(() => {
      if (wake !== own) return;
      wake = null;
      pump();
    });
  }

  function ticketFor(sentAtMs: number): Ticket {
    const end = (change: () => void) => {
      change();
      pump();
    };
    return {
      passed: () => end(() => (pace = passed(pace, clock.now()))),
      lost: () => end(() => (pace = lost(pace))),
      throttled: (retryAfterMs) =>
        end(() => (pace = throttled(pace, { sentAtMs, retryAfterMs, chance: random() }, clock.now()))),
    };
  }

  return {
    place: () => nextPlace++,
    closedForMs,

    enter: (place, call) =>
      new Promise((resolve, reject) => {
        const leave = () => {
          waiters = waiters.filter((each) => each !== waiter);
          reject(noTurn(waiter, waiters.length));
        };
        const { signal } = call.deadline;
        const waiter: Waiter = {
          place,
          call,
          sinceMs: clock.now(),
          sinceCount: count,
          resolve: (ticket) => {
            signal.removeEventListener('abort', leave);
            resolve(ticket);
          },
          reject: (reason) => {
            signal.removeEventListener('abort', leave);
            reject(reason);
          },
        };
        const index = waiters.findIndex((each) => each.place > place);
        waiters.splice(index === -1 ? waiters.length : index, 0, waiter);
        pump();
        if (waiters.includes(waiter)) signal.addEventListener('abort', leave);
      }),

    slowDown: (retryAfterMs) => {
      const nowMs = clock.now();
      pace = throttled(sent(pace, true, nowMs), { sentAtMs: nowMs, retryAfterMs, chance: random() }, nowMs);
      pump();
    },
  };
}

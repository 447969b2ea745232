import type { Clock } from '../../shared/clock.ts';

export interface FakeClock extends Clock {
  /** Lets time pass, and everything happen that is due by then, in its order. */
  advance(ms: number): void;
  /** How many callbacks are waiting. */
  readonly pending: number;
}

/** Time that passes when told to. Whoever sleeps wakes at once, with the time gone by. */
export function createFakeClock(startMs = Date.parse('2026-11-20T12:00:00Z')): FakeClock {
  let nowMs = startMs;
  let timers: { atMs: number; callback: () => void }[] = [];
  const advance = (ms: number) => {
    const endMs = nowMs + ms;
    for (;;) {
      const [next] = timers.filter(({ atMs }) => atMs <= endMs).sort((a, b) => a.atMs - b.atMs);
      if (!next) break;
      timers = timers.filter((timer) => timer !== next);
      nowMs = Math.max(nowMs, next.atMs);
      next.callback();
    }
    nowMs = endMs;
  };
  return {
    now: () => nowMs,
    sleep: (ms) => {
      advance(ms);
      return Promise.resolve();
    },
    after: (ms, callback) => {
      const timer = { atMs: nowMs + ms, callback };
      timers.push(timer);
      return () => {
        timers = timers.filter((each) => each !== timer);
      };
    },
    advance,
    get pending() {
      return timers.length;
    },
  };
}

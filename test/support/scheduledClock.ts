import type { Clock } from '../../shared/clock.ts';

/** Time that passes only while nobody has anything else to do: many waits at once, in their order, in no real time. */
export interface ScheduledClock extends Clock {
  readonly elapsedMs: number;
  /** Lets time pass until `work` is done. */
  runUntil<Result>(work: Promise<Result>): Promise<Result>;
}

interface Timer {
  readonly atMs: number;
  readonly callback: () => void;
}

export function createScheduledClock(startMs = Date.parse('2026-11-20T12:00:00Z')): ScheduledClock {
  let nowMs = startMs;
  let timers: Timer[] = [];
  const after = (ms: number, callback: () => void) => {
    const timer = { atMs: nowMs + ms, callback };
    timers.push(timer);
    return () => {
      timers = timers.filter((each) => each !== timer);
    };
  };
  return {
    now: () => nowMs,
    get elapsedMs() {
      return nowMs - startMs;
    },
    after,
    sleep: (ms, signal) =>
      new Promise((resolve) => {
        const cancel = after(ms, resolve);
        signal.addEventListener('abort', () => {
          cancel();
          resolve();
        });
      }),
    runUntil: async (work) => {
      const state = { isDone: false };
      const end = () => {
        state.isDone = true;
      };
      work.then(end, end);
      for (;;) {
        // All that follows from what has happened, before time goes on.
        await new Promise((resolve) => setImmediate(resolve));
        if (state.isDone) return work;
        const next = timers.reduce<Timer | null>(
          (first, each) => (first && first.atMs <= each.atMs ? first : each),
          null,
        );
        if (next === null) throw new Error('nothing is left that could end this');
        timers = timers.filter((each) => each !== next);
        nowMs = Math.max(nowMs, next.atMs);
        next.callback();
      }
    },
  };
}

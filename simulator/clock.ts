import { setTimeout as delay } from 'node:timers/promises';

export interface Clock {
  now(): number;
  /** Time as it passes, without the control API's leaps: for spans. */
  elapsed(): number;
  /** Waits until that much has elapsed. */
  untilElapsed(ms: number): Promise<void>;
  advance(ms: number): void;
  set(now: number): void;
  reset(): void;
}

/** The simulator's time: the base clock, `speed` times as fast, plus what the control API moved it by. */
export function createClock(base: () => number = Date.now, speed = 1): Clock {
  const startedAt = base();
  const running = () => startedAt + (base() - startedAt) * speed;
  let offset = 0;
  return {
    now: () => running() + offset,
    elapsed: running,
    untilElapsed: async (ms) => {
      const leftMs = (ms - running()) / speed;
      if (leftMs > 0) await delay(leftMs);
    },
    advance: (ms) => {
      offset += ms;
    },
    set: (now) => {
      offset = now - running();
    },
    reset: () => {
      offset = 0;
    },
  };
}

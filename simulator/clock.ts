import { setTimeout as delay } from 'node:timers/promises';

export interface Clock {
  now(): number;
  /** Waits so long by this clock; the control API's leaps do not shorten it. */
  sleep(ms: number): Promise<void>;
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
    sleep: (ms) => delay(ms / speed),
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

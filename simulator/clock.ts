export interface Clock {
  now(): number;
  advance(ms: number): void;
  set(now: number): void;
  reset(): void;
}

/** The simulator's time: the base clock plus what the control API moved it by. */
export function createClock(base: () => number = Date.now): Clock {
  let offset = 0;
  return {
    now: () => base() + offset,
    advance: (ms) => {
      offset += ms;
    },
    set: (now) => {
      offset = now - base();
    },
    reset: () => {
      offset = 0;
    },
  };
}

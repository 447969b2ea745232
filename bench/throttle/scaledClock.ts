import { type Clock, systemClock } from '../../shared/clock.ts';

/** The system's clock, `speed` times as fast: Retry-After, round trips and our own waits all pass by it. */
export function scaledClock(speed: number): Clock {
  const startedAtMs = Date.now();
  const started = performance.now();
  return {
    now: () => startedAtMs + (performance.now() - started) * speed,
    sleep: (ms, signal) => systemClock.sleep(ms / speed, signal),
    after: (ms, callback) => systemClock.after(ms / speed, callback),
  };
}

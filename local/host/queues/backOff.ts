export interface BackOff {
  /** How long to wait before the next look. @param hasFound whether there was anything since the last wait */
  nextMs(hasFound: boolean): number;
}

const minimumMs = 100;
const randomization = 0.2;

/** RandomizedExponentialBackoffStrategy.cs of azure-sdk-for-net, with its 100 ms to begin with. */
export function createBackOff(maximumMs: number, random: () => number = Math.random): BackOff {
  let exponent = 0;
  return {
    nextMs: (hasFound) => {
      if (hasFound) exponent = 0;
      const factor = 1 - randomization + 2 * randomization * random();
      const growthMs = exponent === 0 ? 0 : factor * 2 ** (exponent - 1) * minimumMs;
      const waitMs = Math.min(minimumMs + growthMs, maximumMs);
      if (waitMs < maximumMs) exponent += 1;
      return waitMs;
    },
  };
}

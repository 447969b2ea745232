/**
 * Keeps retries from adding to an outage: each retry of a failed call takes one, each call that is answered gives a
 * little back, and with nothing left calls fail at once (the idea of gRPC's retry throttling, models.md A2). Waiting
 * for a throttle gate takes nothing: the upstream itself has asked for that retry.
 */
export interface RetryBudget {
  /** Takes one, if there is one. */
  take(): boolean;
  giveBack(): void;
}

const maxRetries = 20;
const givenBackPerAnswer = 0.2;

export function createRetryBudget(): RetryBudget {
  let left = maxRetries;
  return {
    take: () => {
      if (left < 1) return false;
      left -= 1;
      return true;
    },
    giveBack: () => {
      left = Math.min(maxRetries, left + givenBackPerAnswer);
    },
  };
}

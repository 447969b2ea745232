import type { Clock } from '../clock.ts';
import type { Upstream } from './upstream.ts';

/** A token bucket: how many calls an upstream takes, and what it says to the others. Off unless it is set. */
export interface RateLimit {
  readonly upstream: 'graph' | 'exchange';
  /** Both together where it is absent. */
  readonly effect?: Effect;
  readonly ratePerSecond: number;
  readonly burst: number;
  /** What Retry-After says. */
  readonly seconds: number;
  readonly retryAfter?: 'seconds' | 'date' | 'absent';
  /**
   * A refusal shuts the limit for `seconds`: a call made before they end is refused, whatever the bucket holds. Each
   * refused call takes from the bucket like any other, down to a debt of `burst`.
   */
  readonly refusedCallsCount?: boolean;
  /** An early call also begins the `seconds` anew. */
  readonly earlyCallsExtend?: boolean;
}

export type Effect = 'read' | 'write';

interface Bucket {
  tokens: number;
  filledAtMs: number;
  shutUntilMs: number;
}

/** A limit that is put anew starts full: its bucket belongs to the object, not to its values. */
export class Limits {
  readonly #clock: Clock;
  readonly #limits: () => readonly RateLimit[];
  readonly #buckets = new WeakMap<RateLimit, Bucket>();

  constructor(clock: Clock, limits: () => readonly RateLimit[]) {
    this.#clock = clock;
    this.#limits = limits;
  }

  /** The limit that refuses this call; null where it may pass, and then each limit it is under has counted it. */
  refusal(upstream: Upstream, effect: Effect): RateLimit | null {
    const now = this.#clock.now();
    const over = this.#limits().filter(
      (limit) => limit.upstream === upstream && (limit.effect === undefined || limit.effect === effect),
    );
    for (const limit of over) {
      const bucket = this.#filled(limit, now);
      if (now >= bucket.shutUntilMs && bucket.tokens >= 1) continue;
      if (limit.refusedCallsCount) {
        if (now >= bucket.shutUntilMs || limit.earlyCallsExtend) bucket.shutUntilMs = now + limit.seconds * 1000;
        bucket.tokens = Math.max(-limit.burst, bucket.tokens - 1);
      }
      return limit;
    }
    for (const limit of over) this.#filled(limit, now).tokens -= 1;
    return null;
  }

  #filled(limit: RateLimit, now: number): Bucket {
    const { ratePerSecond, burst } = limit;
    const bucket = this.#buckets.get(limit) ?? { tokens: burst, filledAtMs: now, shutUntilMs: -Infinity };
    this.#buckets.set(limit, bucket);
    // Backwards only where the control API set the clock back: that fills nothing.
    const passedMs = Math.max(0, now - bucket.filledAtMs);
    bucket.tokens = Math.min(burst, bucket.tokens + (passedMs / 1000) * ratePerSecond);
    bucket.filledAtMs = now;
    return bucket;
  }
}

import type { OrgSettings } from './model.ts';

const WINDOW_MS = 60_000;

interface Window {
  startMs: number;
  used: number;
}

export interface Allowance {
  readonly isAllowed: boolean;
  readonly headers: Record<string, string>;
}

/** X-Rate-Limit-Limit, -Remaining and -Reset, in epoch seconds (okta.md §4). */
export const rateLimitHeaders = (limit: number, remaining: number, resetMs: number): Record<string, string> => ({
  'x-rate-limit-limit': String(limit),
  'x-rate-limit-remaining': String(remaining),
  'x-rate-limit-reset': String(Math.ceil(resetMs / 1000)),
});

/** Windows of a minute for each caller and bucket: facts.oktaRateLimits. */
export class RateLimits {
  readonly #windows = new Map<string, Window>();
  readonly #settings: OrgSettings;

  constructor(settings: OrgSettings) {
    this.#settings = settings;
  }

  count(caller: string, bucket: string, nowMs: number): Allowance {
    const { rateLimits } = this.#settings;
    const limit = rateLimits[bucket] ?? rateLimits.default ?? Infinity;
    const key = `${caller} ${bucket}`;
    const former = this.#windows.get(key);
    // Backwards only where the control API set the clock back.
    const isOver = !former || nowMs >= former.startMs + WINDOW_MS || nowMs < former.startMs;
    const window = isOver ? { startMs: nowMs, used: 0 } : former;
    window.used += 1;
    this.#windows.set(key, window);
    return {
      isAllowed: window.used <= limit,
      headers: rateLimitHeaders(limit, Math.max(0, limit - window.used), window.startMs + WINDOW_MS),
    };
  }
}

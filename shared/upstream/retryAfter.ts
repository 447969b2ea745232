/**
 * How long an upstream asks us to wait, in milliseconds; null when it does not say.
 * `Retry-After` in seconds or as an HTTP date (RFC 9110 §10.2.3); Okta says it as `X-Rate-Limit-Reset` in epoch
 * seconds, to which its own SDK adds a second (okta.md §4). Both dates are taken relative to the answer's own `Date`
 * header, so that a wrong clock here does not matter.
 */
export function readRetryAfterMs(headers: Headers, nowMs: number): number | null {
  const serverNowMs = parseDate(headers.get('date')) ?? nowMs;
  const retryAfter = headers.get('retry-after')?.trim();
  if (retryAfter !== undefined && retryAfter !== '') {
    if (/^\d+(\.\d+)?$/.test(retryAfter)) return Math.ceil(Number(retryAfter) * 1000);
    const atMs = parseDate(retryAfter);
    if (atMs !== null) return Math.max(0, atMs - serverNowMs);
  }
  const reset = headers.get('x-rate-limit-reset')?.trim();
  if (reset !== undefined && /^\d+$/.test(reset)) return Math.max(0, Number(reset) * 1000 - serverNowMs) + 1000;
  return null;
}

function parseDate(text: string | null): number | null {
  if (text === null) return null;
  const ms = Date.parse(text);
  return Number.isNaN(ms) ? null : ms;
}

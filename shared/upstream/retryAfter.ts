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

/**
 * The three forms of an HTTP date (RFC 9110 §5.6.7). The last says no zone, and Date.parse would take ours; what is none
 * of them is often a date to Date.parse all the same ("-5" is in 2001), and so no wait at all.
 */
const httpDates: readonly [RegExp, string][] = [
  [/^[a-z]{3}, \d{2} [a-z]{3} \d{4} \d{2}:\d{2}:\d{2} GMT$/i, ''],
  [/^[a-z]{6,9}, \d{2}-[a-z]{3}-\d{2} \d{2}:\d{2}:\d{2} GMT$/i, ''],
  [/^[a-z]{3} [a-z]{3} [ \d]\d \d{2}:\d{2}:\d{2} \d{4}$/i, ' GMT'],
];

function parseDate(text: string | null): number | null {
  const zone = httpDates.find(([form]) => form.test(text ?? ''))?.[1];
  const ms = zone === undefined ? NaN : Date.parse(`${text}${zone}`);
  return Number.isNaN(ms) ? null : ms;
}

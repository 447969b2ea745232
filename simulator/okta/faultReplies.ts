import { json, type Reply } from '../http/message.ts';
import { rateLimitHeaders } from './limits.ts';

// What Okta answers where a fault stands in for it (okta.md §4).

const TOO_MANY = 'API call exceeded rate limit due to too many requests.';

/** The words for other statuses are facts.oktaFaultWords. */
export function oktaFaultBody(status: number, headers: Record<string, string> = {}): Reply {
  const [errorCode, errorSummary] = status === 429 ? ['E0000047', TOO_MANY] : ['E0000009', 'Internal Server Error'];
  const errorLink = errorCode;
  return json(status, { errorCode, errorSummary, errorLink, errorId: 'oaeSimulatedFault', errorCauses: [] }, headers);
}

const LIMIT = 600;

/** No Retry-After: the reset says when, in epoch seconds. */
export const oktaThrottled = (nowMs: number, seconds: number): Reply =>
  oktaFaultBody(429, rateLimitHeaders(LIMIT, 0, nowMs + seconds * 1000));

const SUGGESTED_MS = 1_000;

/** Too many calls at once: limit and remaining are 0, and the reset is only a suggestion. */
export const oktaConcurrency = (nowMs: number): Reply =>
  oktaFaultBody(429, rateLimitHeaders(0, 0, nowMs + SUGGESTED_MS));

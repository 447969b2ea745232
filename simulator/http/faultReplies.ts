import { CONCURRENCY_STATUS } from '../facts.ts';
import type { Fault } from './fault.ts';
import { throttleSeconds } from './faults.ts';
import { oktaConcurrency, oktaFaultBody, oktaThrottled } from '../okta/faultReplies.ts';
import { empty, json, text, type Reply } from './message.ts';
import type { Upstream } from './upstream.ts';

const NUL_BODY = '\0'.repeat(4096);

/** 403 of Exchange for what the principal may not do: exchange.md §1.7, E15. */
export const nulBody = (status = 403): Reply => ({ status, headers: {}, body: NUL_BODY });

const html = (status: number, title: string): Reply =>
  text(
    status,
    `<html><head><title>${title}</title></head><body><h2>Our services aren't available right now</h2></body></html>`,
    'text/html',
  );

const titles: Record<number, [code: string, message: string]> = {
  429: ['TooManyRequests', 'Please retry again later.'],
  500: ['InternalServerError', 'An internal server error occurred.'],
  502: ['BadGateway', 'Bad Gateway'],
  503: ['ServiceUnavailable', 'The service is temporarily unavailable.'],
  504: ['GatewayTimeout', 'The gateway did not receive a response in time.'],
};

function defaultBody(upstream: Upstream, status: number): Reply {
  const [code, message] = titles[status] ?? ['UnknownError', ''];
  if (status === 502) return html(status, message);
  if (upstream === 'okta') return oktaFaultBody(status);
  return json(status, { error: { code, message } });
}

/** 429, with Retry-After as it is asked for; Okta says it by headers of its own. */
export function throttled(
  upstream: Upstream,
  { seconds, retryAfter }: { seconds: number; retryAfter?: 'seconds' | 'date' | 'absent' | undefined },
  nowMs: number,
): Reply {
  if (upstream === 'okta') return oktaThrottled(nowMs, seconds);
  const reply = defaultBody(upstream, 429);
  if (retryAfter === 'absent') return reply;
  const value = retryAfter === 'date' ? new Date(nowMs + seconds * 1000).toUTCString() : String(seconds);
  return { ...reply, headers: { ...reply.headers, 'retry-after': value } };
}

function chosen(upstream: Upstream, fault: Extract<Fault, { kind: 'status' }>): Reply {
  const base = fault.body === undefined ? defaultBody(upstream, fault.status) : bodyOf(fault);
  return {
    ...base,
    headers: {
      ...base.headers,
      ...(fault.contentType ? { 'content-type': fault.contentType } : {}),
      ...Object.fromEntries(Object.entries(fault.headers ?? {}).map(([name, value]) => [name.toLowerCase(), value])),
    },
  };
}

const bodyOf = ({ status, body }: Extract<Fault, { kind: 'status' }>): Reply =>
  typeof body === 'string' ? text(status, body, body.startsWith('<') ? 'text/html' : 'text/plain') : json(status, body);

/** The answer that a fault puts in place of the real one; null where it leaves the real one. */
export function faultReply(upstream: Upstream, fault: Fault, nowMs: number): Reply | null {
  switch (fault.kind) {
    case 'status':
      return chosen(upstream, fault);
    case 'throttle':
      return throttled(upstream, { seconds: throttleSeconds(fault), retryAfter: fault.retryAfter }, nowMs);
    case 'empty':
      return empty(200);
    case 'nul':
      return nulBody(fault.status);
    case 'concurrency':
      if (upstream === 'okta') return oktaConcurrency(nowMs);
      return text(
        fault.status ?? CONCURRENCY_STATUS,
        'You have reached the maximum number of concurrent requests per tenant. Please wait and try again',
      );
    case 'landsLate':
      return fault.reset ? null : defaultBody(upstream, fault.status ?? 504);
    case 'reset':
    case 'commitThenReset':
    case 'slow':
    case 'batchParts':
    case 'foreignLink':
    case 'staleReads':
      return null;
  }
}

/** nextLink, or the Link header of Okta, on another host: a client that follows it sends its token there. */
export function withForeignLink(reply: Reply, host = 'graph.example.net'): Reply {
  const { link } = reply.headers;
  if (link !== undefined)
    return {
      ...reply,
      headers: {
        ...reply.headers,
        link: link.replace(/<https?:\/\/[^/>]+([^>]*)>; rel="next"/, `<https://${host}$1>; rel="next"`),
      },
    };
  const body = reply.body.toString().replace(/("@odata\.nextLink":")https?:\/\/[^/"]+/g, `$1https://${host}`);
  return { ...reply, body };
}

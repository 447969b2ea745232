import type { HttpRequest, HttpResponseInit } from '@azure/functions';
import { type Fault, faultTable } from '../errors.ts';

/** A caller that sends `x-outcome-mode: flow` gets refusals as outcomes, so that an Okta flow does not halt (design §5). */
export const outcomeModeHeader = 'x-outcome-mode';

/** Statuses that are decisions, not failures. */
const refusals: readonly number[] = [403, 404, 409];
/** Told where the upstream did not say. */
const defaultRetryAfterSeconds = 10;

/** What the Functions host sends as it is. */
export type Reply = Omit<HttpResponseInit, 'headers' | 'status'> & {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
};

export interface FaultReplyOptions {
  readonly requestId: string;
  readonly isFlow: boolean;
}

/** RFC 9457 problem details, or for flows a flat refusal. */
export function faultReply(fault: Fault, { requestId, isFlow }: FaultReplyOptions): Reply {
  const { status, title, retryable } = faultTable[fault.code];
  if (isFlow && refusals.includes(status)) {
    return jsonReply(200, requestId, {
      ok: false,
      outcome: 'refused',
      changed: false,
      code: fault.code,
      message: fault.message,
      fix: fault.fix,
      errors: fault.errors,
      requestId,
    });
  }
  const retryAfterSeconds = status === 429 ? (fault.retryAfterSeconds ?? defaultRetryAfterSeconds) : null;
  const problem = {
    type: `urn:okta-m365-actions:problem:${fault.code}`,
    title,
    status,
    detail: fault.message,
    code: fault.code,
    retryable,
    fix: fault.fix,
    requestId,
    upstream: fault.upstream,
    upstreamRequestId: fault.upstreamRequestId,
    retryAfterSeconds,
    errors: fault.errors,
  };
  const reply = jsonReply(status, requestId, problem);
  return {
    ...reply,
    headers: {
      ...reply.headers,
      'content-type': 'application/problem+json',
      ...(retryAfterSeconds === null ? {} : { 'retry-after': String(retryAfterSeconds) }),
    },
  };
}

/** The work goes on: where to ask about it, and when. */
export function acceptedReply(
  request: Pick<HttpRequest, 'url'>,
  requestId: string,
  body: Readonly<Record<string, unknown>>,
): Reply {
  const { operationId, retryAfterSeconds } = body;
  const { origin, pathname } = new URL(request.url);
  // Beside the action that was called, under whatever prefix host.json gives.
  const [, prefix = 'api'] = pathname.split('/');
  const reply = jsonReply(202, requestId, body);
  return {
    ...reply,
    headers: {
      ...reply.headers,
      'operation-location': `${origin}/${prefix}/operations/${String(operationId)}`,
      'retry-after': String(retryAfterSeconds),
    },
  };
}

export function jsonReply(status: number, requestId: string, body: Readonly<Record<string, unknown>>): Reply {
  const headers = { 'content-type': 'application/json', ...headersOf(requestId) };
  return { status, headers, body: JSON.stringify(body) };
}

/** 204: all is said by the status. */
export function emptyReply(requestId: string): Reply {
  return { status: 204, headers: headersOf(requestId) };
}

function headersOf(requestId: string): Readonly<Record<string, string>> {
  return {
    'x-request-id': requestId,
    // Replies name people and groups: nothing between here and the caller may keep them.
    'cache-control': 'no-store',
    'x-content-type-options': 'nosniff',
  };
}

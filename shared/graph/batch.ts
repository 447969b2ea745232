import { Fault, toFault } from '../errors.ts';
import type { Effect } from '../upstream/policy.ts';
import type { UpstreamResponse } from '../upstream/upstream.ts';
import { type GraphObject, type GraphOutput, isObject, readObject, readOutput } from './answers.ts';
import { graphFault, type GraphRequestLine, openGraphFault, unreadableGraphAnswer } from './errors.ts';
import { headersFor } from './odata.ts';

/** One request of a `$batch`. */
export interface GraphBatchRequest extends GraphRequestLine {
  readonly body?: object;
}

/** One part of the answer: what came of the request, or the fault that it alone had. */
export type GraphPart = ({ readonly ok: true } & GraphOutput) | { readonly ok: false; readonly fault: Fault };

/** How many requests Graph takes in one `$batch` (graph.md §1.6). */
export const maxGraphBatch = 20;

/** Built by ourselves: the SDK's BatchRequestContent doubles the version in the URL (graph.md §7.3). */
export function batchBody(requests: readonly GraphBatchRequest[]): object {
  return {
    requests: requests.map(({ method, path, body }, index) => ({
      id: String(index),
      method,
      // Relative, without version (graph.md §1.6).
      url: path,
      headers: { ...headersFor(path), ...(body === undefined ? {} : { 'Content-Type': 'application/json' }) },
      ...(body === undefined ? {} : { body }),
    })),
  };
}

/**
 * Reads the answer into one part a request, in the order of the requests. Parts come in any order; one that is missing
 * is an open outcome. The outer status is 200, or 424 when parts were throttled (graph.md §1.6).
 */
export function readBatchParts(
  requests: readonly GraphBatchRequest[],
  effect: Effect,
  response: UpstreamResponse,
): GraphPart[] {
  const batch = { method: 'POST', path: '/$batch', label: labelOfBatch(requests) } as const;
  const responses = readObject(response.text)?.responses;
  if (!Array.isArray(responses)) {
    if (response.status >= 400) throw graphFault(batch, response);
    throw openGraphFault(batch, effect, unreadableGraphAnswer(batch, response));
  }
  const parts = new Map(responses.filter(isObject).map((part) => [String(part.id), part]));
  return requests.map((request, index) => readPart(request, effect, parts.get(String(index)), response));
}

export function labelOfBatch(requests: readonly GraphBatchRequest[]): string {
  return `$batch of ${requests.length} ${[...new Set(requests.map(({ label }) => label))].join(', ')}`;
}

/**
 * How long the throttled parts ask to wait: the longest (graph.md §1.6); null where they do not say, undefined where
 * none was throttled.
 */
export function throttledForMs(parts: readonly GraphPart[]): number | null | undefined {
  const throttled = parts.flatMap((part) => (!part.ok && part.fault instanceof ThrottledPart ? [part.fault] : []));
  if (throttled.length === 0) return undefined;
  const asked = throttled.flatMap(({ askedMs }) => (askedMs === null ? [] : [askedMs]));
  return asked.length === 0 ? null : Math.max(...asked);
}

class ThrottledPart extends Fault {
  readonly askedMs: number | null;

  constructor(label: string, askedMs: number | null, requestId: string) {
    const retryAfterSeconds = askedMs === null ? 10 : Math.max(1, Math.ceil(askedMs / 1_000));
    super('throttled', {
      detail: `Graph is throttling ${label} and asks to wait ${retryAfterSeconds} s.`,
      fix: 'Repeat the request after Retry-After; this item was not written.',
      retryAfterSeconds,
      upstream: 'graph',
      upstreamRequestId: requestId,
    });
    this.askedMs = askedMs;
  }
}

function readPart(
  request: GraphBatchRequest,
  effect: Effect,
  part: GraphObject | undefined,
  outer: UpstreamResponse,
): GraphPart {
  const requestId = headerOf(part, 'request-id') ?? outer.requestId;
  const status = Number(part?.status);
  if (part === undefined || !Number.isInteger(status)) {
    return { ok: false, fault: openGraphFault(request, effect, missingPart(request, requestId)) };
  }
  if (status === 429) return { ok: false, fault: new ThrottledPart(request.label, askedMs(part), requestId) };
  try {
    return { ok: true, ...readOutput(request, effect, { status, requestId, text: bodyText(part.body) }) };
  } catch (error) {
    return { ok: false, fault: toFault(error) };
  }
}

function bodyText(body: unknown): string {
  if (body === undefined || body === null) return '';
  return typeof body === 'string' ? body : JSON.stringify(body);
}

function headerOf(part: GraphObject | undefined, name: string): string | null {
  const headers = isObject(part?.headers) ? part.headers : {};
  const [, value] = Object.entries(headers).find(([key]) => key.toLowerCase() === name) ?? [];
  return typeof value === 'string' || typeof value === 'number' ? String(value) : null;
}

/** Seconds; a part has no `Date` of its own that a date could be held against. */
function askedMs(part: GraphObject): number | null {
  const seconds = Number(headerOf(part, 'retry-after') ?? NaN);
  return Number.isFinite(seconds) && seconds >= 0 ? seconds * 1_000 : null;
}

function missingPart(request: GraphBatchRequest, requestId: string): Fault {
  return new Fault('upstream_failed', {
    detail: `Graph answered a $batch without a part for ${request.label}.`,
    fix: 'Repeat the request; it looks first at what is there.',
    upstream: 'graph',
    upstreamRequestId: requestId,
  });
}

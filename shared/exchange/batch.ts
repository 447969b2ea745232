import { Fault, toFault } from '../errors.ts';
import type { Effect } from '../upstream/policy.ts';
import type { UpstreamResponse } from '../upstream/upstream.ts';
import { openFault, type Output, readAnswer } from './answers.ts';
import { isRecord, readBody } from './body.ts';
import { authorizationFault, cmdletFault, unreadableAnswer } from './errors.ts';

/** One part of a `$batch`: its output, or the fault that it alone had. */
export type BatchPart = { readonly ok: true; readonly output: Output } | { readonly ok: false; readonly fault: Fault };

/**
 * Reads a `$batch` answer into one part a command, in the order of the commands. Parts may come in any order and an
 * error inside names no target, so the id alone tells (exchange.md §1.6); a part that is missing is an open outcome.
 */
export function readBatchAnswer(cmdlets: readonly string[], effect: Effect, response: UpstreamResponse): BatchPart[] {
  const body = readBody(response.text);
  const responses = body.type === 'json' ? body.value.responses : undefined;
  if (!Array.isArray(responses)) {
    if (body.type === 'json' && response.status >= 400) {
      const fault = cmdletFault('$batch', response.status, body.value, response.requestId);
      throw fault.kind === 'transient' ? openFault('$batch', effect, fault) : fault;
    }
    throw openFault('$batch', effect, unreadableAnswer('$batch', response));
  }
  const parts = new Map(responses.filter(isRecord).map((part) => [String(part.id), part]));
  return cmdlets.map((cmdlet, index) => readPart(cmdlet, effect, parts.get(String(index)), response));
}

function readPart(
  cmdlet: string,
  effect: Effect,
  part: Readonly<Record<string, unknown>> | undefined,
  outer: UpstreamResponse,
): BatchPart {
  const status = part === undefined ? 0 : Number(part.status);
  const answer: UpstreamResponse = { ...outer, status, text: bodyText(part?.body) };
  try {
    if (part !== undefined && status === 429) throw throttledPart(cmdlet, part);
    if (status === 401 || status === 403) throw authorizationFault(cmdlet, answer);
    return { ok: true, output: readAnswer(cmdlet, effect, answer) };
  } catch (error) {
    return { ok: false, fault: toFault(error) };
  }
}

function bodyText(body: unknown): string {
  if (body === undefined || body === null) return '';
  return typeof body === 'string' ? body : JSON.stringify(body);
}

/** A batch is throttled part by part; each brings its own wait (exchange.md §1.6). */
function throttledPart(cmdlet: string, part: Readonly<Record<string, unknown>>): Fault {
  const headers = isRecord(part.headers) ? part.headers : {};
  const name = Object.keys(headers).find((each) => each.toLowerCase() === 'retry-after');
  const asked = name === undefined ? NaN : Number(headers[name]);
  const retryAfterSeconds = Number.isFinite(asked) ? Math.max(1, Math.ceil(asked)) : 10;
  return new Fault('throttled', {
    detail: `Exchange is throttling ${cmdlet} and asks to wait ${retryAfterSeconds} s.`,
    fix: 'Repeat the request after Retry-After; this item was not written.',
    retryAfterSeconds,
    upstream: 'exchange',
  });
}

import type { Effect } from '../upstream/policy.ts';
import type { UpstreamResponse } from '../upstream/upstream.ts';
import { graphFault, type GraphRequestLine, openGraphFault, unreadableGraphAnswer } from './errors.ts';

export type GraphObject = Readonly<Record<string, unknown>>;

/** What Graph answered to a request that it carried out. */
export interface GraphOutput {
  /** null where there is no body, as after most writes (204). */
  readonly object: GraphObject | null;
  readonly requestId: string;
}

type Answer = Pick<UpstreamResponse, 'status' | 'text' | 'requestId'>;

/**
 * Reads the answer to one request, alone or as a part of a `$batch`.
 * @throws GraphFault for a refusal; Fault `outcome_unknown` for a write whose answer does not tell whether it was
 *   carried out; Fault `upstream_failed` for a read without a readable object
 */
export function readOutput(request: GraphRequestLine, effect: Effect, answer: Answer): GraphOutput {
  const { status, requestId } = answer;
  if (status >= 500 || status === 408) {
    throw openGraphFault(request, effect, unreadableGraphAnswer(request, answer));
  }
  if (status < 200 || status >= 300) throw graphFault(request, answer);
  if (answer.text === '' && effect === 'write') return { object: null, requestId };
  const object = readObject(answer.text);
  // A gateway's page with status 200.
  if (object === null) throw openGraphFault(request, effect, unreadableGraphAnswer(request, answer));
  return { object, requestId };
}

export function readObject(text: string): GraphObject | null {
  try {
    const body: unknown = JSON.parse(text);
    return isObject(body) ? body : null;
  } catch {
    return null;
  }
}

export function isObject(value: unknown): value is GraphObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

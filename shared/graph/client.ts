import type { Client, ResponseType } from '@microsoft/microsoft-graph-client';
import type { Call } from '../call.ts';
import { Fault } from '../errors.ts';
import type { Effect } from '../upstream/policy.ts';
import type { Upstream, UpstreamResponse } from '../upstream/upstream.ts';
import { type GraphObject, type GraphOutput, isObject, readObject, readOutput } from './answers.ts';
import {
  batchBody,
  type GraphBatchRequest,
  type GraphPart,
  labelOfBatch,
  maxGraphBatch,
  readBatchParts,
  throttledForMs,
} from './batch.ts';
import { refuseStrayDeletion } from './deletions.ts';
import { graphFault, type GraphRequestLine, isGraphFault, unreadableGraphAnswer } from './errors.ts';
import { CallOptions, upstreamMiddleware } from './middleware.ts';
import { headersFor } from './odata.ts';

export type { GraphObject } from './answers.ts';

export interface GraphPage {
  readonly items: readonly GraphObject[];
  /** Opaque; hand it back as the path of the next read. null at the end. */
  readonly nextPath: string | null;
}

/**
 * Graph v1.0. Paths begin with `/` and are already encoded (see odata.ts); `$count` and `$search` in them bring the
 * header that such queries need. All methods throw GraphFault for a refusal and the faults of Upstream.send.
 */
export interface Graph {
  /** One object; null when Graph says 404. */
  find(path: string, label: string, call: Call): Promise<GraphObject | null>;
  page(path: string, label: string, call: Call): Promise<GraphPage>;
  /** Of a path that ends in `/$count`. */
  count(path: string, label: string, call: Call): Promise<number>;
  /** One write. @throws GraphFault, Fault `outcome_unknown` when it may have been carried out */
  write(
    method: 'POST' | 'PATCH' | 'DELETE',
    path: string,
    body: object | null,
    label: string,
    call: Call,
  ): Promise<GraphOutput>;
  /**
   * Up to `maxGraphBatch` requests of one effect in one call, answered in the order given. A batch saves latency, not
   * quota (graph.md §1.6). @throws only what the whole call came to
   */
  batch(requests: readonly GraphBatchRequest[], effect: Effect, call: Call): Promise<GraphPart[]>;
  /** How a write names an object that it links to. */
  reference(id: string): string;
}

const version = 'v1.0';

export function createGraph(upstream: Upstream): Graph {
  let sdk: Promise<{ client: Client; rawResponse: ResponseType }> | null = null;
  const root = `${upstream.baseUrl}/${version}`;

  /** The SDK is loaded with the first request: a cold start that serves none should not pay for it. */
  async function loadSdk(): Promise<{ client: Client; rawResponse: ResponseType }> {
    const { Client, ResponseType } = await import('./sdk.ts');
    const client = Client.initWithMiddleware({
      middleware: upstreamMiddleware(upstream),
      baseUrl: upstream.baseUrl,
      defaultVersion: version,
    });
    return { client, rawResponse: ResponseType.RAW };
  }

  async function send(
    { method, path, label }: GraphRequestLine,
    body: object | null,
    effect: Effect,
    call: Call,
  ): Promise<UpstreamResponse> {
    refuseStrayDeletion(method, path);
    sdk ??= loadSdk();
    const { client, rawResponse } = await sdk;
    const callOptions = new CallOptions(call, effect, label);
    const request = client
      .api(path)
      .headers({ ...headersFor(path) })
      .middlewareOptions([callOptions])
      .responseType(rawResponse);
    const senders = {
      GET: () => request.get(),
      // Without a body JSON.stringify(undefined) is undefined: none is sent.
      POST: () => request.post(body ?? undefined),
      PATCH: () => request.patch(body ?? undefined),
      DELETE: () => request.delete(),
    };
    // RAW does not throw on 4xx; the SDK's own errors lose gateway pages and headers (graph.md §7.3).
    await senders[method]().catch((error: unknown) => {
      throw callOptions.failure ?? error;
    });
    if (callOptions.answer === null) throw new TypeError('the Graph SDK did not run the middleware');
    const { status } = callOptions.answer;
    if (status === 401 || status === 403) upstream.tokens.forget();
    return callOptions.answer;
  }

  async function read(path: string, label: string, call: Call): Promise<UpstreamResponse> {
    return send({ method: 'GET', path, label }, null, 'read', call);
  }

  /** The SDK glues an absolute plain-http link onto its base URL (graph.md §7.3): give it the path alone. */
  function pathOf(nextLink: string): string {
    // Parsed, so that `..` cannot climb out of v1.0.
    const link = URL.canParse(nextLink) ? new URL(nextLink).href : '';
    if (link.startsWith(`${root}/`)) return link.slice(root.length);
    throw new Fault('foreign_link', {
      detail: 'The next page of a Graph list lies outside Graph v1.0 of this cloud; it was not followed.',
      fix: 'Repeat the request; if it stays, look for a proxy between the function app and Microsoft that rewrites links.',
      upstream: 'graph',
    });
  }

  return {
    reference: (id) => `${root}/directoryObjects/${id}`,

    find: async (path, label, call) => {
      const answer = await read(path, label, call);
      if (answer.status === 404) return null;
      return objectIn({ method: 'GET', path, label }, answer);
    },

    page: async (path, label, call) => {
      const answer = await read(path, label, call);
      const line = { method: 'GET', path, label } as const;
      const body = objectIn(line, answer);
      if (!Array.isArray(body.value)) throw unreadableGraphAnswer(line, answer);
      const nextLink = body['@odata.nextLink'];
      return {
        items: body.value.filter(isObject),
        nextPath: typeof nextLink === 'string' ? pathOf(nextLink) : null,
      };
    },

    count: async (path, label, call) => {
      const answer = await read(path, label, call);
      const line = { method: 'GET', path, label } as const;
      if (answer.status !== 200) throw graphFault(line, answer);
      // Plain text, with a byte order mark in front of it where .NET feels like it.
      const text = answer.text.replace(/^\uFEFF/, '').trim();
      if (!/^\d+$/.test(text)) throw unreadableGraphAnswer(line, answer);
      return Number(text);
    },

    write: async (method, path, body, label, call) => {
      const line = { method, path, label };
      return readOutput(line, 'write', await send(line, body, 'write', call));
    },

    batch: async (requests, effect, call) => {
      if (requests.length === 0) return [];
      if (requests.length > maxGraphBatch) throw new RangeError(`a batch holds at most ${maxGraphBatch} requests`);
      for (const { method, path } of requests) refuseStrayDeletion(method, path);
      const line = { method: 'POST', path: '/$batch', label: labelOfBatch(requests) } as const;
      const parts = readBatchParts(requests, effect, await send(line, batchBody(requests), effect, call));
      const waitMs = throttledForMs(parts);
      if (waitMs !== undefined) upstream.slowDown(effect, waitMs);
      if (parts.some((part) => !part.ok && isGraphFault(part.fault, 'forbidden', 'unauthorized'))) {
        upstream.tokens.forget();
      }
      return parts;
    },
  };
}

function objectIn(line: GraphRequestLine, answer: UpstreamResponse): GraphObject {
  if (answer.status !== 200) throw graphFault(line, answer);
  const object = readObject(answer.text);
  if (object === null) throw unreadableGraphAnswer(line, answer);
  return object;
}

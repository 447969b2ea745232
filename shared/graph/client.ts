import type { Client, ResponseType } from '@microsoft/microsoft-graph-client';
import type { Call } from '../call.ts';
import { Fault } from '../errors.ts';
import type { Upstream, UpstreamResponse } from '../upstream/upstream.ts';
import { graphFault, unreadableGraphAnswer } from './errors.ts';
import { CallOptions, upstreamMiddleware } from './middleware.ts';

export type GraphObject = Readonly<Record<string, unknown>>;

export interface GraphPage {
  readonly items: readonly GraphObject[];
  /** Opaque; hand it back as the path of the next read. null at the end. */
  readonly nextPath: string | null;
}

/**
 * Graph v1.0 for reading. Paths begin with `/` and are already encoded (see odata.ts).
 * All methods throw GraphFault for a refusal and the faults of Upstream.send.
 */
export interface Graph {
  /** One object; null when Graph says 404. */
  find(path: string, label: string, call: Call): Promise<GraphObject | null>;
  page(path: string, label: string, call: Call): Promise<GraphPage>;
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

  async function read(path: string, label: string, call: Call): Promise<UpstreamResponse> {
    sdk ??= loadSdk();
    const { client, rawResponse } = await sdk;
    const callOptions = new CallOptions(call, 'read', label);
    const request = client.api(path).middlewareOptions([callOptions]).responseType(rawResponse);
    // RAW does not throw on 4xx; the SDK's own errors lose gateway pages and headers (graph.md §7.3).
    await request.get().catch((error: unknown) => {
      throw callOptions.failure ?? error;
    });
    if (callOptions.answer === null) throw new TypeError('the Graph SDK did not run the middleware');
    const { status } = callOptions.answer;
    if (status === 401 || status === 403) upstream.tokens.forget();
    return callOptions.answer;
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
    find: async (path, label, call) => {
      const answer = await read(path, label, call);
      if (answer.status === 404) return null;
      return readObject(label, answer);
    },

    page: async (path, label, call) => {
      const answer = await read(path, label, call);
      const body = readObject(label, answer);
      if (!Array.isArray(body.value)) throw unreadableGraphAnswer(label, answer);
      const nextLink = body['@odata.nextLink'];
      return {
        items: body.value.filter(isObject),
        nextPath: typeof nextLink === 'string' ? pathOf(nextLink) : null,
      };
    },
  };
}

function readObject(label: string, answer: UpstreamResponse): GraphObject {
  if (answer.status !== 200) throw graphFault(label, answer);
  try {
    const body: unknown = JSON.parse(answer.text);
    if (isObject(body)) return body;
  } catch {
    // A gateway's page with status 200.
  }
  throw unreadableGraphAnswer(label, answer);
}

function isObject(value: unknown): value is GraphObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

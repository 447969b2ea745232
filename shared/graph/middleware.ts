import type { Context, Middleware } from '@microsoft/microsoft-graph-client';
import type { Call } from '../call.ts';
import type { Effect } from '../upstream/policy.ts';
import type { Upstream, UpstreamResponse } from '../upstream/upstream.ts';

/** What our chain needs to know of a request beyond its URL. It travels as a middleware option. */
export class CallOptions {
  readonly call: Call;
  readonly effect: Effect;
  readonly label: string;
  /** Set by the chain: the answer as our policy saw it, with request id and claims. */
  answer: UpstreamResponse | null = null;
  /** Set by the chain: what our policy threw. The SDK wraps it into an error of its own and loses the rest. */
  failure: unknown = null;

  constructor(call: Call, effect: Effect, label: string) {
    this.call = call;
    this.effect = effect;
    this.label = label;
  }
}

/** With ResponseType.RAW the SDK hands on what it got and looks at nothing of it: the answer is in CallOptions. */
const unread = new Response();

/** The parts of the SDK's context that we use; its own types need the browser's library. */
interface SdkRequest {
  readonly request: string;
  readonly options: { readonly method: string; readonly headers: Record<string, string>; readonly body?: string };
}

/**
 * The whole middleware chain of the Graph SDK: our one policy, which brings token, deadline, retries and the terminal
 * fetch. The SDK's own chain retries any method without a deadline, caps Retry-After at 180 s and drops the token for
 * hosts it does not know (graph.md §7.3).
 */
export function upstreamMiddleware(upstream: Upstream): Middleware {
  return {
    execute: async (context: Context) => {
      const options: unknown = context.middlewareControl?.getMiddlewareOptions(CallOptions);
      if (!(options instanceof CallOptions)) throw new TypeError('a Graph request without its call');
      const { request, options: init } = context as SdkRequest;
      const upstreamRequest = {
        method: init.method,
        url: request,
        headers: init.headers,
        ...(init.body === undefined ? {} : { body: init.body }),
        effect: options.effect,
        label: options.label,
      };
      const answer = await upstream.send(upstreamRequest, options.call).catch((error: unknown) => {
        options.failure = error;
        throw error;
      });
      options.answer = answer;
      context.response = unread;
    },
  };
}

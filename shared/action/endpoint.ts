import { app, type HttpRequest } from '@azure/functions';
import type { Call, CallTimes } from '../call.ts';
import type { Room } from '../config.ts';
import { Fault, isFault } from '../errors.ts';
import type { Services } from '../services.ts';
import { readJsonOfAnyType } from './body.ts';
import type { Runtime } from './handler.ts';
import { emptyReply, jsonReply } from './reply.ts';
import { wrapHandler } from './wrap.ts';

/** What somebody else's protocol sends. */
export interface EndpointRequest {
  header(name: string): string | null;
  /** @throws Fault `body_too_large`, `invalid_json` */
  readJson(): Promise<unknown>;
}

export type EndpointReply =
  | { readonly status: 200; readonly outcome: string | null; readonly body: Readonly<Record<string, unknown>> }
  | { readonly status: 204; readonly outcome: string | null };

/**
 * An HTTP-triggered function whose requests and replies are another party's protocol: it has no JSON contract, and is
 * not called by people or flows. The wrapper is that of every action.
 */
export interface Endpoint {
  readonly name: string;
  readonly room: Room;
  readonly method: 'GET' | 'POST';
  /** Below `/api`. */
  readonly route: string;
  readonly summary: string;
  /** `anonymous` only for the routes of the design's list, which a test pins. */
  readonly authLevel: 'function' | 'anonymous';
  readonly bodyLimitBytes: number;
  readonly times: CallTimes;
  readonly run: (
    request: EndpointRequest,
    call: Call,
    /** @throws Fault `configuration_invalid`; asked for only by who needs them */
    services: () => Services,
  ) => Promise<EndpointReply>;
}

export function registerEndpoints(
  endpoints: readonly Endpoint[],
  enabledRooms: ReadonlySet<Room>,
  { services, clock }: Pick<Runtime, 'services' | 'clock'>,
): void {
  for (const endpoint of endpoints.filter(({ room }) => enabledRooms.has(room))) {
    const { name, method, route, authLevel, times } = endpoint;
    const tell = authLevel === 'anonymous' ? forStrangers : (fault: Fault) => fault;
    const handler = wrapHandler({ name, times, tell }, clock, async (request, call) => {
      const reply = await endpoint.run(readable(request, endpoint.bodyLimitBytes), call, services);
      const { requestId } = call;
      return {
        reply: reply.status === 204 ? emptyReply(requestId) : jsonReply(reply.status, requestId, reply.body),
        outcome: reply.outcome,
        isDryRun: null,
      };
    });
    app.http(name, { methods: [method], route, authLevel, handler });
  }
}

function readable(request: HttpRequest, bodyLimitBytes: number): EndpointRequest {
  return {
    header: (name) => request.headers.get(name),
    readJson: () => readJsonOfAnyType(request, bodyLimitBytes),
  };
}

/** Which settings are wrong is told to nobody without a key. */
function forStrangers(fault: Fault): Fault {
  if (!isFault(fault, 'configuration_invalid')) return fault;
  return new Fault(fault.code, {
    detail: 'The settings of this app are missing or wrong.',
    fix: 'Look for the requestId in the logs, or call GET connection with a key: both name the settings.',
  });
}

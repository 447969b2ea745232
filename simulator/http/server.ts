import { createServer as createHttpServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import type { IssuedCertificate } from '../certificates/certificates.ts';
import type { World } from '../world.ts';
import { faultReply, withForeignLink } from './faultReplies.ts';
import type { Fault } from './fault.ts';
import { readable } from './journal.ts';
import type { LateWrites } from './lateWrites.ts';
import { json, type Call, type Handler, type Reply } from './message.ts';
import type { Upstream } from './upstream.ts';

export interface RunningServer {
  origin: string;
  close(): Promise<void>;
}

export interface UpstreamServer {
  upstream: Upstream;
  handle: Handler;
  /** The cmdlets that a request names, for the journal and for faults. */
  cmdletsOf?: (pathname: string, body: string) => string[];
}

async function bodyOf(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString('utf8');
}

const headersOf = (request: IncomingMessage): Record<string, string> =>
  Object.fromEntries(
    Object.entries(request.headers).map(([name, value]) => [
      name,
      Array.isArray(value) ? value.join(', ') : (value ?? ''),
    ]),
  );

async function send(response: ServerResponse, reply: Reply, slowBodyMs = 0): Promise<void> {
  const body = Buffer.from(reply.body);
  const lengthless = reply.status === 204 || reply.status === 304;
  response.writeHead(reply.status, {
    ...reply.headers,
    ...(lengthless ? {} : { 'content-length': String(body.length) }),
  });
  if (slowBodyMs > 0) {
    const half = Math.floor(body.length / 2);
    response.write(body.subarray(0, half));
    await delay(slowBodyMs);
    response.end(body.subarray(half));
  } else response.end(body);
}

async function listen(server: Server, scheme: string, host: string, port: number): Promise<RunningServer> {
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, '127.0.0.1', resolve);
  });
  const { port: actual } = server.address() as AddressInfo;
  return {
    origin: `${scheme}://${host}:${String(actual)}`,
    close: () =>
      new Promise((resolve, reject) => {
        server.close((error) => (error ? reject(error) : resolve()));
        server.closeAllConnections();
      }),
  };
}

/** What goes out on the connection; no reply means that it is destroyed. */
interface Outcome {
  reply: Reply | null;
  slowBodyMs?: number;
}

/** Effects are committed by the handler, so a fault before commit never calls it and one after commit drops its answer. */
async function play(fault: Fault | null, call: Call, handle: Handler, late: LateWrites): Promise<Outcome> {
  if (!fault) return { reply: await handle(call) };
  if (fault.kind === 'reset') return { reply: null };
  const instead = faultReply(call.upstream, fault, call.heardAtMs);
  if (fault.kind === 'landsLate') {
    const dueMs = fault.afterMs === undefined ? null : call.heardAtMs + fault.afterMs;
    late.add({ method: call.method, path: call.target, dueMs, land: async () => handle(call) });
    return { reply: instead };
  }
  if (instead) {
    if ('commit' in fault && fault.commit) await handle(call);
    return { reply: instead };
  }
  const reply = await handle(call);
  if (fault.kind === 'commitThenReset') return { reply: null };
  if (fault.kind === 'foreignLink') return { reply: withForeignLink(reply, fault.host) };
  if (fault.kind === 'slow' && fault.where === 'body') return { reply, slowBodyMs: fault.delayMs };
  if (fault.kind === 'slow') await delay(fault.delayMs);
  return { reply };
}

function upstreamListener(world: World, { upstream, handle, cmdletsOf }: UpstreamServer) {
  return async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const startedAtMs = world.clock.elapsed();
    const body = await bodyOf(request);
    const headers = headersOf(request);
    const target = request.url ?? '/';
    const url = new URL(target, 'http://simulator');
    await world.late.settle();
    const requestId = world.random.freshGuid();
    const cmdlets = cmdletsOf?.(url.pathname, body) ?? [];
    const row = world.journal.add({
      upstream,
      method: request.method ?? '',
      path: target,
      cmdlet: url.pathname.endsWith('/$batch') ? null : (cmdlets[0] ?? null),
      status: null,
      requestBody: readable(body, headers['content-type']),
      responseBody: null,
      at: new Date(world.clock.now()).toISOString(),
      requestId,
      fault: null,
    });
    const heard = { upstream, method: row.method, target, url, headers, body, requestId, cmdlets, row };
    const { latencyMs } = world.tenant.settings;
    const roundTripMs = upstream === 'graph' || upstream === 'exchange' ? latencyMs[upstream] : 0;
    if (roundTripMs > 0) await world.clock.untilElapsed(startedAtMs + roundTripMs / 2);
    const heardAtMs = world.clock.now();
    const fault = world.faults.take({ ...heard, heardAtMs, batchFault: null, stale: false });
    row.fault = fault?.kind ?? null;
    const call: Call = {
      ...heard,
      heardAtMs,
      batchFault: fault?.kind === 'batchParts' ? fault : null,
      stale: fault?.kind === 'staleReads',
    };
    const { reply, slowBodyMs } = await play(fault, call, handle, world.late);
    if (!reply) {
      request.socket.destroy();
      return;
    }
    row.status = reply.status;
    row.responseBody = readable(reply.body);
    const common = {
      'request-id': requestId,
      date: new Date(world.clock.now()).toUTCString(),
      ...(headers['client-request-id'] ? { 'client-request-id': headers['client-request-id'] } : {}),
    };
    if (roundTripMs > 0) await world.clock.untilElapsed(startedAtMs + roundTripMs);
    await send(response, { ...reply, headers: { ...common, ...reply.headers } }, slowBodyMs);
  };
}

type Listener = (request: IncomingMessage, response: ServerResponse) => Promise<void>;

/** A defect of the simulator itself must not look like an answer of the real service. */
const guarded = (listener: Listener) => (request: IncomingMessage, response: ServerResponse) => {
  listener(request, response).catch((error: unknown) => {
    if (response.headersSent) response.destroy();
    else
      void send(response, json(500, { error: { code: 'SimulatorDefect', message: String((error as Error).stack) } }));
  });
};

export function startUpstream(
  world: World,
  server: UpstreamServer,
  port: number,
  tls?: IssuedCertificate,
): Promise<RunningServer> {
  const listener = guarded(upstreamListener(world, server));
  if (!tls) return listen(createHttpServer(listener), 'http', '127.0.0.1', port);
  const options = { cert: tls.certificatePem, key: tls.keyPem };
  return listen(createHttpsServer(options, listener), 'https', 'localhost', port);
}

export type ControlHandler = (method: string, url: URL, body: string) => Reply | Promise<Reply>;

/** Neither journalled nor faulted. */
export function startControl(handle: ControlHandler, port: number): Promise<RunningServer> {
  const listener = guarded(async (request, response) => {
    const body = await bodyOf(request);
    await send(response, await handle(request.method ?? '', new URL(request.url ?? '/', 'http://simulator'), body));
  });
  return listen(createHttpServer(listener), 'http', '127.0.0.1', port);
}

import type { IncomingMessage, ServerResponse } from 'node:http';
import type { HostedFunction } from './hostedFunction.ts';
import type { Door } from './httpDoor.ts';
import { isAuthorized, type Keys, presentedKey } from './keys.ts';
import { readBody, sendEmpty } from './rpcHttp.ts';

export interface AdminDoorOptions {
  functions: readonly HostedFunction[];
  keys: Keys;
  /** Runs a function of whatever trigger. @throws what it threw, once it is logged */
  fire: (target: HostedFunction, input: string) => Promise<void>;
}

const invocationLimit = 1024 * 1024;

export function isAdminPath(url: URL): boolean {
  return /^\/admin(\/|$)/i.test(url.pathname);
}

/** What of the host's own `/admin` API helps in development (FunctionsController.cs, HostController.cs). */
export function createAdminDoor({ functions, keys, fire }: AdminDoorOptions): Door {
  return async (request, response, url) => {
    // Before anything else, so that a stranger doesn't learn which functions there are.
    if (!isAuthorized('admin', presentedKey(request, url.searchParams), keys)) {
      sendEmpty(response, 401);
      return;
    }
    const path = url.pathname.replace(/\/$/, '').toLowerCase();
    const name = /^\/admin\/functions\/([^/]+)$/.exec(path)?.[1];
    if (request.method === 'GET' && path === '/admin/host/status') sendJson(response, { state: 'Running' });
    else if (request.method === 'GET' && path === '/admin/functions') sendJson(response, functions.map(describe));
    else if (request.method === 'POST' && name !== undefined) await post(request, response, name);
    else sendEmpty(response, 404);
  };

  async function post(request: IncomingMessage, response: ServerResponse, name: string): Promise<void> {
    const input = await readInvocation(request);
    if (typeof input === 'number') {
      sendEmpty(response, input);
      return;
    }
    const target = functions.find(({ metadata }) => metadata.name.toLowerCase() === name);
    if (!target) {
      sendEmpty(response, 404);
      return;
    }
    // Accepted is all that the caller learns; the log says how it ended.
    fire(target, input).catch(() => undefined);
    sendEmpty(response, 202);
  }
}

/**
 * The `input` of a FunctionInvocation, or the status of its refusal: MVC answers 415 to another content type, and the
 * controller 400 to what MVC could not read.
 */
async function readInvocation(request: IncomingMessage): Promise<string | number> {
  if (!/^application\/json\s*(;|$)/i.test(request.headers['content-type'] ?? '')) return 415;
  const { tooLarge, body = new Uint8Array() } = await readBody(request, invocationLimit);
  if (tooLarge) return 413;
  try {
    const invocation = JSON.parse(Buffer.from(body).toString('utf8')) as unknown;
    if (typeof invocation !== 'object' || invocation === null) return 400;
    const { input } = invocation as { input?: unknown };
    if (input === undefined || input === null) return '';
    return typeof input === 'string' ? input : 400;
  } catch {
    return 400;
  }
}

function describe({ metadata, trigger }: HostedFunction) {
  return { name: metadata.name, language: 'node', config: { bindings: [trigger] } };
}

function sendJson(response: ServerResponse, value: unknown): void {
  response.setHeader('content-type', 'application/json; charset=utf-8');
  response.end(JSON.stringify(value));
}

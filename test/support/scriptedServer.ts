import { createServer, type IncomingHttpHeaders } from 'node:http';
import { listen } from '../../local/host/listen.ts';

/** A request as it came over the wire. */
export interface Heard {
  method: string;
  /** Path with query, not decoded. */
  path: string;
  headers: IncomingHttpHeaders;
  body: string;
}

export interface ScriptedAnswer {
  status?: number;
  headers?: Record<string, string>;
  /** Sent as it is when it is a text, as JSON otherwise. */
  body?: unknown;
}

/** What to do with a request: answer, destroy the connection, or never answer. */
export type Step = ScriptedAnswer | 'reset' | 'hang';

export interface ScriptedServer {
  /** Origin without a slash at the end. */
  url: string;
  host: string;
  /** Every request, oldest first. */
  heard: Heard[];
  /** Plays these one after the other, the last one for ever. */
  script(...steps: Step[]): void;
  /** Decides request by request. */
  respond(answer: (request: Heard) => Step): void;
  close(): Promise<void>;
}

/** A real server for answers that the simulator cannot give. Ends what hangs when it closes. */
export async function startScriptedServer(wantedPort = 0): Promise<ScriptedServer> {
  const heard: Heard[] = [];
  let answer: (request: Heard) => Step = () => ({ status: 501 });
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const row: Heard = {
        method: request.method ?? '',
        path: request.url ?? '',
        headers: request.headers,
        body: Buffer.concat(chunks).toString('utf8'),
      };
      heard.push(row);
      const step = answer(row);
      if (step === 'hang') return;
      if (step === 'reset') {
        request.socket.destroy();
        return;
      }
      const { status = 200, headers = {}, body } = step;
      const text = body === undefined ? '' : typeof body === 'string' ? body : JSON.stringify(body);
      response.writeHead(status, { 'content-type': 'application/json', ...headers });
      response.end(text);
    });
  });
  const port = await listen(server, wantedPort);
  return {
    url: `http://127.0.0.1:${port}`,
    host: `127.0.0.1:${port}`,
    heard,
    script: (...steps) => {
      let next = 0;
      answer = () => steps[Math.min(next++, steps.length - 1)] ?? { status: 501 };
    },
    respond: (each) => {
      answer = each;
    },
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

/** A port of this machine on which nobody listens. */
export async function closedPort(): Promise<number> {
  const server = createServer();
  const port = await listen(server, 0);
  await new Promise<void>((resolve) => server.close(() => resolve()));
  return port;
}

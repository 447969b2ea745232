import { createServer, request as forward } from 'node:http';
import { listen } from '../../local/host/listen.ts';

export type ProxyMode = 'forward' | 'refuse' | 'hang';

export interface Proxy {
  url: string;
  /** Method and path of what came, forwarded or not. */
  seen: string[];
  /** How what comes from now on is treated. */
  mode: ProxyMode;
  /** Told of each request before it is treated; may change the mode. */
  onRequest: (line: string) => void;
  close(): Promise<void>;
}

/** Stands before a server of plain http, and can be told to let nothing through. */
export async function startProxy(target: string): Promise<Proxy> {
  const { hostname, port } = new URL(target);
  const server = createServer((incoming, outgoing) => {
    const line = `${incoming.method ?? ''} ${incoming.url ?? ''}`;
    proxy.seen.push(line);
    proxy.onRequest(line);
    if (proxy.mode === 'hang') return;
    if (proxy.mode === 'refuse') {
      incoming.socket.destroy();
      return;
    }
    const { method, url: path, headers } = incoming;
    const passed = forward({ hostname, port, method, path, headers }, (answer) => {
      outgoing.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.pipe(outgoing);
    });
    passed.on('error', () => outgoing.destroy());
    incoming.pipe(passed);
  });
  const proxy: Proxy = {
    url: `http://127.0.0.1:${await listen(server, 0)}`,
    seen: [],
    mode: 'forward',
    onRequest: () => undefined,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
  return proxy;
}

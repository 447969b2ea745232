import { createServer, request as ask } from 'node:http';
import type { AzuriteEndpoints } from '../../local/processes/azurite.ts';
import { closeServer, listen } from '../../local/host/listen.ts';

export interface CountedStorage {
  readonly endpoints: AzuriteEndpoints;
  /** What has come since the last time, such as `blob PUT lease acquire`, in order of the alphabet. */
  takeCalls(): readonly string[];
  stop(): Promise<void>;
}

/** Stands before the blobs and tables and writes down what comes. Queues, which the host polls, are left out. */
export async function countStorageCalls(endpoints: AzuriteEndpoints): Promise<CountedStorage> {
  let calls: string[] = [];
  const standBefore = async (service: 'blob' | 'table') => {
    const { hostname, port } = new URL(endpoints[service]);
    const server = createServer((incoming, outgoing) => {
      const { method = '', url: path = '/', headers } = incoming;
      const { searchParams } = new URL(path, 'http://localhost');
      const what = [searchParams.get('comp'), headers['x-ms-lease-action']].filter(Boolean);
      calls.push([service, method, ...what].join(' '));
      const passed = ask({ hostname, port, method, path, headers }, (answer) => {
        outgoing.writeHead(answer.statusCode ?? 502, answer.headers);
        answer.pipe(outgoing);
      });
      passed.once('error', () => outgoing.destroy());
      incoming.pipe(passed);
    });
    return { server, url: `http://127.0.0.1:${await listen(server, 0)}` };
  };
  const [blob, table] = [await standBefore('blob'), await standBefore('table')];
  return {
    endpoints: { blob: blob.url, queue: endpoints.queue, table: table.url },
    takeCalls: () => {
      const taken = calls.toSorted();
      calls = [];
      return taken;
    },
    stop: async () => {
      await Promise.all([closeServer(blob.server), closeServer(table.server)]);
    },
  };
}

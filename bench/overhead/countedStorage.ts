import { createServer, request as ask, type Server } from 'node:http';
import type { AzuriteEndpoints } from '../../local/processes/azurite.ts';
import { closeServer, listen } from '../../local/host/listen.ts';

export interface CountedStorage {
  readonly endpoints: AzuriteEndpoints;
  /** What has come since the last time, such as `blob PUT lease acquire`, in order of the alphabet. */
  takeCalls(): readonly string[];
  stop(): Promise<void>;
}

type Service = keyof AzuriteEndpoints;

/** Stands before the storage and writes down what comes. Queues are left out by default, since a host polls them. */
export async function countStorageCalls(
  endpoints: AzuriteEndpoints,
  services: readonly Service[] = ['blob', 'table'],
): Promise<CountedStorage> {
  let calls: string[] = [];
  const standBefore = async (service: Service) => {
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
  const before: { service: Service; server: Server; url: string }[] = [];
  for (const service of services) before.push({ service, ...(await standBefore(service)) });
  return {
    endpoints: { ...endpoints, ...Object.fromEntries(before.map(({ service, url }) => [service, url])) },
    takeCalls: () => {
      const taken = calls.toSorted();
      calls = [];
      return taken;
    },
    stop: async () => {
      await Promise.all(before.map(({ server }) => closeServer(server)));
    },
  };
}

import { createServer, type IncomingMessage } from 'node:http';
import { closeServer, listen } from '../../local/host/listen.ts';

export interface DoorEvent {
  readonly uuid: string;
  readonly eventType: string;
  readonly target: readonly { readonly type: string; readonly id: string }[];
}

/** What an event hook is registered with, whichever process stands behind it: as a platform does, it lets calls wait. */
export interface EventDoor {
  readonly url: string;
  /** The `api` of the host that calls go to from now on; null: there is none. */
  lead(api: string | null): void;
  /** Events of posts that were answered with 204. */
  readonly taken: ReadonlyMap<string, DoorEvent>;
  /** Events of posts that reached a host which did not answer. */
  readonly unsure: ReadonlyMap<string, DoorEvent>;
  /** How often each event came in a post that was taken. */
  readonly timesTaken: ReadonlyMap<string, number>;
  close(): Promise<void>;
}

export async function openDoor(): Promise<EventDoor> {
  const taken = new Map<string, DoorEvent>();
  const unsure = new Map<string, DoorEvent>();
  const timesTaken = new Map<string, number>();
  let api: string | null = null;
  let waiting: (() => void)[] = [];

  async function someHost(): Promise<string> {
    while (api === null) await new Promise<void>((resolve) => waiting.push(resolve));
    return api;
  }

  const server = createServer((incoming, outgoing) => {
    void (async () => {
      const body = await readAll(incoming);
      const events = incoming.method === 'POST' ? eventsOf(body) : [];
      const host = await someHost();
      // Okta has given up meanwhile.
      if (outgoing.destroyed) return;
      try {
        const { authorization = '', 'x-okta-verification-challenge': challenge } = incoming.headers;
        const headers = { 'content-type': 'application/json', authorization };
        const answer = await fetch(`${host}${incoming.url ?? ''}`, {
          method: incoming.method ?? 'GET',
          headers: typeof challenge === 'string' ? { ...headers, 'x-okta-verification-challenge': challenge } : headers,
          ...(incoming.method === 'POST' && { body }),
        });
        if (answer.status === 204) {
          for (const event of events) {
            taken.set(event.uuid, event);
            timesTaken.set(event.uuid, (timesTaken.get(event.uuid) ?? 0) + 1);
          }
        }
        const text = await answer.text();
        outgoing.writeHead(answer.status, { 'content-type': answer.headers.get('content-type') ?? 'text/plain' });
        outgoing.end(text);
      } catch {
        for (const event of events) unsure.set(event.uuid, event);
        outgoing.destroy();
      }
    })();
  });
  const url = `http://127.0.0.1:${await listen(server, 0)}`;
  return {
    url,
    lead: (next) => {
      api = next;
      if (api === null) return;
      for (const go of waiting) go();
      waiting = [];
    },
    taken,
    unsure,
    timesTaken,
    close: () => closeServer(server),
  };
}

async function readAll(incoming: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of incoming) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString();
}

function eventsOf(body: string): readonly DoorEvent[] {
  return (JSON.parse(body) as { data: { events: DoorEvent[] } }).data.events;
}

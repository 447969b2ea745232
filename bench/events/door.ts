import { createServer, type IncomingMessage } from 'node:http';
import { closeServer, listen } from '../../local/host/listen.ts';

export interface Post {
  /** null: no answer. */
  readonly status: number | null;
  readonly ms: number;
}

/** What the hook is registered with: it hands each post on at once and takes the time, and Okta is not kept waiting. */
export interface Door {
  readonly url: string;
  /** The tries of each post, one or two: as Okta does, it tries a 5xx and a timeout once more. */
  readonly posts: readonly (readonly Post[])[];
  /** A body as it came. */
  readonly sample: () => string;
  /** Until so many posts are over. */
  answered(count: number): Promise<void>;
  close(): Promise<void>;
}

export async function openDoor(target: string, secret: string): Promise<Door> {
  const posts: (readonly Post[])[] = [];
  let sample = '';
  let told = (): void => undefined;
  const server = createServer((incoming, outgoing) => {
    void readAll(incoming).then((body) => {
      const challenge = incoming.headers['x-okta-verification-challenge'];
      if (incoming.method === 'GET') {
        outgoing.writeHead(200, { 'content-type': 'application/json' });
        outgoing.end(JSON.stringify({ verification: challenge }));
        return;
      }
      outgoing.writeHead(204).end();
      sample = body;
      void deliver(target, secret, body).then((tries) => {
        posts.push(tries);
        told();
      });
    });
  });
  return {
    url: `http://127.0.0.1:${await listen(server, 0)}`,
    posts,
    sample: () => sample,
    answered: (count) =>
      new Promise((resolve) => {
        told = () => {
          if (posts.length >= count) resolve();
        };
        told();
      }),
    close: () => closeServer(server),
  };
}

async function deliver(url: string, secret: string, body: string): Promise<Post[]> {
  const first = await postEvents(url, secret, body);
  const isOver = first.status !== null && first.status < 500;
  return isOver ? [first] : [first, await postEvents(url, secret, body)];
}

/** As Okta does it, but that it waits longer, to tell how long. */
export async function postEvents(url: string, secret: string, body: string): Promise<Post> {
  const startedAt = performance.now();
  const headers = { 'content-type': 'application/json', authorization: secret };
  const answer = await fetch(url, { method: 'POST', headers, body, signal: AbortSignal.timeout(60_000) }).catch(
    () => null,
  );
  return { status: answer?.status ?? null, ms: performance.now() - startedAt };
}

async function readAll(incoming: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of incoming) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString();
}

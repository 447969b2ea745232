import { createServer, type IncomingMessage, request as forward, type ServerResponse } from 'node:http';
import { closeServer, listen } from '../../local/host/listen.ts';

/** Stands before Exchange, and can hold the writes of members back. What else is asked passes. */
export interface WriteGate {
  readonly url: string;
  /** Told of each batch of writes, with how many there have been. */
  onWrite: (writeCount: number) => void;
  /** From now on writes wait. */
  shut(): void;
  /** Batches that wait, one a group: whoever writes to a group sends one after the other. */
  readonly heldCount: number;
  /** Lets Exchange carry one of them out, and nobody hear of it. */
  carryOneOut(): Promise<void>;
  /** Lets the one that has waited longest pass, with its answer. */
  passOne(): void;
  /** Those that wait are never sent. */
  open(): void;
}

interface Held {
  readonly incoming: IncomingMessage;
  readonly body: Buffer;
  readonly outgoing: ServerResponse;
}

export async function openWriteGate(target: string): Promise<WriteGate & { close(): Promise<void> }> {
  const { hostname, port } = new URL(target);
  let isShut = false;
  let writeCount = 0;
  let held: Held[] = [];

  const pass = ({ incoming, body, outgoing }: Held) => {
    const { method, url: path, headers } = incoming;
    const passed = forward({ hostname, port, method, path, headers }, (answer) => {
      outgoing.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.pipe(outgoing);
    });
    passed.on('error', () => outgoing.destroy());
    passed.end(body);
  };

  const server = createServer((incoming, outgoing) => {
    const chunks: Buffer[] = [];
    incoming.on('data', (chunk: Buffer) => chunks.push(chunk));
    incoming.on('end', () => {
      const body = Buffer.concat(chunks);
      const each = { incoming, body, outgoing };
      const isWrite = /"(Add|Remove)-DistributionGroupMember"/.test(body.toString());
      if (isWrite) {
        writeCount += 1;
        gate.onWrite(writeCount);
      }
      if (!isWrite || !isShut) {
        pass(each);
        return;
      }
      held.push(each);
      // Its sender has given up.
      outgoing.on('close', () => {
        held = held.filter((other) => other !== each);
      });
    });
  });

  const gate: WriteGate & { close(): Promise<void> } = {
    url: `http://127.0.0.1:${await listen(server, 0)}`,
    onWrite: () => undefined,
    shut: () => void (isShut = true),
    get heldCount() {
      return held.length;
    },
    carryOneOut: async () => {
      const one = held.shift();
      if (one === undefined) throw new Error('No write waits.');
      const { method, url: path, headers } = one.incoming;
      await new Promise<void>((resolve, reject) => {
        const passed = forward({ hostname, port, method, path, headers }, (answer) => {
          answer.resume().on('end', resolve);
        });
        passed.on('error', reject);
        passed.end(one.body);
      });
    },
    passOne: () => {
      const one = held.shift();
      if (one !== undefined) pass(one);
    },
    open: () => {
      isShut = false;
      for (const { outgoing } of held) outgoing.destroy();
      held = [];
    },
    close: () => closeServer(server),
  };
  return gate;
}

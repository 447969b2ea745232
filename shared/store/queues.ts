import type { QueueClient } from '@azure/storage-queue';
import type { Call } from '../call.ts';
import type { Clock } from '../clock.ts';
import type { Storage } from '../config.ts';
import { loadStorageCredential, storageRetries, unlessAborted } from './connect.ts';
import { statusOfStoreError, storeFault } from './storeFault.ts';

export interface Queues {
  /**
   * Puts a message onto a queue, to be seen at `dueAtMs` at the earliest: at once when absent. `dueAt` goes into the
   * message as well, since the queue's clock is not ours (design §6.9). One request, but for the first message of all.
   * @param message what JSON can hold, up to 48 KiB of it
   * @throws Fault `storage_unavailable`
   */
  send(queue: string, message: Readonly<Record<string, unknown>>, call: Call, dueAtMs?: number): Promise<void>;
  /** Opens a queue, and makes it where it is missing, without a message. @throws Fault `storage_unavailable` */
  probe(queue: string, call: Call): Promise<void>;
}

/** How long a message can stay unseen (Azure Queue storage: 7 days); one that is due later is sent on again then. */
const maxDelaySeconds = 7 * 24 * 3_600 - 60;

/** Azure Queue storage. The SDK is loaded with the first use, and a queue made when it turns out to be missing. */
export function createQueues(storage: Storage, clock: Clock): Queues {
  const opened = new Map<string, Promise<QueueClient>>();

  /** Opened anew after whatever failed. */
  async function use(name: string, what: string, call: Call, work: (queue: QueueClient) => Promise<unknown>) {
    const opening = opened.get(name) ?? connect(storage, name);
    opened.set(name, opening);
    const { signal } = call.deadline;
    try {
      const queue = await unlessAborted(opening, signal);
      try {
        await work(queue);
      } catch (error) {
        if (statusOfStoreError(error) !== 404) throw error;
        await queue.createIfNotExists({ abortSignal: signal });
        await work(queue);
      }
    } catch (error) {
      opened.delete(name);
      throw storeFault(error, `${what} the queue ${name}`, call);
    }
  }

  return {
    send: async (name, message, call, dueAtMs) => {
      const nowMs = clock.now();
      const delaySeconds = dueAtMs === undefined ? 0 : Math.ceil((dueAtMs - nowMs) / 1_000);
      const text = encodeMessage(
        dueAtMs === undefined ? message : { ...message, dueAt: new Date(dueAtMs).toISOString() },
      );
      await use(name, 'sending a message to', call, (queue) =>
        queue.sendMessage(text, {
          visibilityTimeout: Math.min(Math.max(0, delaySeconds), maxDelaySeconds),
          // Never: what waits for its turn must not vanish.
          messageTimeToLive: -1,
          abortSignal: call.deadline.signal,
        }),
      );
    },

    probe: (name, call) =>
      use(name, 'opening', call, (queue) => queue.getProperties({ abortSignal: call.deadline.signal })),
  };
}

/** The one way a message is written: base64, as `messageEncoding` of host.json says; raw text ends in poison (functions.md §4). */
export function encodeMessage(message: Readonly<Record<string, unknown>>): string {
  return Buffer.from(JSON.stringify(message), 'utf8').toString('base64');
}

async function connect(storage: Storage, name: string): Promise<QueueClient> {
  const { QueueServiceClient } = await import('@azure/storage-queue');
  const options = { retryOptions: storageRetries };
  const service =
    storage.type === 'connectionString'
      ? QueueServiceClient.fromConnectionString(storage.connectionString, options)
      : new QueueServiceClient(storage.queueServiceUri, await loadStorageCredential(storage), options);
  return service.getQueueClient(name);
}

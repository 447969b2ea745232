import { app, type InvocationContext } from '@azure/functions';
import { type QueueClient, QueueServiceClient } from '@azure/storage-queue';
import { type LocalHost, type LocalHostOptions, startLocalHost } from '../../local/host/host.ts';
import { ownStorage } from '../support/environment.ts';

export interface QueueHost {
  host: LocalHost;
  work: QueueClient;
  poison: QueueClient;
  /** Sends what a sender in base64 would send. */
  send: (text: string) => Promise<void>;
}

type Handler = (message: unknown, context: InvocationContext) => unknown;

/** A host in which `work` calls the handler with each message of the queue of that name. */
export async function startQueueHost(
  handler: Handler,
  queues: LocalHostOptions['queues'] = {},
  storage?: string,
): Promise<QueueHost> {
  const connection = storage ?? (await ownStorage());
  const service = QueueServiceClient.fromConnectionString(connection);
  const work = service.getQueueClient('work');
  await work.createIfNotExists();
  const host = await startLocalHost({
    load: () =>
      Promise.resolve().then(() =>
        app.storageQueue('work', { queueName: 'work', connection: 'AzureWebJobsStorage', handler }),
      ),
    settings: { AzureWebJobsStorage: connection },
    queues: { visibilityTimeoutMs: 0, maxPollingIntervalMs: 50, ...queues },
  });
  return {
    host,
    work,
    poison: service.getQueueClient('work-poison'),
    send: async (text) => {
      await work.sendMessage(Buffer.from(text).toString('base64'));
    },
  };
}

/** What can be seen in a queue, without taking it; empty when there is no such queue. */
export async function textsIn(queue: QueueClient): Promise<string[]> {
  if (!(await queue.exists())) return [];
  const { peekedMessageItems } = await queue.peekMessages({ numberOfMessages: 32 });
  return peekedMessageItems.map(({ messageText }) => messageText);
}

/** Messages in a queue, seen or unseen. */
export async function countIn(queue: QueueClient): Promise<number> {
  return (await queue.getProperties()).approximateMessagesCount ?? 0;
}

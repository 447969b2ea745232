import type { AppSettings } from '../appSettings.ts';
import { connectionStringOf, resolveSettings } from '../appSettings.ts';
import { type HostedFunction, isTriggeredBy, type RunFunction } from '../hostedFunction.ts';
import type { QueueSettings } from '../hostJson.ts';
import { type QueueListener, startQueueListener } from './listener.ts';

export interface QueueTriggersOptions {
  functions: readonly HostedFunction[];
  appSettings: AppSettings;
  settings: QueueSettings;
  run: RunFunction;
  warn: (functionName: string, message: string, error?: unknown) => void;
}

/** The listeners of all queue functions, as one. */
export type QueueTriggers = QueueListener;

const poisonSuffix = '-poison';
// A queue's name has at most this many characters; the host has no poison queue for a name that would pass it.
const nameLimit = 63;

/** Listens to the queue of each function. One whose connection is wrong is told of and left alone, as in Azure. */
export async function startQueueTriggers(options: QueueTriggersOptions): Promise<QueueTriggers> {
  const { appSettings, settings, run, warn } = options;
  const functions = options.functions.filter((each) => isTriggeredBy(each, 'queue'));
  const listeners: QueueListener[] = [];
  if (functions.length > 0) {
    const { QueueServiceClient } = await import('@azure/storage-queue');
    for (const target of functions) {
      const { name } = target.metadata;
      const { queueName, connection = 'AzureWebJobsStorage' } = target.trigger as {
        queueName?: string;
        connection?: string;
      };
      try {
        const service = QueueServiceClient.fromConnectionString(connectionStringOf(connection, appSettings), {
          retryOptions: { maxTries: 3, retryDelayInMs: 100, maxRetryDelayInMs: 1_000 },
        });
        const resolved = resolveSettings(queueName ?? '', appSettings);
        const poisonName = `${resolved}${poisonSuffix}`;
        const hasPoison = !resolved.endsWith(poisonSuffix) && poisonName.length <= nameLimit;
        listeners.push(
          startQueueListener({
            queue: service.getQueueClient(resolved),
            poisonQueue: hasPoison ? service.getQueueClient(poisonName) : null,
            settings,
            run: (input) => run(target, input),
            warn: (message, error) => warn(name, message, error),
          }),
        );
      } catch (error) {
        warn(name, 'The function is not triggered by its queue', error);
      }
    }
  }
  return {
    isBusy: () => listeners.some((each) => each.isBusy()),
    receivedCount: () => listeners.reduce((sum, each) => sum + each.receivedCount(), 0),
    hasVisible: async () => (await Promise.all(listeners.map((each) => each.hasVisible()))).includes(true),
    lookNow: () => listeners.forEach((each) => each.lookNow()),
    stop: async () => {
      await Promise.all(listeners.map((each) => each.stop()));
    },
  };
}

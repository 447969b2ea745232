import type { DequeuedMessageItem, QueueClient } from '@azure/storage-queue';
import type { TriggerInput } from '../hostedFunction.ts';
import type { QueueSettings } from '../hostJson.ts';
import { createBackOff } from './backOff.ts';
import { holdLock } from './lock.ts';
import { decodeMessage, toTriggerInput } from './message.ts';

export interface QueueListenerOptions {
  queue: QueueClient;
  /** Null for a queue that is a poison queue itself: what fails there stays, and is seen again when its lock ends. */
  poisonQueue: QueueClient | null;
  settings: QueueSettings;
  run: (input: TriggerInput) => Promise<unknown>;
  warn: (message: string, error?: unknown) => void;
}

export interface QueueListener {
  /** Whether messages are received or worked on right now. */
  isBusy(): boolean;
  /** Messages received so far. */
  receivedCount(): number;
  /** Whether a message could be received now. */
  hasVisible(): Promise<boolean>;
  /** Ends the pause between two looks. */
  lookNow(): void;
  /** Receives nothing more, and resolves when all that was received is worked off. */
  stop(): Promise<void>;
}

/** The queue trigger of the real host: QueueListener.cs and QueueProcessor.cs of azure-sdk-for-net. */
export function startQueueListener({ queue, poisonQueue, settings, run, warn }: QueueListenerOptions): QueueListener {
  const backOff = createBackOff(settings.maxPollingIntervalMs);
  const working = new Set<Promise<void>>();
  let receivedCount = 0;
  let isReceiving = false;
  let isStopping = false;
  let endPause = (): void => undefined;
  /** A look was asked for while another one was under way, and that one may have come too early. */
  let isLookAsked = false;

  const receive = async (): Promise<boolean> => {
    isReceiving = true;
    try {
      const { receivedMessageItems: messages } = await queue.receiveMessages({
        numberOfMessages: settings.batchSize,
        visibilityTimeout: settings.messageLockMs / 1000,
      });
      receivedCount += messages.length;
      for (const message of messages) begin(message);
      return messages.length > 0;
    } catch (error) {
      if (isQueueMissing(error)) await queue.createIfNotExists().catch(onStorageError);
      else onStorageError(error);
      return false;
    } finally {
      isReceiving = false;
    }
  };

  const begin = (message: DequeuedMessageItem) => {
    const work = process(message)
      .catch(onStorageError)
      .finally(() => working.delete(work));
    working.add(work);
  };

  const process = async (message: DequeuedMessageItem): Promise<void> => {
    const body = decodeMessage(message.messageText, settings.messageEncoding);
    // What can't be decoded is moved at the first try, and as it is (QueueServiceClientProvider.cs).
    if (body === null) {
      warn(`A message of ${queue.name} is no base64; it can never reach its function.`);
      await moveToPoison(message, message.popReceipt);
      return;
    }
    // It was left over by a host that died while it worked on the last try.
    if (message.dequeueCount > settings.maxDequeueCount) {
      await moveToPoison(message, message.popReceipt);
      return;
    }
    const lock = holdLock(queue, message, settings.messageLockMs, onStorageError);
    const hasSucceeded = await Promise.resolve()
      .then(() => run(toTriggerInput(message, body)))
      .then(
        () => true,
        () => false,
      );
    const popReceipt = await lock.end();
    if (hasSucceeded) await remove(message, popReceipt);
    else if (message.dequeueCount >= settings.maxDequeueCount) await moveToPoison(message, popReceipt);
    else if (poisonQueue !== null) await release(message, popReceipt);
  };

  const moveToPoison = async (message: DequeuedMessageItem, popReceipt: string) => {
    if (poisonQueue === null) return;
    warn(`A message of ${queue.name} is moved to ${poisonQueue.name} after ${message.dequeueCount} tries.`);
    await poisonQueue.createIfNotExists();
    await poisonQueue.sendMessage(message.messageText);
    await remove(message, popReceipt);
  };

  const remove = (message: DequeuedMessageItem, popReceipt: string) =>
    unlessTaken(queue.deleteMessage(message.messageId, popReceipt));

  const release = (message: DequeuedMessageItem, popReceipt: string) =>
    unlessTaken(queue.updateMessage(message.messageId, popReceipt, undefined, settings.visibilityTimeoutMs / 1000));

  const onStorageError = (error: unknown) => warn(`The queue ${queue.name} could not be served`, error);

  const pause = (ms: number) => {
    if (isStopping || isLookAsked) return Promise.resolve();
    return new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, ms);
      endPause = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  };

  const listen = async () => {
    let hasFound = false;
    while (!isStopping) {
      isLookAsked = false;
      if (await receive()) {
        hasFound = true;
        while (working.size > settings.newBatchThreshold) await Promise.race(working);
      } else {
        await pause(backOff.nextMs(hasFound));
        hasFound = false;
      }
    }
    await Promise.all(working);
  };
  const ended = listen();

  return {
    isBusy: () => isReceiving || working.size > 0,
    receivedCount: () => receivedCount,
    hasVisible: async () => {
      try {
        return (await queue.peekMessages()).peekedMessageItems.length > 0;
      } catch (error) {
        if (isQueueMissing(error)) return false;
        throw error;
      }
    },
    lookNow: () => {
      isLookAsked = true;
      endPause();
    },
    stop: () => {
      isStopping = true;
      endPause();
      return ended;
    },
  };
}

/** Somebody else has received it since, or it is gone: it is no longer ours to change. */
async function unlessTaken(change: Promise<unknown>): Promise<void> {
  try {
    await change;
  } catch (error) {
    if (!['PopReceiptMismatch', 'MessageNotFound', 'QueueNotFound'].includes(codeOf(error) ?? '')) throw error;
  }
}

function isQueueMissing(error: unknown): boolean {
  return codeOf(error) === 'QueueNotFound';
}

/** The queue service's own error code, as the SDK hands it on. */
function codeOf(error: unknown): string | undefined {
  const { code, details } = error as { code?: string; details?: { errorCode?: string } };
  return details?.errorCode ?? code;
}

import type { DequeuedMessageItem, QueueClient } from '@azure/storage-queue';

export interface MessageLock {
  /** Ends the renewal. @returns the receipt by which the message can be changed now */
  end(): Promise<string>;
}

/** Keeps a message unseen by others while it is worked on: renewed at half time, each time with a new receipt. */
export function holdLock(
  queue: QueueClient,
  message: DequeuedMessageItem,
  lockMs: number,
  onError: (error: unknown) => void,
): MessageLock {
  let { popReceipt } = message;
  let renewal: Promise<void> = Promise.resolve();
  const renew = async () => {
    try {
      const renewed = await queue.updateMessage(message.messageId, popReceipt, undefined, lockMs / 1000);
      popReceipt = renewed.popReceipt ?? popReceipt;
    } catch (error) {
      onError(error);
    }
  };
  const timer = setInterval(() => {
    renewal = renewal.then(renew);
  }, lockMs / 2);
  return {
    end: async () => {
      clearInterval(timer);
      await renewal;
      return popReceipt;
    },
  };
}

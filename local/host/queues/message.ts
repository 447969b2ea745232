import type { DequeuedMessageItem } from '@azure/storage-queue';
import type { TriggerInput } from '../hostedFunction.ts';
import type { QueueSettings } from '../hostJson.ts';

/** The bytes of a message; null for what is no base64 where base64 is asked for. Whitespace is allowed, as in .NET. */
export function decodeMessage(text: string, encoding: QueueSettings['messageEncoding']): Buffer | null {
  if (encoding === 'none') return Buffer.from(text);
  const compact = text.replace(/\s/g, '');
  const isBase64 = /^(?:[a-z\d+/]{4})*(?:[a-z\d+/]{2}==|[a-z\d+/]{3}=)?$/i.test(compact);
  return isBase64 ? Buffer.from(compact, 'base64') : null;
}

/**
 * What the host sends to the worker with a message (azure-sdk-for-net, QueueTriggerBinding.cs). The worker parses the
 * text when it is JSON. The properties of such a JSON, which the real host adds to the metadata, are not modelled.
 * @throws TypeError for bytes that are no text
 */
export function toTriggerInput(message: DequeuedMessageItem, body: Uint8Array): TriggerInput {
  const text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(body);
  return {
    data: { string: text },
    metadata: {
      QueueTrigger: { string: text },
      DequeueCount: { json: String(message.dequeueCount) },
      ExpirationTime: { json: toDateTimeOffset(message.expiresOn) },
      Id: { string: message.messageId },
      InsertionTime: { json: toDateTimeOffset(message.insertedOn) },
      NextVisibleTime: { json: toDateTimeOffset(message.nextVisibleOn) },
      PopReceipt: { string: message.popReceipt },
    },
  };
}

/** A message that never was in a queue, given by hand: it has a text and nothing else to tell. */
export function byHand(text: string): TriggerInput {
  return { data: { string: text }, metadata: { QueueTrigger: { string: text }, DequeueCount: { json: '0' } } };
}

/** As Newtonsoft.Json writes it; the queue service knows whole seconds. */
function toDateTimeOffset(date: Date): string {
  return JSON.stringify(`${date.toISOString().slice(0, 19)}+00:00`);
}

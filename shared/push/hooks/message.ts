import type { HookEvent } from './envelope.ts';

/** What lies in the queue `events`: of one delivery, or of a part of one. */
export interface HookMessage {
  readonly eventId: string | null;
  readonly events: readonly HookEvent[];
}

/** A message of Azure's queues holds 64 KiB, of which base64 takes a third (functions.md §4). */
const mostBytes = 48 * 1_024 - 512;

/** As few messages as hold them all: nearly always one. */
export function packEvents(eventId: string | null, events: readonly HookEvent[]): readonly HookMessage[] {
  const messages: HookEvent[][] = [];
  let leftBytes = 0;
  for (const event of events) {
    const bytes = Buffer.byteLength(JSON.stringify(event)) + 1;
    if (bytes > leftBytes) {
      messages.push([]);
      leftBytes = mostBytes;
    }
    messages.at(-1)?.push(event);
    leftBytes -= bytes;
  }
  return messages.map((part) => ({ eventId, events: part }));
}

/** null for what this app has not written. */
export function readHookMessage(message: unknown): HookMessage | null {
  if (!isObject(message) || !Array.isArray(message.events) || !message.events.every(isHookEvent)) return null;
  return { eventId: typeof message.eventId === 'string' ? message.eventId : null, events: message.events };
}

function isHookEvent(value: unknown): value is HookEvent {
  if (!isObject(value)) return false;
  const { type, atMs, outcome, login, groupIds, userIds, appIds } = value;
  return (
    typeof type === 'string' &&
    typeof atMs === 'number' &&
    typeof outcome === 'string' &&
    (login === null || typeof login === 'string') &&
    [groupIds, userIds, appIds].every((ids) => Array.isArray(ids) && ids.every((id) => typeof id === 'string'))
  );
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null;
}

import { createHash, timingSafeEqual } from 'node:crypto';
import { type Call, limitedTo } from '../../call.ts';
import type { Clock } from '../../clock.ts';
import { Fault, isFault } from '../../errors.ts';
import type { Queues } from '../../store/queues.ts';
import { eventQueue } from '../queues.ts';
import { readEnvelope } from './envelope.ts';
import { packEvents } from './message.ts';

export interface HookDelivery {
  /** What came in the header that the hook was registered with; null: nothing. */
  readonly secret: string | null;
  /** Asked for after the secret was right. */
  readonly readBody: () => Promise<unknown>;
}

export interface EventHookReceiver {
  /**
   * Makes what Okta posts durable, in one write, and does nothing else: Okta waits 3 seconds, a cold start included, and
   * asks again once at most (okta.md §1.1).
   * @throws Fault `hook_secret_wrong`, `configuration_invalid` without any secret, `invalid_request`,
   * `storage_unavailable`, which earns Okta's one retry
   */
  receive(delivery: HookDelivery, call: Call): Promise<'queued' | 'ignored'>;
}

export interface EventHookReceiverDependencies {
  readonly queues: Pick<Queues, 'send'>;
  readonly clock: Clock;
  /** The current one, and for a while the one before. */
  readonly eventHookSecrets: readonly string[];
}

/** For the storage to answer; with a second left for a cold start and the way. */
const storageMs = 2_000;

export function createEventHookReceiver(dependencies: EventHookReceiverDependencies): EventHookReceiver {
  const { queues, clock } = dependencies;
  const accepted = dependencies.eventHookSecrets.map(hashOf);

  function checkSecret(secret: string | null): void {
    if (accepted.length === 0) throw noSecret();
    const given = hashOf(secret ?? '');
    // All are compared, whichever fits: neither how far it is right nor which it is can be told from the time it takes.
    const fitting = accepted.filter((hash) => timingSafeEqual(hash, given));
    if (secret === null || fitting.length === 0) throw wrongSecret();
  }

  return {
    receive: async ({ secret, readBody }, call) => {
      checkSecret(secret);
      const { eventId, events, unreadableCount } = readEnvelope(await readBody(), clock.now());
      if (unreadableCount > 0) call.log.warn({ event: 'hook_events_unreadable', eventId, count: unreadableCount });
      const within = limitedTo(call, storageMs, clock);
      try {
        const messages = packEvents(eventId, events);
        await Promise.all(messages.map((message) => queues.send(eventQueue, { ...message }, within)));
        return messages.length > 0 ? 'queued' : 'ignored';
      } catch (error) {
        throw isFault(error, 'deadline_exceeded') ? slowStorage(error) : error;
      } finally {
        within.end();
      }
    },
  };
}

function hashOf(secret: string): Buffer {
  return createHash('sha256').update(secret).digest();
}

function noSecret(): Fault {
  return new Fault('configuration_invalid', {
    detail: 'OKTA_EVENT_HOOK_SECRET is not set: no event can be accepted.',
    fix: 'Set OKTA_EVENT_HOOK_SECRET to the value of the header that the event hook in Okta was registered with.',
  });
}

function wrongSecret(): Fault {
  return new Fault('hook_secret_wrong', {
    detail: 'The header "authorization" does not hold the secret of the event hook.',
    fix: 'Register the hook in Okta with the header "authorization" and the value of OKTA_EVENT_HOOK_SECRET (npm run setup:event-hook).',
  });
}

function slowStorage(cause: Fault): Fault {
  return new Fault('storage_unavailable', {
    detail: `The storage account did not take the events within ${storageMs} ms.`,
    fix: 'Okta sends them again, once; what is lost then is found by the reconcile.',
    upstream: 'storage',
    cause,
  });
}

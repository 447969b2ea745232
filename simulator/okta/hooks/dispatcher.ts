import { setTimeout as delay } from 'node:timers/promises';
import type { Clock } from '../../clock.ts';
import type { Random } from '../../random.ts';
import { parseJson, isObject } from '../../http/json.ts';
import type { LogEvent } from '../events.ts';
import type { Delivery, EventHook } from '../model.ts';
import type { Table } from '../table.ts';
import { attempt, isSuccess, isTriedAgain, type Attempt } from './attempt.ts';
import { envelope } from './envelope.ts';

const DAY_MS = 86_400_000;

export const defaultDelivery: Readonly<Delivery> = {
  paused: false,
  batchSize: 10,
  delayMs: 0,
  concurrency: 1,
  disorder: false,
  duplicates: 0,
  loss: 0,
  // okta.md §1.1
  timeoutMs: 3_000,
  dailyLimit: 400_000,
  legacyEnvelope: false,
  nullTargets: false,
};

/** What was sent, or never will be. */
export interface DeliveryRow {
  readonly hookId: string;
  /** null: the event was lost, or over the daily limit, and nothing was sent. */
  readonly eventId: string | null;
  readonly uuids: readonly string[];
  readonly attempts: readonly { at: string; status: number | null; error: Attempt['error'] }[];
  readonly outcome: 'delivered' | 'refused' | 'failed' | 'lost' | 'overLimit';
}

interface Waiting {
  readonly hookId: string;
  readonly event: LogEvent;
}

/** Sends what happens to the hooks that subscribe to it, best effort (okta.md §1.1); how much at once is facts.oktaBatches. */
export class HookDispatcher {
  delivery: Delivery = { ...defaultDelivery };
  /** Where the org is, as the envelope's source names it. */
  origin = '';
  readonly #clock: Clock;
  readonly #random: () => Random;
  readonly #hooks: () => Table<EventHook>;
  #waiting: Waiting[] = [];
  /** Whether what waits was shuffled since the last came. */
  #isShuffled = false;
  #rows: DeliveryRow[] = [];
  #sent: { day: number; count: number } = { day: 0, count: 0 };
  #ended = new AbortController();
  #pump: Promise<void> | null = null;

  constructor({ clock, random, hooks }: { clock: Clock; random: () => Random; hooks: () => Table<EventHook> }) {
    this.#clock = clock;
    this.#random = random;
    this.#hooks = hooks;
  }

  get rows(): readonly DeliveryRow[] {
    return this.#rows;
  }

  get waitingCount(): number {
    return this.#waiting.length;
  }

  clearRows(): void {
    this.#rows = [];
  }

  /** To every hook that is active, verified and subscribed. */
  publish = (event: LogEvent): void => {
    for (const hook of this.#hooks())
      if (
        hook.status === 'ACTIVE' &&
        hook.verificationStatus === 'VERIFIED' &&
        hook.eventTypes.includes(event.eventType)
      )
        this.#enqueue({ hookId: hook.id, event });
    this.resume();
  };

  #enqueue(waiting: Waiting): void {
    const { loss, duplicates, dailyLimit } = this.delivery;
    this.#isShuffled = false;
    if (!this.#countOne(dailyLimit)) this.#drop(waiting, 'overLimit');
    else if (this.#random().next() < loss) this.#drop(waiting, 'lost');
    else {
      this.#waiting.push(waiting);
      if (this.#random().next() < duplicates) this.#waiting.push({ ...waiting });
    }
  }

  #drop({ hookId, event }: Waiting, outcome: 'lost' | 'overLimit'): void {
    this.#rows.push({ hookId, eventId: null, uuids: [event.uuid], attempts: [], outcome });
  }

  #countOne(limit: number): boolean {
    const day = Math.floor(this.#clock.now() / DAY_MS);
    if (day !== this.#sent.day) this.#sent = { day, count: 0 };
    this.#sent.count += 1;
    return this.#sent.count <= limit;
  }

  /** Goes on sending where something waits and nothing pauses it. */
  resume(): void {
    if (this.#pump || this.delivery.paused || this.#waiting.length === 0) return;
    const { signal } = this.#ended;
    const pump = this.#sendAll(signal).finally(() => {
      if (this.#pump !== pump) return;
      this.#pump = null;
      this.resume();
    });
    this.#pump = pump;
  }

  async #sendAll(ended: AbortSignal): Promise<void> {
    // A turn at least, so that what happens together is sent together.
    await delay(this.delivery.delayMs, undefined, { signal: ended }).catch(() => undefined);
    const senders = Array.from({ length: this.delivery.concurrency }, async () => {
      for (let batch = this.#next(ended); batch; batch = this.#next(ended)) await this.#deliver(batch, ended);
    });
    await Promise.all(senders);
  }

  /** The events that go out together: of one hook. */
  #next(ended: AbortSignal): { hook: EventHook; events: LogEvent[] } | null {
    if (ended.aborted || this.delivery.paused) return null;
    if (this.delivery.disorder && !this.#isShuffled) {
      this.#waiting = this.#random().shuffle(this.#waiting);
      this.#isShuffled = true;
    }
    const [first] = this.#waiting;
    if (!first) return null;
    const batch = this.#waiting.filter(({ hookId }) => hookId === first.hookId).slice(0, this.delivery.batchSize);
    const taken = new Set(batch);
    this.#waiting = this.#waiting.filter((waiting) => !taken.has(waiting));
    const hook = this.#hooks().get(first.hookId);
    return hook ? { hook, events: batch.map(({ event }) => event) } : this.#next(ended);
  }

  async #deliver({ hook, events }: { hook: EventHook; events: LogEvent[] }, ended: AbortSignal): Promise<void> {
    const { delivery } = this;
    const eventId = this.#random().freshGuid();
    const body = JSON.stringify(
      envelope(hook, events, {
        eventId,
        eventTime: new Date(this.#clock.now()).toISOString(),
        origin: this.origin,
        delivery,
      }),
    );
    const attempts: (DeliveryRow['attempts'][number] & { answer: Attempt })[] = [];
    for (let tries = 0; tries < 2; tries++) {
      const at = new Date(this.#clock.now()).toISOString();
      const request = { method: 'POST', headers: { 'content-type': 'application/json' }, body } as const;
      const answer = await attempt(hook, request, { timeoutMs: delivery.timeoutMs, ended });
      attempts.push({ at, status: answer.status, error: answer.error, answer });
      if (!isTriedAgain(answer)) break;
    }
    if (ended.aborted) return;
    const last = attempts.at(-1)?.answer;
    this.#rows.push({
      hookId: hook.id,
      eventId,
      uuids: events.map(({ uuid }) => uuid),
      attempts: attempts.map(({ at, status, error }) => ({ at, status, error })),
      outcome: last && isSuccess(last) ? 'delivered' : last && isTriedAgain(last) ? 'failed' : 'refused',
    });
  }

  /** The one-time verification: the challenge has to come back, within the time and one retry; or why it did not. */
  async verify(hook: EventHook): Promise<string | null> {
    const challenge = this.#random().freshGuid();
    let why = '';
    for (let tries = 0; tries < 2; tries++) {
      const headers = { 'x-okta-verification-challenge': challenge };
      const answer = await attempt(
        hook,
        { method: 'GET', headers },
        { timeoutMs: this.delivery.timeoutMs, ended: this.#ended.signal },
      );
      const body = parseJson(answer.body);
      if (answer.status === 200 && isObject(body) && body.verification === challenge) return null;
      why = answer.error ?? `HTTP ${String(answer.status)} without the challenge`;
    }
    return why;
  }

  /** Until nothing waits that may be sent, and every post is answered. */
  async settled(): Promise<void> {
    while (this.#pump) await this.#pump;
  }

  /** Drops what waits and what is under way. */
  reset(): void {
    this.#ended.abort();
    this.#ended = new AbortController();
    this.#pump = null;
    this.#waiting = [];
    this.#rows = [];
    this.#sent = { day: 0, count: 0 };
    this.delivery = { ...defaultDelivery };
  }
}

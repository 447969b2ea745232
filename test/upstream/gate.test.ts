import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { type Call, startCall } from '../../shared/call.ts';
import { createGate, type Gate, NoTurn } from '../../shared/upstream/gate.ts';
import { gateMarginMs, startLimit } from '../../shared/upstream/pace.ts';
import { createScheduledClock, type ScheduledClock } from '../support/scheduledClock.ts';

const log = { info: () => undefined, warn: () => undefined, error: () => undefined };
const callFor = (clock: ScheduledClock, totalMs = 600_000): Call =>
  startCall({ requestId: 'r', action: 'test', log, times: { totalMs, proofMs: 0 } }, clock);

/** What an upstream does with a call: lets it through, throttles it, or never answers properly. */
const answer = fc.oneof(
  { weight: 6, arbitrary: fc.record({ type: fc.constant('passed' as const) }) },
  {
    weight: 2,
    arbitrary: fc.record({ type: fc.constant('throttled' as const), retryAfterMs: fc.option(fc.nat(20_000)) }),
  },
  { weight: 1, arbitrary: fc.record({ type: fc.constant('lost' as const) }) },
);
type Answer = typeof answer extends fc.Arbitrary<infer Value> ? Value : never;

interface Sent {
  readonly caller: number;
  readonly atMs: number;
  readonly deadlineMs: number;
}

/** Plays callers that try until they are through, against answers that come after `latencyMs`. */
async function play(
  callers: readonly { startMs: number; patienceMs: number }[],
  answers: readonly Answer[],
  latencyMs: number,
): Promise<{ sent: Sent[]; closings: { fromMs: number; untilMs: number }[]; through: number; turnedAway: number }> {
  const clock = createScheduledClock();
  const gate = createGate(clock, () => 0.5);
  const sent: Sent[] = [];
  const closings: { fromMs: number; untilMs: number }[] = [];
  let next = 0;
  let through = 0;
  let turnedAway = 0;

  const tryUntilThrough = async (caller: number, patienceMs: number): Promise<void> => {
    const call = callFor(clock, patienceMs);
    const deadlineMs = clock.now() + patienceMs;
    const place = gate.place();
    for (;;) {
      const ticket = await gate.enter(place, call);
      sent.push({ caller, atMs: clock.now(), deadlineMs });
      const given = answers[next++ % answers.length] ?? { type: 'passed' };
      await clock.sleep(latencyMs, new AbortController().signal);
      if (given.type === 'passed') {
        ticket.passed();
        return;
      }
      if (given.type === 'lost') ticket.lost();
      else {
        ticket.throttled(given.retryAfterMs);
        if (given.retryAfterMs !== null)
          closings.push({ fromMs: clock.now(), untilMs: clock.now() + given.retryAfterMs });
      }
    }
  };
  const runs = callers.map(async ({ startMs, patienceMs }, caller) => {
    await clock.sleep(startMs, new AbortController().signal);
    await tryUntilThrough(caller, patienceMs).then(
      () => (through += 1),
      (error: unknown) => {
        if (!(error instanceof NoTurn)) throw error;
        turnedAway += 1;
      },
    );
  });
  await clock.runUntil(Promise.all(runs));
  return { sent, closings, through, turnedAway };
}

const callers = fc.array(fc.record({ startMs: fc.nat(5_000), patienceMs: fc.integer({ min: 1, max: 120_000 }) }), {
  minLength: 1,
  maxLength: 40,
});
/** Some answer lets calls through, or nobody ever would be. */
const answers = fc
  .array(answer, { minLength: 1, maxLength: 30 })
  .map((list): Answer[] => [...list, { type: 'passed' }]);

describe('the gate, under any schedule of answers', () => {
  test('lets no call out while it is closed, and none after its deadline; every caller ends', async () => {
    await fc.assert(
      fc.asyncProperty(callers, answers, fc.integer({ min: 1, max: 2_000 }), async (people, given, latencyMs) => {
        const { sent, closings, through, turnedAway } = await play(people, given, latencyMs);
        for (const { atMs, deadlineMs } of sent) {
          expect(closings.filter(({ fromMs, untilMs }) => atMs > fromMs && atMs < untilMs)).toEqual([]);
          expect(atMs).toBeLessThanOrEqual(deadlineMs);
        }
        expect(through + turnedAway).toBe(people.length);
      }),
      { numRuns: 150 },
    );
  });

  test('starves nobody who has time: all come through', async () => {
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 1, max: 60 }), answers, async (count, given) => {
        const people = Array.from({ length: count }, () => ({ startMs: 0, patienceMs: 100_000_000 }));
        const { through } = await play(people, given, 150);
        expect(through).toBe(count);
      }),
      { numRuns: 60 },
    );
  });
});

describe('a caller at the gate', () => {
  const open = (): { clock: ScheduledClock; gate: Gate } => {
    const clock = createScheduledClock();
    return { clock, gate: createGate(clock, () => 0.5) };
  };

  test('who was throttled keeps its place before those who came later', async () => {
    const { clock, gate } = open();
    const early = gate.place();
    const tickets = await Promise.all(
      Array.from({ length: startLimit }, () => gate.enter(gate.place(), callFor(clock))),
    );
    const order: string[] = [];
    void gate.enter(gate.place(), callFor(clock)).then(() => order.push('late'));
    const again = gate.enter(early, callFor(clock)).then(() => order.push('early'));
    tickets[0]?.passed();
    await again;
    expect(order).toEqual(['early']);
  });

  test('whose turn would come too late is turned away at once, with how long to wait', async () => {
    const { clock, gate } = open();
    (await gate.enter(gate.place(), callFor(clock))).throttled(30_000);
    const refused = await gate.enter(gate.place(), callFor(clock, 20_000)).catch((error: unknown) => error);
    expect(refused).toBeInstanceOf(NoTurn);
    expect(refused).toMatchObject({ afterMs: 30_000 });
    expect(clock.elapsedMs).toBe(0);
  });

  test('who waits already is turned away as soon as the gate closes for longer than there is time', async () => {
    const { clock, gate } = open();
    const tickets = await Promise.all(
      Array.from({ length: startLimit }, () => gate.enter(gate.place(), callFor(clock))),
    );
    const waiting = gate.enter(gate.place(), callFor(clock, 5_000)).catch((error: unknown) => error);
    tickets[0]?.throttled(60_000);
    expect(await waiting).toMatchObject({ name: 'NoTurn', afterMs: 60_000 });
  });

  test('who has no time left leaves the queue when it is up', async () => {
    const { clock, gate } = open();
    await Promise.all(Array.from({ length: startLimit }, () => gate.enter(gate.place(), callFor(clock))));
    const waiting = gate.enter(gate.place(), callFor(clock, 5_000)).catch((error: unknown) => error);
    expect(await clock.runUntil(waiting)).toMatchObject({ name: 'NoTurn', afterMs: 0 });
    expect(clock.elapsedMs).toBe(5_000);
  });

  test('who leaves is told how many wait with it, and how long they take at the pace so far', async () => {
    const { clock, gate } = open();
    // Whoever is let in takes a second.
    const goThrough = async () => {
      const ticket = await gate.enter(gate.place(), callFor(clock));
      await clock.sleep(1_000, new AbortController().signal);
      ticket.lost();
    };
    for (let number = 0; number < startLimit * 10; number += 1) void goThrough();
    const impatient = gate.enter(gate.place(), callFor(clock, 5_500)).catch((error: unknown) => error);
    // Five rounds have gone since the first; four rounds and those of this moment still wait.
    const left = startLimit * 4;
    expect(await clock.runUntil(impatient)).toMatchObject({ afterMs: 0, queued: left, drainMs: (5_500 / 30) * left });
  });

  test('who leaves alone has waited for nobody else', async () => {
    const { clock, gate } = open();
    await Promise.all(Array.from({ length: startLimit }, () => gate.enter(gate.place(), callFor(clock))));
    const alone = gate.enter(gate.place(), callFor(clock, 5_000)).catch((error: unknown) => error);
    expect(await clock.runUntil(alone)).toMatchObject({ queued: 0, drainMs: null });
  });

  test('goes when the wait is over, a little after', async () => {
    const { clock, gate } = open();
    (await gate.enter(gate.place(), callFor(clock))).throttled(2_000);
    await clock.runUntil(gate.enter(gate.place(), callFor(clock)));
    expect(clock.elapsedMs).toBe(2_000 + gateMarginMs);
  });

  test('waits as well when only a part of a batch was throttled', async () => {
    const { clock, gate } = open();
    gate.slowDown(4_000);
    expect(gate.closedForMs()).toBe(4_000);
    await clock.runUntil(gate.enter(gate.place(), callFor(clock)));
    expect(clock.elapsedMs).toBe(4_000 + gateMarginMs);
  });
});

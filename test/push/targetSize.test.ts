import { expect, test } from '@jest/globals';
import { startCall } from '../../shared/call.ts';
import { systemClock } from '../../shared/clock.ts';
import { graphLagMs } from '../../shared/push/memberStanding.ts';
import type { ManagedMember } from '../../shared/push/people.ts';
import { targetSize } from '../../shared/push/reconcile/targetSize.ts';

type Given = Parameters<typeof targetSize>;
const nowMs = Date.UTC(2026, 10, 21);
const silent = { info: () => undefined, warn: () => undefined, error: () => undefined };

const idOf = (number: number) => `a0000000-0000-4000-8000-00000000000${number}`;
const change = (number: number) => ({ entraId: idOf(number).toUpperCase(), label: '', isOurs: true });
const someone = { oktaUserId: null, login: null };
const row = (number: number, state: ManagedMember['state'], changedAtMs = nowMs): ManagedMember => ({
  ...change(number),
  ...someone,
  state,
  changedAtMs,
});

async function sizeOf(
  last: number | null,
  shown: readonly number[],
  rows: readonly ManagedMember[],
  plan: { adds?: readonly number[]; removes?: readonly number[] },
): Promise<number> {
  const mapping = { lastReconcile: last === null ? null : { actualCount: last } } as unknown as Given[0];
  const changes = (numbers: readonly number[] = []) => numbers.map((number) => ({ ...change(number), ...someone }));
  const call = startCall({ requestId: 'r', action: 'test', log: silent }, systemClock);
  const managed = new Map(rows.map((each) => [each.entraId.toLowerCase(), each]));
  try {
    return await targetSize(
      mapping,
      { adds: changes(plan.adds), removes: changes(plan.removes) },
      {
        graphGroups: {
          // eslint-disable-next-line @typescript-eslint/require-await -- a page that is there already
          memberPages: async function* () {
            yield shown.map((number) => ({ id: idOf(number) }) as never);
          },
          memberCount: () => Promise.resolve(5_000),
        },
        pushMembers: { readAll: () => Promise.resolve({ people: new Map(), managed }) },
        clock: { ...systemClock, now: () => nowMs },
      },
      call,
    );
  } finally {
    call.end();
  }
}

test('a small target has who is shown and who was written, without those who are gone or coming', async () => {
  expect(await sizeOf(null, [1, 2], [], { removes: [1] })).toBe(2);
  expect(await sizeOf(3, [1, 2], [row(2, 'removed'), row(3, 'added')], { removes: [1] })).toBe(2);
  expect(await sizeOf(3, [1, 2], [row(2, 'removed', nowMs - graphLagMs)], { removes: [1] })).toBe(2);
  // Nobody knows of them, and they are not to keep a group from being empty.
  expect(await sizeOf(3, [1], [row(2, 'adding'), row(3, 'removing')], { removes: [1] })).toBe(1);
  expect(await sizeOf(3, [1], [row(3, 'removing')], { removes: [1, 3] })).toBe(2);
  expect(await sizeOf(3, [1, 2], [], { adds: [2], removes: [1] })).toBe(1);
});

test('a large one has as many as Graph counts', async () => {
  expect(await sizeOf(1_000, [1], [], { removes: [1] })).toBe(5_000);
});

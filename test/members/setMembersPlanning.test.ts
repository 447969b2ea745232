import { afterAll, expect, test } from '@jest/globals';
import { type Clock, systemClock } from '../../shared/clock.ts';
import { readCast } from '../support/directory.ts';
import { type Answer, startWorld } from '../support/world.ts';
import { endOf, newId, putGroup, setMembers } from './setting.ts';

const world = await startWorld();
const { control } = world;
/** Lets time go by for the app when the test says so. */
let aheadMs = 0;
const clock: Clock = { ...systemClock, now: () => systemClock.now() + aheadMs };
const app = await world.startApp({}, { clock });
const cast = await readCast(control);
const [owner = '', ada = ''] = cast.staff;
afterAll(() => world.close());

const people = Array.from({ length: 5_050 }, (_, index) => `person${String(index + 1).padStart(6, '0')}@contoso.com`);

/** Each part of a `$batch` has a row of its own. */
const lookups = async (): Promise<number> => (await control.calls({ cmdlet: 'Get-Recipient' })).length;

async function waiting(answer: Answer): Promise<Answer> {
  for (;;) {
    const path = `operations/${String(answer.body?.operationId)}`;
    const operation = await app.call('GET', path, { query: { waitSeconds: '1' } });
    if (operation.body?.code !== null || operation.body.done === true) return operation;
  }
}

test('a plan that is cut off by a long throttling goes on from what was looked up, and asks nobody twice', async () => {
  await control.seed({ users: people.length });
  await putGroup(control, 'distributionList', { owners: [owner], members: [ada] }, newId());
  // Longer than a slice of planning may take, half-way through the batches of ten lookups.
  const throttle = { kind: 'throttle', seconds: 600 } as const;
  await control.fault({ upstream: 'exchange', match: { cmdlet: 'Get-Recipient' }, fault: throttle, skip: 250 });
  await control.clearCalls();

  const answer = await setMembers(app, 'harbour-list@contoso.com', [ada, ...people], { dryRun: true });
  expect(answer).toMatchObject({ status: 202, body: { outcome: 'running', planId: null } });
  const cutOff = await waiting(answer);
  expect(cutOff.body).toMatchObject({ done: false, code: 'throttled', totalCount: 0 });
  expect(cutOff.body?.message).toMatch(/^Planning: 2\d{3} desired entries are looked up\./);
  expect(Date.parse(String(cutOff.body?.dueAt))).toBeGreaterThan(clock.now() + 500_000);
  expect(await lookups()).toBeLessThan(2_700);

  await control.clearFaults();
  await control.clock({ advanceMs: 900_000 });
  aheadMs += 900_000;
  await app.fire('sweep');
  const end = await endOf(app, answer);
  expect(end.body).toMatchObject({ state: 'succeeded', totalCount: people.length, unchangedCount: 1, failedCount: 0 });
  // Once each, but for the chunk that the throttling struck.
  expect(await lookups()).toBeLessThan(people.length + 150);
});

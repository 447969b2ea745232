import { afterAll, beforeEach, expect, test } from '@jest/globals';
import { endOf, newId, outcomesOf, putGroup, setMembers, settableKinds } from '../members/setting.ts';
import { readCast } from '../support/directory.ts';
import { startWorld } from '../support/world.ts';

const world = await startWorld();
const { control } = world;
const app = await world.startApp();
const cast = await readCast(control);
const [owner = '', ada = '', ben = ''] = cast.staff;
const { name } = settableKinds.distributionList;
const people = (count: number): string[] =>
  Array.from({ length: count }, (_, index) => `person${String(index + 1).padStart(6, '0')}@contoso.com`);

beforeEach(async () => {
  await control.reset();
  await putGroup(control, 'distributionList', { owners: [owner], members: [ada, ben] }, newId());
});
afterAll(() => world.close());

test('an operation whose new members are all refused does not empty the group of its old ones', async () => {
  await control.seed({ users: 110 });
  await control.fault({
    upstream: 'exchange',
    match: { cmdlet: 'Add-DistributionGroupMember' },
    fault: { kind: 'batchParts', count: 10, status: 403 },
    times: 11,
  });
  const answer = await setMembers(app, name, people(110));
  expect(answer.status).toBe(202);
  const end = await endOf(app, answer);
  expect(end.body).toMatchObject({
    state: 'failed',
    addedCount: 0,
    removedCount: 0,
    failedCount: 112,
    totalCount: 112,
  });
  const last = await app.call('GET', `operations/${String(answer.body?.operationId)}`, { query: { cursor: '2' } });
  expect(outcomesOf(last)).toEqual([
    [ada, 'not_attempted', 'would_empty_group'],
    [ben, 'not_attempted', 'would_empty_group'],
  ]);
  expect(await control.membersOf('harbour-list')).toEqual([cast.idOf(ada), cast.idOf(ben)]);

  // The same with members who come: now the old ones may go.
  const again = await endOf(app, await setMembers(app, name, people(110)));
  expect(again.body).toMatchObject({ state: 'succeeded', addedCount: 110, removedCount: 2, failedCount: 0 });
});

test('an operation takes a lookup that failed for now for no answer: it asks again, and nobody is held back', async () => {
  await control.seed({ users: 5_010 });
  await control.fault({
    upstream: 'exchange',
    match: { cmdlet: 'Get-Recipient' },
    fault: { kind: 'batchParts', count: 3, status: 503 },
    skip: 40,
  });
  const answer = await setMembers(app, name, [ada, ...people(5_010)], { dryRun: true });
  const end = await endOf(app, answer);
  expect(end.body).toMatchObject({ state: 'succeeded', totalCount: 5_011, failedCount: 0, unchangedCount: 1 });
}, 60_000);

test('a poisoned message that names no operation harms nobody, and is logged', async () => {
  await app.fire('runOperationPoison', 'garbage');
  const logged = app.host.logs.filter(({ functionName }) => functionName === 'runOperationPoison');
  expect(logged.map(({ message }) => message).join('\n')).toContain('operation_poisoned');
});

import { afterAll, beforeEach, describe, expect, test } from '@jest/globals';
import { batchSizes, parametersOf } from '../support/directory.ts';
import { type JsonObject, rowsOf, startWorld } from '../support/world.ts';
import { endOf, newId, putGroup, setMembers, settableKinds } from './setting.ts';

const world = await startWorld();
const { control } = world;
const app = await world.startApp();
const owner = 'amara.osei@contoso.com';
const list = settableKinds.distributionList.name;
const name = 'harbour-list';
const size = 5_000;
const person = (number: number): string => `person${String(number).padStart(6, '0')}@contoso.com`;
const people = (from: number, to: number): string[] =>
  Array.from({ length: to - from }, (_, index) => person(from + index));
const addCmdlet = 'Add-DistributionGroupMember';
const removeCmdlet = 'Remove-DistributionGroupMember';

beforeEach(async () => {
  await control.reset();
  await putGroup(control, 'distributionList', { owners: [owner], members: [] }, newId());
  await control.seed({ users: 5_400, members: { [name]: size } });
  await control.clearCalls();
});
afterAll(() => world.close());

const warningsOf = (body: JsonObject | null): string[] => body?.warnings as string[];
const sizeWarning = /5\d{3} members and no delivery restriction/;

/** Everybody but the first 200, and 300 more; spelled anew. */
const desired = people(201, 5_301)
  .map((upn, index) => (index % 2 === 0 ? upn.toUpperCase() : upn))
  .reverse();

test('5,000 members, 300 to add and 200 to remove: looked at, refused, overtaken, refused again, then done', async () => {
  const dry = await setMembers(app, list, desired, { dryRun: true });
  expect(dry).toMatchObject({ status: 202, body: { done: false, dryRun: true, changed: false } });
  const plan = await endOf(app, dry);
  expect(plan.body).toMatchObject({ state: 'succeeded', totalCount: 500, unchangedCount: 4_800 });
  expect(await control.writes()).toEqual([]);
  const rows = rowsOf(plan, 'results');
  expect(rows.filter(({ outcome }) => outcome === 'would_add')).toHaveLength(300);
  expect(rows.filter(({ outcome }) => outcome === 'would_remove')).toHaveLength(200);
  const { planId } = plan.body ?? {};

  // 200 of 5,000 are below a tenth: the guard is asked for another limit.
  const refused = await endIfRunning(await setMembers(app, list, desired, { planId, maxRemovals: 199 }));
  expect(refused).toMatchObject({ code: 'too_many_removals' });
  expect(JSON.stringify(refused)).toContain('200 members would be removed; maxRemovals is 199.');

  await control.addMember(name, person(5_350));
  const overtaken = await endIfRunning(await setMembers(app, list, desired, { planId }));
  expect(overtaken).toMatchObject({ code: 'plan_changed' });
  expect(JSON.stringify(overtaken)).toContain('300 would be added and 201 removed');
  await control.removeMember(name, person(5_350));
  expect(await control.writes()).toEqual([]);

  await control.clearCalls();
  const accepted = await setMembers(app, list, desired, { planId });
  expect(accepted).toMatchObject({ status: 202, body: { outcome: 'running', done: false } });
  expect(accepted.headers.get('operation-location')).toContain(String(accepted.body?.operationId));
  const end = await endOf(app, accepted);
  expect(end.body).toMatchObject({
    ok: true,
    state: 'succeeded',
    planId,
    progressPercent: 100,
    totalCount: 500,
    doneCount: 500,
    addedCount: 300,
    removedCount: 200,
    unchangedCount: 4_800,
    failedCount: 0,
  });
  expect(warningsOf(end.body)).toEqual([expect.stringMatching(sizeWarning)]);

  expect(await batchSizes(control, addCmdlet)).toEqual(Array(Math.ceil(300 / 10)).fill(10));
  expect(await batchSizes(control, removeCmdlet)).toEqual(Array(Math.ceil(200 / 10)).fill(10));
  const calls = await control.calls();
  const reads = calls.filter(({ method, path }) => method === 'GET' && path.includes('/members?'));
  // 5,000 members in pages of 999; a look-up for each who has to be found; nothing for whoever stays.
  expect(reads).toHaveLength(6);
  expect(await batchSizes(control, 'Get-Recipient')).toEqual(Array(30).fill(10));
  const lookedUp = calls.flatMap((row) => (row.cmdlet === 'Get-Recipient' && row.requestBody !== null ? [row] : []));
  const named = lookedUp.flatMap((row) => {
    const { Identity } = isCommand(row) ? parametersOf(row) : {};
    return typeof Identity === 'string' && Identity.includes('@') ? [Identity.toLowerCase()] : [];
  });
  const staying = new Set(people(201, 5_001));
  expect(new Set(named)).toEqual(new Set(people(5_001, 5_301)));
  expect(named.filter((each) => staying.has(each))).toEqual([]);

  const now = await app.call('PUT', `groups/${list}/members`, { body: { members: desired, dryRun: true } });
  expect((await endOf(app, now)).body).toMatchObject({ totalCount: 0, unchangedCount: 5_100 });
}, 120_000);

test('A plan of more rows than a reply holds is told page by page by an operation that writes nothing', async () => {
  const dry = await setMembers(app, list, people(1, 4_401), { dryRun: true });
  expect(dry).toMatchObject({ status: 202, body: { dryRun: true, planId: expect.any(String), plannedCount: 600 } });
  expect(warningsOf(dry.body)).toEqual([expect.stringContaining('too_many_removals')]);
  const end = await endOf(app, dry);
  expect(end.body).toMatchObject({ state: 'succeeded', planId: dry.body?.planId, totalCount: 600, hasMore: true });
  const path = `operations/${String(dry.body?.operationId)}`;
  const next = await app.call('GET', path, { query: { cursor: String(end.body?.nextCursor) } });
  const rows = [...rowsOf(end, 'results'), ...rowsOf(next, 'results')];
  expect(rows.map(({ member, outcome }) => `${String(member)} ${String(outcome)}`)).toEqual(
    people(4_401, 5_001).map((upn) => `${upn} would_remove`),
  );
  expect(await control.writes()).toEqual([]);
});

const isCommand = ({ requestBody }: { requestBody: unknown }): boolean =>
  typeof requestBody === 'object' && requestBody !== null && 'CmdletInput' in requestBody;

/** What a request came to, whether it was told at once or by its operation. */
async function endIfRunning(answer: Awaited<ReturnType<typeof setMembers>>): Promise<JsonObject | null> {
  return answer.status === 202 ? (await endOf(app, answer)).body : answer.body;
}

describe('a list that grows past 5,000 members', () => {
  const grow = () => setMembers(app, list, [...people(1, 4_999), person(5_001), person(5_002)], { maxRemovals: 10 });
  const shrinkTo = async (count: number): Promise<void> => {
    for (let number = size; number > count; number -= 1) await control.removeMember(name, person(number));
  };

  test('is warned of when it has no delivery restriction, with the fix', async () => {
    await shrinkTo(4_998);
    const answer = await setMembers(app, list, people(1, 5_001));
    expect(answer).toMatchObject({ status: 200, body: { ok: true, addedCount: 2 } });
    expect(warningsOf(answer.body)).toEqual([
      expect.stringMatching(/5000 members and no delivery.*acceptMessagesFrom/),
    ]);
    const single = await app.call('POST', `groups/${list}/members`, { body: { members: [person(5_001)] } });
    expect(warningsOf(single.body)).toEqual([expect.stringMatching(sizeWarning)]);
  }, 60_000);

  test('is not warned of below that, nor when it only loses members', async () => {
    await shrinkTo(4_996);
    expect(await setMembers(app, list, people(1, 5_000))).toMatchObject({ body: { addedCount: 3, warnings: [] } });
    await control.addMember(name, person(5_000));
    await control.addMember(name, person(5_001));
    const smaller = await setMembers(app, list, people(1, 5_001));
    expect(smaller).toMatchObject({ body: { removedCount: 1 } });
    // Of those added a moment ago Graph may not show all yet.
    expect(warningsOf(smaller.body)).toEqual([expect.stringMatching(/added to this group within the last minute/)]);
  }, 60_000);

  test('is not warned of with a restriction', async () => {
    await putGroup(
      control,
      'distributionList',
      { owners: [owner], members: people(1, 5_001) },
      { exchange: { AcceptMessagesOnlyFromSendersOrMembers: [owner] } },
    );
    expect(await endIfRunning(await grow())).toMatchObject({ ok: true, addedCount: 2, removedCount: 2, warnings: [] });
  }, 60_000);
});

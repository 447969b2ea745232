import { afterAll, beforeEach, describe, expect, test } from '@jest/globals';
import { systemClock } from '../../shared/clock.ts';
import { readCast } from '../support/directory.ts';
import { type App, rowsOf, startWorld } from '../support/world.ts';
import { newId, outcomesOf, putGroup, setMembers, settableKinds } from './setting.ts';

const world = await startWorld();
const { control } = world;
const app = await world.startApp();
const cast = await readCast(control);
const [owner = '', ada = '', ben = '', cem = '', dora = ''] = cast.staff;
const crew = settableKinds.mailEnabledSecurity.name;
const access = settableKinds.security.name;

beforeEach(async () => {
  await control.reset();
  await putGroup(control, 'mailEnabledSecurity', { owners: [owner], members: [ada, ben] }, newId());
  await putGroup(control, 'security', { owners: [owner], members: [ada, ben] }, newId());
});
afterAll(() => world.close());

const idsOf = (...upns: string[]): string[] => upns.map(cast.idOf).sort();
const membersOf = async (group: string): Promise<string[]> =>
  (await control.membersOf(group.split('@')[0] ?? '')).sort();

describe.each([crew, access])('an entry that cannot be used, in %s', (group) => {
  const set = (members: unknown, more: object = {}, asked: App = app) => setMembers(asked, group, members, more);
  /** Ben is no longer desired in any of these. */
  const heldBack = [ben, 'not_attempted', 'held_back'];
  const removed = [ben, 'removed', 'removed'];

  test('because nobody has the address holds removals back, since it may mean a member; adds go on', async () => {
    const answer = await set([ada, cem, 'Nobody@Contoso.com']);
    expect(answer).toMatchObject({ status: 200, body: { ok: false, outcome: 'partial', changed: true } });
    expect(answer.body).toMatchObject({ addedCount: 1, removedCount: 0, failedCount: 2, plannedCount: 1 });
    expect(answer.body?.firstError).toContain('Nobody@Contoso.com');
    expect(outcomesOf(answer)).toEqual([
      ['Nobody@Contoso.com', 'failed', 'member_not_found'],
      heldBack,
      [cem, 'added', 'added'],
    ]);
    expect(await membersOf(group)).toEqual(idsOf(ada, ben, cem));
  });

  test('alone, with nothing else to do, is partial and writes nothing', async () => {
    const answer = await set([ada, ben, 'nobody@contoso.com']);
    expect(answer.body).toMatchObject({ ok: false, outcome: 'partial', changed: false, unchangedCount: 2 });
    expect(await control.writes()).toEqual([]);
  });

  test('of all entries of an empty group has failed', async () => {
    for (const member of [ada, ben]) await control.removeMember(group.split('@')[0] ?? '', member);
    const answer = await set(['nobody@contoso.com']);
    expect(answer.body).toMatchObject({ ok: false, outcome: 'failed', changed: false, failedCount: 1 });
  });

  test('because several have the address holds removals back', async () => {
    await control.tenant({
      users: [{ userPrincipalName: cem, proxyAddresses: [`SMTP:${cem}`, `smtp:${dora}`] }],
    });
    const answer = await set([ada, dora]);
    expect(outcomesOf(answer)).toEqual([[dora, 'failed', 'ambiguous_member'], heldBack]);
    expect(await control.writes()).toEqual([]);
  });

  test('because no object has the id holds nothing back', async () => {
    const nobody = '00000000-0000-4000-8000-00000000dead';
    const answer = await set([ada, nobody]);
    expect(outcomesOf(answer)).toEqual([[nobody, 'failed', 'member_not_found'], removed]);
    expect(await membersOf(group)).toEqual(idsOf(ada));
  });

  test('because it cannot be looked up holds removals back, and the next request does it all', async () => {
    const isCrew = group === crew;
    await control.fault({
      upstream: isCrew ? 'exchange' : 'graph',
      match: isCrew ? { cmdlet: 'Get-Recipient' } : { path: '/$batch' },
      fault: { kind: 'batchParts', indexes: [0], status: 503 },
      times: 20,
    });
    const answer = await set([ada, cem]);
    expect(outcomesOf(answer)).toEqual([[cem, 'failed', expect.any(String)], heldBack]);
    expect(await control.writes()).toEqual([]);
    await control.clearFaults();
    expect((await set([ada, cem])).body).toMatchObject({ ok: true, addedCount: 1, removedCount: 1 });
    expect(await membersOf(group)).toEqual(idsOf(ada, cem));
  });

  test('because its user is protected holds nothing back; who is protected is neither added nor removed', async () => {
    const careful = await world.startApp({ PROTECTED_USERS: `${ben},${dora}` });
    const answer = await set([cem, dora], {}, careful);
    expect(answer.body).toMatchObject({
      ok: false,
      outcome: 'partial',
      addedCount: 1,
      removedCount: 1,
      failedCount: 2,
    });
    expect(outcomesOf(answer)).toEqual([
      [dora, 'failed', 'protected_object'],
      [ben, 'not_attempted', 'protected_object'],
      [cem, 'added', 'added'],
      [ada, 'removed', 'removed'],
    ]);
    expect(await membersOf(group)).toEqual(idsOf(ben, cem));
    // A protected member who is desired is as asked.
    expect((await set([cem, ben], {}, careful)).body).toMatchObject({ ok: true, outcome: 'unchanged' });
  });

  test('because it is a Microsoft 365 group, which nobody can nest, holds nothing back', async () => {
    const { mail } = cast.unified;
    const answer = await set([ada, mail]);
    expect(outcomesOf(answer)).toEqual([[mail, 'failed', 'member_kind_not_allowed'], removed]);
  });
});

test('A user without mailbox is not ready for a list and holds nothing back; a security group takes them', async () => {
  const answer = await setMembers(app, crew, [ada, cast.withoutMailbox]);
  expect(outcomesOf(answer)).toEqual([
    [cast.withoutMailbox, 'not_ready', 'no_mailbox'],
    [ben, 'removed', 'removed'],
  ]);
  expect(answer.body).toMatchObject({ ok: false, outcome: 'partial' });
  expect((await setMembers(app, access, [ada, cast.withoutMailbox])).body).toMatchObject({ ok: true, addedCount: 1 });
});

describe('new members who are all refused', () => {
  const refuseAdds = () =>
    control.fault({
      upstream: 'exchange',
      match: { cmdlet: 'Add-DistributionGroupMember' },
      fault: { kind: 'batchParts', count: 10, status: 403 },
    });

  test('do not empty the group of its old ones', async () => {
    await refuseAdds();
    const answer = await setMembers(app, crew, [cem]);
    expect(answer.body).toMatchObject({
      ok: false,
      outcome: 'failed',
      changed: false,
      removedCount: 0,
      failedCount: 3,
    });
    expect(outcomesOf(answer)).toEqual([
      [cem, 'failed', 'exchange_forbidden'],
      [ada, 'not_attempted', 'would_empty_group'],
      [ben, 'not_attempted', 'would_empty_group'],
    ]);
    expect(await membersOf(crew)).toEqual(idsOf(ada, ben));
    expect((await setMembers(app, crew, [cem])).body).toMatchObject({ ok: true, addedCount: 1, removedCount: 2 });
  });

  test('let the old ones go where others stay, or the group may be empty', async () => {
    await refuseAdds();
    expect((await setMembers(app, crew, [ada, cem])).body).toMatchObject({ removedCount: 1, failedCount: 1 });
    await refuseAdds();
    expect((await setMembers(app, crew, [cem], { allowEmpty: true })).body).toMatchObject({ removedCount: 1 });
    expect(await membersOf(crew)).toEqual([]);
  });
});

describe('the guard over 24 hours', () => {
  const many = cast.staff.slice(1, 13);
  let aheadMs = 0;
  const clock = { ...systemClock, now: () => systemClock.now() + aheadMs };

  beforeEach(async () => {
    aheadMs = 0;
    await putGroup(control, 'mailEnabledSecurity', { owners: [owner], members: many });
  });

  test('counts what setMembers and removeMembers have removed, and forgets it after a day', async () => {
    const later = await world.startApp({}, { clock });
    const [first = '', second = ''] = many;
    expect((await setMembers(later, crew, many.slice(1))).body).toMatchObject({ ok: true, removedCount: 1 });
    aheadMs += 3_600_000;
    const removal = { body: { members: [first, second] } };
    expect((await later.call('POST', `groups/${crew}/members/remove`, removal)).body).toMatchObject({
      removedCount: 1,
    });

    aheadMs += 22 * 3_600_000;
    const refused = await setMembers(later, crew, many.slice(6));
    expect(refused).toMatchObject({ status: 409, body: { code: 'too_many_removals' } });
    expect(refused.body?.detail).toBe(
      '4 members would be removed; 5 may go from a group of 12 within 24 hours, and 2 were removed in the last 24 hours. Nothing was written.',
    );
    expect((await setMembers(later, crew, many.slice(6), { dryRun: true })).body?.warnings).toEqual([
      expect.stringContaining('2 were removed in the last 24 hours'),
    ]);

    // The first is a day old, the second is not: four more make five.
    aheadMs += 3_600_000 + 60_000;
    expect((await setMembers(later, crew, many.slice(6))).body).toMatchObject({ ok: true, removedCount: 4 });
    expect(await setMembers(later, crew, many.slice(7))).toMatchObject({ status: 409 });
    expect((await setMembers(later, crew, many.slice(7), { maxRemovals: 1 })).body).toMatchObject({ removedCount: 1 });
    aheadMs += 25 * 3_600_000;
    expect((await setMembers(later, crew, many.slice(10))).body).toMatchObject({ ok: true, removedCount: 3 });
  });

  test('is measured by the size before the first removal, however the group grows since', async () => {
    await setMembers(app, crew, many.slice(1));
    for (const member of cast.staff.slice(14, 18)) await control.addMember('harbour-crew', member);
    const answer = await setMembers(app, crew, many.slice(4));
    expect(answer.body?.detail).toContain('5 may go from a group of 12 within 24 hours, and 1 were removed');
  });

  test('counts nothing that was only looked at, refused, or no member before', async () => {
    await setMembers(app, crew, many.slice(5), { dryRun: true });
    await setMembers(app, crew, []);
    await app.call('POST', `groups/${crew}/members/remove`, { body: { members: [cast.staff[20]] } });
    expect((await setMembers(app, crew, many.slice(5))).body).toMatchObject({ ok: true, removedCount: 5 });
  });
});

describe('a group that must not be written', () => {
  test.each<[string, string, number, string]>([
    ['dynamic', cast.dynamic.displayName, 403, 'dynamic_membership'],
    ['synced', cast.syncedList.mail ?? '', 403, 'on_premises_synced'],
    ['synced, security', cast.syncedSecurity.mail ?? '', 403, 'on_premises_synced'],
    ['role-assignable', cast.roleAssignable.displayName, 403, 'role_assignable'],
    ['restricted', cast.restricted.displayName, 403, 'management_restricted'],
    ['a room list', cast.roomList.mail ?? '', 403, 'unknown_kind'],
    ['a dynamic distribution group', cast.dynamicDistribution.mail ?? '', 403, 'dynamic_membership'],
    ['one of two of a name', cast.twins[0].displayName, 409, 'ambiguous_group'],
    ['nowhere', 'nowhere@contoso.com', 404, 'group_not_found'],
  ])('(%s) is refused before anything is planned, dry run or not', async (_what, group, status, code) => {
    const answers = [await setMembers(app, group, [ada]), await setMembers(app, group, [ada], { dryRun: true })];
    for (const answer of answers) {
      expect(answer).toMatchObject({ status, body: { code } });
    }
    expect(await control.writes()).toEqual([]);
    expect(await control.calls({ path: '/members' })).toEqual([]);
  });

  test('because the configuration protects it is refused', async () => {
    const careful = await world.startApp({ PROTECTED_GROUPS: crew, MANAGED_GROUPS: crew });
    expect(await setMembers(careful, crew, [ada])).toMatchObject({ status: 403, body: { code: 'protected_object' } });
    expect((await setMembers(careful, access, [ada])).body).toMatchObject({ code: 'outside_managed_groups' });
  });

  test('because writing is set to reportOnly is only looked at', async () => {
    const reporting = await world.startApp({ WRITE_MODE: 'reportOnly' });
    expect((await setMembers(reporting, crew, [ada, cem])).body).toMatchObject({
      outcome: 'planned',
      dryRun: true,
      changed: false,
      plannedCount: 2,
    });
    const off = await world.startApp({ WRITE_MODE: 'off' });
    expect((await setMembers(off, crew, [ada, cem])).status).toBe(403);
    expect(await control.writes()).toEqual([]);
  });
});

describe('the body', () => {
  const put = (raw: string) =>
    app.call('PUT', `groups/${crew}/members`, { raw, headers: { 'content-type': 'application/json' } });
  const entries = (count: number): string[] => Array.from({ length: count }, (_, index) => `m${index}@contoso.com`);

  test('of more than 8 MB is not read', async () => {
    expect(await put(JSON.stringify({ members: 'x'.repeat(8 * 1_048_576) }))).toMatchObject({ status: 413 });
  });

  test.each<[string, (members: string[]) => unknown]>([
    ['a list', (members) => members],
    ['a text', (members) => members.join('\n')],
  ])('with 100,001 entries as %s is refused, and says how many may be', async (_what, shape) => {
    const answer = await put(JSON.stringify({ members: shape(entries(100_001)) }));
    expect(answer).toMatchObject({ status: 400, body: { code: 'invalid_request' } });
    expect(rowsOf(answer, 'errors')).toEqual([
      expect.objectContaining({ pointer: '/members', message: expect.stringMatching(/100,?000/) }),
    ]);
  });

  test.each<[string, object, string]>([
    ['an entry that is no name', { members: ['ada'] }, '/members/0'],
    ['no members', {}, '/members'],
    ['another scope', { members: [], scope: 'contacts' }, '/scope'],
    ['a negative limit', { members: [], maxRemovals: -1 }, '/maxRemovals'],
    ['a planId of other shape', { members: [], planId: 'plan' }, '/planId'],
    ['an unknown field', { members: [], force: true }, '/force'],
  ])('with %s is refused, and says where', async (_what, body, pointer) => {
    const answer = await put(JSON.stringify(body));
    expect(answer.status).toBe(400);
    expect(rowsOf(answer, 'errors').map((error) => error.pointer)).toEqual([pointer]);
  });
});

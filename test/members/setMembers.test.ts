import { afterAll, beforeEach, describe, expect, test } from '@jest/globals';
import { auditRows } from '../support/auditRows.ts';
import { batchSizes, directoryOf, readCast } from '../support/directory.ts';
import { rowsOf, startWorld } from '../support/world.ts';
import { kindNames, newId, outcomesOf, putGroup, setMembers, settableKinds, type SettableKind } from './setting.ts';

const world = await startWorld();
const { control } = world;
const app = await world.startApp();
const cast = await readCast(control);
const [owner = '', ada = '', ben = '', cem = '', dora = ''] = cast.staff;

beforeEach(() => control.reset());
afterAll(() => world.close());

const idsOf = (...upns: string[]): string[] => upns.map(cast.idOf).sort();
const livesInExchange = (kind: SettableKind): boolean => kind === 'distributionList' || kind === 'mailEnabledSecurity';

describe.each(kindNames)('setting the members of a group of kind %s', (kind) => {
  const { name } = settableKinds[kind];
  const set = (members: unknown, more: object = {}) => setMembers(app, name, members, more);
  const membersNow = async (): Promise<string[]> => (await control.membersOf(name.split('@')[0] ?? '')).sort();

  beforeEach(() => putGroup(control, kind, { owners: [owner], members: [ada, ben] }, newId()));

  test('adds who is missing, removes who is not desired, and touches nobody else', async () => {
    const answer = await set([ada, cem, dora]);
    expect(answer).toMatchObject({
      status: 200,
      body: {
        ok: true,
        outcome: 'updated',
        changed: true,
        dryRun: false,
        done: true,
        operationId: null,
        retryAfterSeconds: null,
        plannedCount: 3,
        addedCount: 2,
        removedCount: 1,
        unchangedCount: 1,
        keptCount: 0,
        failedCount: 0,
        firstError: null,
        warnings: [],
        planId: expect.stringMatching(/^[0-9a-f]{32}$/),
      },
    });
    expect(outcomesOf(answer)).toEqual([
      [cem, 'added', 'added'],
      [dora, 'added', 'added'],
      [ben, 'removed', 'removed'],
    ]);
    expect(await membersNow()).toEqual(idsOf(ada, cem, dora));
    expect(JSON.stringify(await control.writes())).not.toContain(cast.idOf(ada));
  });

  test('is all there is to do when the group is as desired: nothing is written', async () => {
    const answer = await set([ben, ada]);
    expect(answer.body).toMatchObject({
      ok: true,
      outcome: 'unchanged',
      changed: false,
      plannedCount: 0,
      unchangedCount: 2,
      results: [],
    });
    expect(await control.writes()).toEqual([]);
    const repeated = await set([ben, ada]);
    expect(repeated.body?.planId).toBe(answer.body?.planId);
  });

  test('knows the members by other spelling, id, alias and twice named, and plans no change', async () => {
    await control.tenant({
      users: [{ userPrincipalName: ben, proxyAddresses: [`SMTP:${ben}`, 'smtp:benny@contoso.com'] }],
    });
    const desired = [ada.toUpperCase(), cast.idOf(ada).toUpperCase(), 'Benny@Contoso.com', ben];
    expect((await set(desired)).body).toMatchObject({ outcome: 'unchanged', unchangedCount: 2, plannedCount: 0 });
    expect((await set(desired.join(';\r\n '))).body).toMatchObject({ outcome: 'unchanged', unchangedCount: 2 });
    expect(await control.writes()).toEqual([]);
  });

  test('adds once who is named by two names, and says so in the words of the request', async () => {
    const answer = await set([ada, ben, cem.toUpperCase(), cast.idOf(cem), cem]);
    expect(outcomesOf(answer)).toEqual([[cem.toUpperCase(), 'added', 'added']]);
    expect(await membersNow()).toEqual(idsOf(ada, ben, cem));
  });

  test('only looks with dryRun: the plan that then is carried out as it was shown', async () => {
    const dry = await set([ada, cem], { dryRun: true });
    expect(dry).toMatchObject({
      status: 200,
      body: { ok: true, outcome: 'planned', changed: false, dryRun: true, done: true, plannedCount: 2 },
    });
    expect(dry.body).toMatchObject({ addedCount: 0, removedCount: 0, unchangedCount: 1, warnings: [] });
    expect(outcomesOf(dry)).toEqual([
      [cem, 'would_add', 'would_add'],
      [ben, 'would_remove', 'would_remove'],
    ]);
    expect(await control.writes()).toEqual([]);
    expect(await auditRows(app.storage, String(dry.body?.requestId))).toEqual([]);
    expect(await membersNow()).toEqual(idsOf(ada, ben));

    const planId = dry.body?.planId;
    expect((await set([cast.idOf(cem), ada.toUpperCase()], { planId })).body).toMatchObject({
      outcome: 'updated',
      planId,
      addedCount: 1,
      removedCount: 1,
    });
    expect(await membersNow()).toEqual(idsOf(ada, cem));
  });

  test('is refused when the plan is no longer what was looked at', async () => {
    const { planId } = (await set([ada, cem], { dryRun: true })).body ?? {};
    await control.addMember(name.split('@')[0] ?? '', dora);
    const answer = await set([ada, cem], { planId });
    expect(answer).toMatchObject({ status: 409, body: { code: 'plan_changed', retryable: false } });
    expect(answer.body?.detail).toMatch(/1 would be added and 2 removed/);
    expect(await control.writes()).toEqual([]);
    expect(await membersNow()).toEqual(idsOf(ada, ben, dora));
    // Whoever is left alone by a plan may come and go meanwhile.
    await control.removeMember(name.split('@')[0] ?? '', dora);
    expect((await set([ada, cem], { planId })).body).toMatchObject({ ok: true, outcome: 'updated' });
  });

  test('empties a group only where that is allowed', async () => {
    expect(await set([])).toMatchObject({ status: 409, body: { code: 'would_empty_group' } });
    expect(await membersNow()).toEqual(idsOf(ada, ben));
    expect((await set('', { allowEmpty: true })).body).toMatchObject({ ok: true, removedCount: 2, unchangedCount: 0 });
    expect(await membersNow()).toEqual([]);
    expect((await set([], { allowEmpty: false })).body).toMatchObject({ outcome: 'unchanged' });
  });

  test('refuses to remove more than the guard allows, names the numbers, and does as it is told', async () => {
    const many = cast.staff.slice(1, 9);
    await putGroup(control, kind, { owners: [owner], members: many });
    const answer = await set(many.slice(0, 2));
    expect(answer).toMatchObject({ status: 409, body: { code: 'too_many_removals', retryable: false } });
    expect(answer.body?.detail).toBe(
      '6 members would be removed; 5 may go from a group of 8 within 24 hours. Nothing was written.',
    );
    expect(answer.body?.fix).toContain('"maxRemovals": 6');
    expect((await set(many.slice(0, 2), { dryRun: true })).body).toMatchObject({
      ok: true,
      plannedCount: 6,
      warnings: [expect.stringContaining('too_many_removals')],
    });
    expect(await set(many.slice(0, 2), { maxRemovals: 5 })).toMatchObject({ status: 409 });
    expect(await control.writes()).toEqual([]);
    expect((await set(many.slice(0, 2), { maxRemovals: 6 })).body).toMatchObject({ ok: true, removedCount: 6 });
    expect(await membersNow()).toEqual(idsOf(...many.slice(0, 2)));
  });

  test('is audited batch by batch: who, before and after', async () => {
    const answer = await set([ada, cem]);
    const rows = await auditRows(app.storage, String(answer.body?.requestId));
    expect(rows.map(({ action, state, targetName }) => [action, state, targetName])).toEqual([
      ['setMembers', 'succeeded', name.includes('@') ? name : name.split('@')[0]],
      ['setMembers', 'succeeded', name.includes('@') ? name : name.split('@')[0]],
    ]);
    expect(rows.map(({ after }) => after)).toEqual([
      [{ id: cast.idOf(cem), address: cem, before: 'not a member', after: 'member' }],
      [{ id: cast.idOf(ben), address: ben, before: 'member', after: 'not a member' }],
    ]);
  });

  test('writes in batches as large as the directory takes, and removes by reference alone', async () => {
    const thirty = Array.from({ length: 30 }, (_, index) => `deckhand${index}@contoso.com`);
    await control.tenant({ users: thirty.map((upn) => ({ userPrincipalName: upn, mail: upn })) });
    await control.clearCalls();
    expect((await set([ada, ben, ...thirty])).body).toMatchObject({ ok: true, addedCount: 30 });
    expect((await set([ada, ben], { maxRemovals: 30 })).body).toMatchObject({ ok: true, removedCount: 30 });
    if (livesInExchange(kind)) {
      expect(await batchSizes(control, 'Add-DistributionGroupMember')).toEqual([10, 10, 10]);
      expect(await batchSizes(control, 'Remove-DistributionGroupMember')).toEqual([10, 10, 10]);
      return;
    }
    const writes = (await control.writes()).map(({ method, path }) => ({ method, path }));
    const patches = writes.filter(({ method }) => method === 'PATCH');
    const removals = writes.filter(({ method }) => method === 'DELETE');
    expect([patches.length, removals.length, writes.length]).toEqual([2, 30, 32]);
    // Without /$ref Graph deletes the user (graph.md §1.5).
    for (const { path } of removals) expect(path).toMatch(/\/groups\/[^/]+\/members\/[^/]+\/\$ref$/);
    const { users } = await directoryOf(control);
    expect(users.filter(({ userPrincipalName }) => thirty.includes(userPrincipalName))).toHaveLength(30);
  });
});

describe.each<SettableKind>(['distributionList', 'mailEnabledSecurity', 'security'])(
  'contacts and groups in a group of kind %s',
  (kind) => {
    const { name } = settableKinds[kind];
    const nested = kind === 'security' ? cast.security.displayName : 'quay-news@contoso.com';
    const set = (members: unknown, more: object = {}) => setMembers(app, name, members, more);
    const membersNow = async (): Promise<string[]> => (await control.membersOf(name.split('@')[0] ?? '')).sort();
    let nestedId = '';

    beforeEach(async () => {
      if (kind !== 'security') {
        const mailEnabled = { mailEnabled: true, securityEnabled: false };
        await control.tenant({
          groups: [{ mail: nested, displayName: 'Quay News', owners: [owner], ...mailEnabled }],
        });
      }
      const members = [ada, ben, cast.contact.mail, nested];
      await putGroup(control, kind, { owners: [owner], members }, newId());
      const { groups } = await directoryOf(control);
      nestedId = groups.find(({ mail, displayName }) => (mail ?? displayName) === nested)?.id ?? '';
    });

    test('stay with scope users, and each is told', async () => {
      const answer = await set([ada]);
      expect(answer.body).toMatchObject({ ok: true, outcome: 'updated', removedCount: 1, keptCount: 2 });
      expect(rowsOf(answer, 'results').filter(({ outcome }) => outcome === 'kept')).toEqual([
        expect.objectContaining({ code: 'kept', message: expect.stringContaining('orgContact') }),
        expect.objectContaining({ code: 'kept', message: expect.stringContaining('group') }),
      ]);
      expect(await membersNow()).toEqual([...idsOf(ada), cast.contact.id, nestedId].sort());
      expect((await set([ada])).body).toMatchObject({ outcome: 'unchanged', keptCount: 2, unchangedCount: 1 });
    });

    test('go with scope all', async () => {
      const answer = await set([ada], { scope: 'all' });
      expect(answer.body).toMatchObject({ ok: true, outcome: 'updated', removedCount: 3, keptCount: 0 });
      expect(await membersNow()).toEqual(idsOf(ada));
    });

    test('stay with scope all when they are desired, by id or by address', async () => {
      const desired = [ada, ben, cast.contact.mail.toUpperCase(), nestedId];
      const answer = await set(desired, { scope: 'all' });
      expect(answer.body).toMatchObject({ outcome: 'unchanged', unchangedCount: 4 });
    });
  },
);

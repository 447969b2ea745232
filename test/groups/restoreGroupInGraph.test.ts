import { afterAll, beforeEach, describe, expect, test } from '@jest/globals';
import { auditRows } from '../support/auditRows.ts';
import { directoryOf, readCast, type TenantGroup } from '../support/directory.ts';
import { type Answer, type JsonObject, rowsOf, startWorld } from '../support/world.ts';

const world = await startWorld();
const { control } = world;
let app = await world.startApp();
const { storage } = app;
const cast = await readCast(control);
const [owner = '', ada = '', ben = ''] = cast.staff;
const ids = [owner, ada, ben].map(cast.idOf);

beforeEach(async () => {
  await control.reset();
  await app.close();
  app = await world.startApp({ AzureWebJobsStorage: storage });
});
afterAll(() => world.close());

async function create(kind: 'security' | 'microsoft365', body: object = {}): Promise<TenantGroup> {
  const wanted = { kind, displayName: 'Pilots', alias: 'pilots', owners: [owner], members: [ada, ben], ...body };
  const answer = await app.call('POST', 'groups', { body: wanted });
  if (answer.status !== 201) throw new Error(answer.text);
  return groupOf(String(answer.body?.id));
}
async function groupOf(id: string): Promise<TenantGroup> {
  const found = (await directoryOf(control)).groups.find((group) => group.id === id);
  if (!found) throw new Error(`no group ${id}`);
  return found;
}
async function remove({ id, displayName }: TenantGroup): Promise<string> {
  const answer = await app.call('DELETE', `groups/${id}`, { query: { confirm: displayName } });
  if (answer.status !== 200) throw new Error(answer.text);
  await control.clearCalls();
  return String(answer.body?.deletionId);
}
const restore = (deletionId: string, body: object = {}): Promise<Answer> =>
  app.call('POST', `deleted-groups/${deletionId}/restore`, { body });
const lost = (answer: Answer): JsonObject[] =>
  rowsOf(answer, 'results').filter(({ outcome }) => outcome !== 'restored');
/** Past the thirty days that Entra keeps a group. */
async function expire(): Promise<void> {
  await control.clock({ advanceMs: 31 * 86_400_000 });
  await app.close();
  app = await world.startApp({ AzureWebJobsStorage: storage });
}

describe('a Microsoft 365 group', () => {
  test('comes back out of the recycle bin as it was, under its id', async () => {
    const old = await create('microsoft365', { description: 'Who fly', visibility: 'Private' });
    const deletionId = await remove(old);
    const answer = await restore(deletionId);
    expect(answer.body).toMatchObject({
      ok: true,
      outcome: 'restored',
      changed: true,
      id: old.id,
      formerId: old.id,
      memberCount: 2,
      restoredMemberCount: 2,
      notRestoredCount: 0,
    });
    expect(lost(answer)).toEqual([]);
    expect(await groupOf(old.id)).toMatchObject({ displayName: 'Pilots', members: old.members, owners: old.owners });
    const rows = await auditRows(storage, String(answer.body?.requestId));
    expect(rows).toMatchObject([{ operation: 'POST /directory/deletedItems/{id}/restore', state: 'succeeded' }]);
  });

  test.each([
    ['carried out', { kind: 'commitThenReset' }],
    ['not carried out', { kind: 'reset' }],
  ] as const)('does so when the answer is lost: %s', async (_what, fault) => {
    const old = await create('microsoft365');
    const deletionId = await remove(old);
    await control.fault({ upstream: 'graph', match: { path: '/restore' }, fault });
    expect((await restore(deletionId)).body).toMatchObject({ outcome: 'restored', id: old.id });
  });

  test('that Entra does not show yet is told to be asked for again', async () => {
    const old = await create('microsoft365');
    const deletionId = await remove(old);
    const body = { error: { code: 'Request_ResourceNotFound', message: 'Not there.' } };
    const match = { method: 'GET', path: `/v1.0/groups/${old.id}` };
    await control.fault({ upstream: 'graph', match, fault: { kind: 'status', status: 404, body }, times: 50 });
    expect(await restore(deletionId)).toMatchObject({ status: 429, body: { code: 'not_replicated' } });
    await control.clearFaults();
    expect((await restore(deletionId)).body).toMatchObject({ outcome: 'restored', id: old.id });
  });

  test('is created anew when Entra has it no longer, and what Graph cannot give is told', async () => {
    const old = await create('microsoft365', { description: 'Who fly', visibility: 'Private' });
    await control.tenant({
      groups: [
        {
          id: old.id,
          resourceProvisioningOptions: ['Team'],
          proxyAddresses: [`SMTP:${String(old.mail)}`, 'smtp:flyers@contoso.com'],
        },
      ],
    });
    const deletionId = await remove(old);
    await expire();
    const answer = await restore(deletionId);
    expect(answer.body).toMatchObject({ ok: true, outcome: 'restored', formerId: old.id, restoredMemberCount: 2 });
    expect(lost(answer).map(({ kind, item }) => [kind, item])).toEqual([
      ['identity', old.id],
      ['address', 'flyers@contoso.com'],
      ['setting', 'team'],
    ]);
    const now = await groupOf(String(answer.body?.id));
    expect(now).toMatchObject({ description: 'Who fly', visibility: 'Private', mailNickname: 'pilots' });
    expect(now.owners).toEqual([ids[0]]);
    expect([...now.members].sort()).toEqual(ids.slice(1).sort());
  });

  test('keeps its owners out of the bin, and says so when others are named', async () => {
    const old = await create('microsoft365');
    const answer = await restore(await remove(old), { owners: [ada] });
    expect(answer.body?.warnings).toEqual([expect.stringMatching(/owners .* left aside/)]);
    expect((await groupOf(old.id)).owners).toEqual([ids[0]]);
  });

  test('of a dry run is told from one that has to be created anew', async () => {
    const old = await create('microsoft365');
    const deletionId = await remove(old);
    expect((await restore(deletionId, { dryRun: true })).body?.message).toContain('recycle bin');
    await expire();
    expect((await restore(deletionId, { dryRun: true })).body?.message).toContain('created anew');
    expect(await control.writes()).toEqual([]);
  });
});

describe('a security group', () => {
  test('is created anew with its owners and members', async () => {
    const old = await create('security', { description: 'Who fly' });
    const deletionId = await remove(old);
    await expire();
    const answer = await restore(deletionId);
    expect(answer.body).toMatchObject({ outcome: 'restored', kind: 'security', restoredMemberCount: 2 });
    const now = await groupOf(String(answer.body?.id));
    expect(now).toMatchObject({ displayName: 'Pilots', description: 'Who fly', securityEnabled: true });
    expect([now.owners, [...now.members].sort()]).toEqual([[ids[0]], ids.slice(1).sort()]);
    expect((await restore(deletionId)).body).toMatchObject({ outcome: 'already_restored', id: now.id });
  });

  test('with more owners than one creation takes gets them all', async () => {
    const users = Array.from({ length: 25 }, (_, index) => ({ userPrincipalName: `chief${index}@contoso.com` }));
    await control.tenant({ users: users.map((user) => ({ ...user, displayName: user.userPrincipalName })) });
    const owners = users.map(({ userPrincipalName }) => userPrincipalName);
    const old = await create('security', { owners });
    const deletionId = await remove(old);
    await expire();
    const answer = await restore(deletionId);
    expect(answer.body).toMatchObject({ outcome: 'restored' });
    expect((await groupOf(String(answer.body?.id))).owners).toHaveLength(25);
    expect(rowsOf(answer, 'results').filter(({ kind }) => kind === 'owner')).toHaveLength(25);
  });

  test.each([
    ['carried out', { kind: 'commitThenReset' }],
    ['not carried out', { kind: 'reset' }],
  ] as const)('whose creation was answered by nobody is there once in the end: %s', async (_what, fault) => {
    const old = await create('security');
    const deletionId = await remove(old);
    await expire();
    await control.fault({ upstream: 'graph', match: { method: 'POST', path: '/v1.0/groups' }, fault });
    await restore(deletionId);
    await control.clearFaults();
    expect(['restored', 'already_restored']).toContain((await restore(deletionId)).body?.outcome);
    const { groups } = await directoryOf(control);
    expect(groups.filter(({ mailNickname }) => mailNickname === 'pilots')).toHaveLength(1);
  });

  test('is not put into an empty one of its name that others own', async () => {
    const old = await create('security');
    const deletionId = await remove(old);
    await expire();
    await create('security', { members: [], owners: [ada] });
    await control.clearCalls();
    expect(await restore(deletionId)).toMatchObject({ status: 409, body: { code: 'address_in_use' } });
    expect(await control.writes()).toEqual([]);
  });

  test('of a name that another one has now is refused', async () => {
    const old = await create('security');
    const deletionId = await remove(old);
    await expire();
    const other = await create('security');
    await control.clearCalls();
    const answer = await restore(deletionId);
    expect(answer).toMatchObject({ status: 409, body: { code: 'address_in_use' } });
    expect(answer.body?.detail).toContain(other.id);
    expect(await control.writes()).toEqual([]);
  });

  test('wants other owners than those it had where they are named, and only such as can be', async () => {
    const old = await create('security');
    const deletionId = await remove(old);
    await expire();
    expect(await restore(deletionId, { owners: ['nobody@contoso.com'] })).toMatchObject({
      status: 409,
      body: { code: 'owner_not_valid' },
    });
    const answer = await restore(deletionId, { owners: [ada], members: false });
    expect((await groupOf(String(answer.body?.id))).owners).toEqual([ids[1]]);
  });

  test('whose former owners are gone says so, and wants new ones when none is left', async () => {
    const leaver = { userPrincipalName: 'leaver@contoso.com', displayName: 'Leaver' };
    await control.tenant({ users: [leaver] });
    const both = await create('security', { owners: [owner, leaver.userPrincipalName] });
    const alone = await create('security', {
      alias: 'alone',
      displayName: 'Alone',
      owners: [leaver.userPrincipalName],
    });
    const deletions = [await remove(both), await remove(alone)] as const;
    await expire();
    const guarded = { AzureWebJobsStorage: storage, PROTECTED_USERS: leaver.userPrincipalName };
    const strict = await world.startApp(guarded);
    const send = (id: string) => strict.call('POST', `deleted-groups/${id}/restore`, { body: {} });
    expect(lost(await send(deletions[0]))).toMatchObject([
      { kind: 'identity' },
      { kind: 'owner', item: leaver.userPrincipalName, code: 'protected_object' },
    ]);
    expect(await send(deletions[1])).toMatchObject({ status: 409, body: { code: 'owner_not_valid' } });
  });

  test('whose further owners Graph does not take yet is partial, and a repeat links them', async () => {
    const users = Array.from({ length: 22 }, (_, index) => ({ userPrincipalName: `chief${index}@contoso.com` }));
    await control.tenant({ users: users.map((user) => ({ ...user, displayName: user.userPrincipalName })) });
    const old = await create('security', { owners: users.map(({ userPrincipalName }) => userPrincipalName) });
    const deletionId = await remove(old);
    await expire();
    await control.fault({
      upstream: 'graph',
      match: { method: 'PATCH', path: '/groups/' },
      fault: { kind: 'throttle', seconds: 60 },
    });
    expect((await restore(deletionId)).body).toMatchObject({ ok: false, outcome: 'partial', restoredMemberCount: 0 });
    await control.clock({ advanceMs: 120_000 });
    await app.close();
    app = await world.startApp({ AzureWebJobsStorage: storage });
    const answer = await restore(deletionId);
    expect(answer.body).toMatchObject({ ok: true, outcome: 'restored', restoredMemberCount: 2 });
    expect((await groupOf(String(answer.body?.id))).owners).toHaveLength(22);
  });

  test('that was never deleted after all is left as it is', async () => {
    const old = await create('security');
    await control.fault({ upstream: 'graph', match: { method: 'DELETE' }, fault: { kind: 'reset' }, times: 2 });
    const answer = await app.call('DELETE', `groups/${old.id}`, { query: { confirm: 'Pilots' } });
    expect(answer).toMatchObject({ status: 504, body: { code: 'outcome_unknown' } });
    const [newest] = rowsOf(await app.call('GET', 'deleted-groups', { query: { limit: '1' } }), 'groups');
    await control.clearCalls();
    expect((await restore(String(newest?.deletionId))).body).toMatchObject({
      outcome: 'restored',
      changed: false,
      id: old.id,
    });
    expect(await control.writes()).toEqual([]);
  });
});

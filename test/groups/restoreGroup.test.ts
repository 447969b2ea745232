import { afterAll, beforeEach, describe, expect, test } from '@jest/globals';
import { auditRows } from '../support/auditRows.ts';
import { directoryOf, groupAt, isGone, parametersOf, readCast, type TenantGroup } from '../support/directory.ts';
import { type Answer, type JsonObject, rowsOf, startWorld } from '../support/world.ts';
import { createWire } from './wire.ts';

const world = await startWorld();
const { control } = world;
let app = await world.startApp();
const { storage } = app;
const cast = await readCast(control);
const [owner = '', ada = '', ben = '', cat = ''] = cast.staff;
const address = 'harbour-crew@contoso.com';
const oldAddress = 'dockers@contoso.com';

const crew = {
  mail: address,
  displayName: 'Harbour Crew',
  description: 'On the quay',
  mailEnabled: true,
  securityEnabled: true,
  proxyAddresses: [`SMTP:${address}`, `smtp:${oldAddress}`],
  owners: [owner, cat],
  members: [ada, ben, cast.contact.mail],
  exchange: {
    Name: 'Crew of the Harbour',
    HiddenFromAddressListsEnabled: true,
    HiddenGroupMembershipEnabled: true,
    BccBlocked: true,
    BypassNestedModerationEnabled: true,
    RequireSenderAuthenticationEnabled: false,
    ModerationEnabled: true,
    ModeratedBy: [ada],
    AcceptMessagesOnlyFromSendersOrMembers: [ben],
    GrantSendOnBehalfTo: [cat],
    MailTip: 'Read by many',
    CustomAttributes: { CustomAttribute3: 'quay', CustomAttribute15: 'north' },
  },
};

beforeEach(async () => {
  await control.reset();
  await app.close();
  app = await world.startApp({ AzureWebJobsStorage: storage });
  await control.tenant({ groups: [crew] });
});
afterAll(() => world.close());

/** The group as it was, and the id of its deletion. */
async function deleted(group = address): Promise<{ old: TenantGroup; deletionId: string }> {
  const { groups } = await directoryOf(control);
  const old = groups.find((each) => each.mail === group || each.id === group);
  if (!old) throw new Error(`no group ${group}`);
  const confirm = old.mail ?? old.displayName;
  const answer = await app.call('DELETE', `groups/${old.id}`, { query: { confirm } });
  if (answer.status !== 200) throw new Error(answer.text);
  await control.clearCalls();
  return { old, deletionId: String(answer.body?.deletionId) };
}
const restore = (deletionId: string, body: object = {}): Promise<Answer> =>
  app.call('POST', `deleted-groups/${deletionId}/restore`, { body });
/** Rows of what is not as it was. */
const lost = (answer: Answer): JsonObject[] =>
  rowsOf(answer, 'results').filter(({ outcome }) => outcome !== 'restored');
const row = async (deletionId: string): Promise<JsonObject | undefined> =>
  rowsOf(await app.call('GET', 'deleted-groups'), 'groups').find((each) => each.deletionId === deletionId);
/** They are in Entra still, and have no mailbox any more. */
const leave = (...people: string[]): Promise<void> =>
  control.tenant({ users: people.map((userPrincipalName) => ({ userPrincipalName, recipientTypeDetails: null })) });
const play = (cmdlet: string, fault: object, times = 1): Promise<void> =>
  control.fault({ upstream: 'exchange', match: { cmdlet }, fault: fault as never, times });
const settings = ({ id, exchange, createdDateTime, proxyAddresses, members, owners, ...rest }: TenantGroup) => {
  const { LegacyExchangeDN, WhenChangedUTC, ...others } = exchange ?? ({} as NonNullable<TenantGroup['exchange']>);
  const unlike = [id, createdDateTime, proxyAddresses, LegacyExchangeDN, WhenChangedUTC];
  expect(unlike).toHaveLength(5);
  return { ...rest, exchange: others, members: [...members].sort(), owners: [...owners].sort() };
};

describe('a restored group of Exchange', () => {
  test.each([
    ['mailEnabledSecurity', true, 'MailUniversalSecurityGroup'],
    ['distributionList', false, 'MailUniversalDistributionGroup'],
  ])('has all that it had, under a new id: %s', async (kind, securityEnabled, RecipientTypeDetails) => {
    await control.tenant({ groups: [{ mail: address, securityEnabled, exchange: { RecipientTypeDetails } }] });
    const { old, deletionId } = await deleted();
    expect(await isGone(control, address)).toBe(true);

    const answer = await restore(deletionId);
    const now = await groupAt(control, address);
    expect(answer).toMatchObject({
      status: 200,
      body: {
        ok: true,
        outcome: 'restored',
        changed: true,
        id: now.id,
        formerId: old.id,
        kind,
        displayName: 'Harbour Crew',
        primarySmtpAddress: address,
        memberCount: 3,
        restoredMemberCount: 3,
        notRestoredCount: 1,
        firstError: null,
      },
    });
    expect(now.id).not.toBe(old.id);
    expect(settings(now)).toEqual(settings(old));
    expect(lost(answer)).toMatchObject([{ kind: 'identity', item: old.id, outcome: 'changed', code: 'changed' }]);
  });

  test('is reached by its old addresses and by replies to old mails', async () => {
    const { old, deletionId } = await deleted();
    const answer = await restore(deletionId);
    const { proxyAddresses } = await groupAt(control, address);
    const legacy = `X500:${String(old.exchange?.LegacyExchangeDN)}`;
    expect(proxyAddresses).toEqual(expect.arrayContaining([`SMTP:${address}`, `smtp:${oldAddress}`, legacy]));
    const back = rowsOf(answer, 'results').filter(({ kind }) => kind === 'address');
    expect(back).toMatchObject([
      { item: address, outcome: 'restored' },
      { item: oldAddress, outcome: 'restored' },
      { item: legacy, outcome: 'restored' },
    ]);
  });

  test('keeps the addresses of a restore before', async () => {
    const first = await deleted();
    await restore(first.deletionId);
    const second = await deleted();
    await restore(second.deletionId);
    const { proxyAddresses } = await groupAt(control, address);
    expect(proxyAddresses).toEqual(
      expect.arrayContaining([
        `X500:${String(first.old.exchange?.LegacyExchangeDN)}`,
        `X500:${String(second.old.exchange?.LegacyExchangeDN)}`,
      ]),
    );
  });

  test('takes one creation, one change and one batch of members, each audited', async () => {
    const { deletionId } = await deleted();
    const answer = await restore(deletionId);
    const rows = await auditRows(storage, String(answer.body?.requestId));
    expect(rows.map(({ operation, state }) => [operation, state])).toEqual([
      ['New-DistributionGroup', 'succeeded'],
      ['Set-DistributionGroup', 'succeeded'],
      ['Add-DistributionGroupMember', 'succeeded'],
    ]);
    expect(rows[0]).toMatchObject({ action: 'restoreGroup', before: null, planned: { deletionId } });
    const [created] = await control.calls({ cmdlet: 'New-DistributionGroup' });
    expect(parametersOf(created)).toMatchObject({ Name: 'Crew of the Harbour', IgnoreNamingPolicy: true });
  });

  test('has whoever joined between a deletion that was refused and the one that was not', async () => {
    await play('Remove-DistributionGroup', { kind: 'nul' });
    expect((await app.call('DELETE', `groups/${address}`, { query: { confirm: address } })).status).toBe(403);
    await control.tenant({ groups: [{ mail: address, members: [ada, ben, cat, cast.contact.mail] }] });
    const { deletionId } = await deleted();
    expect((await restore(deletionId)).body).toMatchObject({ memberCount: 4, restoredMemberCount: 4 });
    expect((await groupAt(control, address)).members).toContain(cast.idOf(cat));
  });

  test('is listed with when and as what it came back', async () => {
    const { deletionId } = await deleted();
    expect(await row(deletionId)).toMatchObject({ restoredAt: null, restoredId: null });
    const { body } = await restore(deletionId);
    expect(await row(deletionId)).toMatchObject({ restoredAt: expect.any(String), restoredId: body?.id });
  });

  test('without members comes back empty, and a further request brings them', async () => {
    const { deletionId } = await deleted();
    expect((await restore(deletionId, { members: false })).body).toMatchObject({
      outcome: 'restored',
      memberCount: 3,
      restoredMemberCount: 0,
    });
    expect((await groupAt(control, address)).members).toEqual([]);
    expect((await restore(deletionId, { members: false })).body).toMatchObject({ outcome: 'already_restored' });
    expect((await restore(deletionId)).body).toMatchObject({ outcome: 'restored', restoredMemberCount: 3 });
    expect((await groupAt(control, address)).members).toHaveLength(3);
  });
});

describe('a restore says what cannot come back', () => {
  test('people that are gone: as owner, as member and in the settings', async () => {
    const { deletionId } = await deleted();
    await leave(cat, ben);
    const answer = await restore(deletionId);
    expect(answer.body).toMatchObject({ outcome: 'restored', restoredMemberCount: 2, memberCount: 3 });
    const rows = lost(answer);
    expect(rows.map(({ kind, item }) => [kind, item])).toEqual([
      ['identity', expect.any(String)],
      ['owner', cat],
      ['setting', `acceptMessagesFrom: ${ben}`],
      ['setting', `sendOnBehalf: ${cat}`],
      ['member', ben],
    ]);
    expect(rows.slice(1).map(({ outcome, code }) => [outcome, code])).toEqual([
      ['not_restored', 'owner_not_valid'],
      ['not_restored', 'member_not_found'],
      ['not_restored', 'member_not_found'],
      ['not_restored', 'no_mailbox'],
    ]);
    expect(rows[2]?.message).toContain('everybody can');
    expect(answer.body?.notRestoredCount).toBe(5);
    expect(answer.body?.firstError).toContain(cat);
  });

  test('no owner at all: nothing is created until new ones are named', async () => {
    const { deletionId } = await deleted();
    await leave(owner, cat);
    const answer = await restore(deletionId);
    expect(answer).toMatchObject({ status: 409, body: { code: 'owner_not_valid' } });
    expect(answer.body?.fix).toContain('owners');
    expect(await control.writes()).toEqual([]);
    expect((await restore(deletionId, { owners: [ada] })).body).toMatchObject({ outcome: 'restored' });
    expect((await groupAt(control, address)).owners).toEqual([cast.idOf(ada)]);
  });

  test('owners that are named and cannot own a group', async () => {
    const { deletionId } = await deleted();
    const answer = await restore(deletionId, { owners: [ada, 'nobody@contoso.com'] });
    expect(answer).toMatchObject({ status: 409, body: { code: 'owner_not_valid' } });
    expect(rowsOf(answer, 'errors')).toMatchObject([{ pointer: '/owners/1' }]);
    expect(await control.writes()).toEqual([]);
  });

  test('an address that somebody else has now', async () => {
    const { deletionId } = await deleted();
    await control.tenant({ groups: [{ mail: oldAddress, displayName: 'Dockers', mailEnabled: true }] });
    const answer = await restore(deletionId);
    expect(answer.body).toMatchObject({ outcome: 'restored', ok: true });
    expect(lost(answer)).toMatchObject([
      { kind: 'identity' },
      { kind: 'address', item: oldAddress, code: 'address_in_use' },
    ]);
  });

  test('an address of a domain that is ours no longer, and nothing else of what was set with it', async () => {
    await control.tenant({ domains: [{ id: 'old.example.com', isVerified: true }] });
    await control.tenant({
      groups: [{ mail: address, proxyAddresses: [...crew.proxyAddresses, 'smtp:crew@old.example.com'] }],
    });
    const { old, deletionId } = await deleted();
    await control.tenant({ domains: [{ id: 'old.example.com', isVerified: false }] });
    const answer = await restore(deletionId);
    expect(answer.body).toMatchObject({ outcome: 'restored' });
    expect(lost(answer)).toMatchObject([{ kind: 'identity' }, { kind: 'address', item: 'crew@old.example.com' }]);
    const now = await groupAt(control, address);
    expect(settings(now)).toEqual(settings(old));
  });
});

describe('a restore is refused', () => {
  test('where its name, alias or address is taken', async () => {
    const { deletionId } = await deleted();
    await control.tenant({
      groups: [{ mail: address, displayName: 'Another Crew', mailEnabled: true, owners: [ada], members: [] }],
    });
    const answer = await restore(deletionId);
    expect(answer).toMatchObject({ status: 409, body: { code: 'address_in_use' } });
    expect(answer.body?.detail).toContain('displayName');
    expect(await control.writes()).toEqual([]);
  });

  test('where a person has the address now', async () => {
    const { deletionId } = await deleted();
    await control.tenant({ users: [{ userPrincipalName: ada, proxyAddresses: [`SMTP:${ada}`, `smtp:${address}`] }] });
    const answer = await restore(deletionId);
    expect(answer).toMatchObject({ status: 409, body: { code: 'address_in_use' } });
    expect(answer.body?.detail).toContain(ada);
  });

  test('while Exchange keeps the address of the deleted group, with word of how long', async () => {
    await control.tenant({ settings: { addressQuarantineMs: 3_600_000 } });
    const { deletionId } = await deleted();
    const answer = await restore(deletionId);
    expect(answer).toMatchObject({ status: 409, body: { code: 'address_in_use' } });
    expect(answer.body?.fix).toContain('hour');
    await control.clock({ advanceMs: 3_700_000 });
    await app.close();
    app = await world.startApp({ AzureWebJobsStorage: storage });
    expect((await restore(deletionId)).body).toMatchObject({ outcome: 'restored' });
  });

  test('for a group on PROTECTED_GROUPS', async () => {
    const { deletionId } = await deleted();
    const guarded = await world.startApp({ AzureWebJobsStorage: storage, PROTECTED_GROUPS: 'dockers@*' });
    const answer = await guarded.call('POST', `deleted-groups/${deletionId}/restore`, { body: {} });
    expect(answer).toMatchObject({ status: 403, body: { code: 'protected_object' } });
    expect(await control.writes()).toEqual([]);
  });

  test('for a deletion that is not known', async () => {
    const answer = await restore('8638204743036893-0123456789abcdef');
    expect(answer).toMatchObject({ status: 404, body: { code: 'snapshot_not_found' } });
    expect(await restore('../secret')).toMatchObject({ status: 404 });
    expect(await restore('harbour-crew')).toMatchObject({ status: 400, body: { code: 'invalid_request' } });
  });
});

describe('a dry run of a restore', () => {
  test('says what would come back and what not, and writes nothing', async () => {
    const { deletionId } = await deleted();
    await leave(cat);
    const answer = await restore(deletionId, { dryRun: true });
    expect(answer.body).toMatchObject({ outcome: 'planned', dryRun: true, changed: false, id: null, memberCount: 3 });
    expect(answer.body?.message).toContain('created anew');
    expect(lost(answer)).toMatchObject([{ kind: 'owner' }, { kind: 'setting' }]);
    expect(rowsOf(answer, 'results')).toEqual(
      expect.arrayContaining([expect.objectContaining({ item: oldAddress, message: 'Would be as it was.' })]),
    );
    expect(await control.writes()).toEqual([]);
    expect(await row(deletionId)).toMatchObject({ restoredAt: null });
  });

  test('of a group that is half restored says that it would be completed', async () => {
    const { deletionId } = await deleted();
    await play('Set-DistributionGroup', { kind: 'nul' });
    await restore(deletionId);
    expect((await restore(deletionId, { dryRun: true })).body?.message).toContain('completed');
  });
});

describe('an interrupted restore', () => {
  test.each([
    ['the creation, carried out', 'New-DistributionGroup', { kind: 'commitThenReset' }, 1],
    ['the creation, not carried out', 'New-DistributionGroup', { kind: 'reset' }, 2],
    ['the settings, carried out', 'Set-DistributionGroup', { kind: 'commitThenReset' }, 4],
    ['the settings, not carried out', 'Set-DistributionGroup', { kind: 'reset' }, 4],
    ['the settings, refused', 'Set-DistributionGroup', { kind: 'nul' }, 1],
  ])('by a lost answer to %s goes on where it was', async (_what, cmdlet, fault, times) => {
    const { old, deletionId } = await deleted();
    await play(cmdlet, fault, times);
    await restore(deletionId);
    await control.clearFaults();
    const answer = await restore(deletionId);
    expect(['restored', 'already_restored']).toContain(answer.body?.outcome);
    expect(settings(await groupAt(control, address))).toEqual(settings(old));
    const created = await control.calls({ cmdlet: 'New-DistributionGroup' });
    expect(created.filter(({ status }) => status === 200)).toHaveLength(
      fault.kind === 'commitThenReset' && cmdlet.startsWith('New') ? 0 : 1,
    );
  });

  test('is partial while settings are missing', async () => {
    const { deletionId } = await deleted();
    await play('Set-DistributionGroup', { kind: 'nul' });
    const answer = await restore(deletionId);
    expect(answer.body).toMatchObject({ ok: false, outcome: 'partial', changed: true, restoredMemberCount: 0 });
    expect(answer.body?.warnings).toEqual([expect.stringContaining('Repeat the request')]);
    expect((await restore(deletionId)).body).toMatchObject({ ok: true, outcome: 'restored', restoredMemberCount: 3 });
  });

  test('is partial while members are missing, and a repeat adds them alone', async () => {
    const { deletionId } = await deleted();
    await play('Add-DistributionGroupMember', { kind: 'throttle', seconds: 90 });
    const answer = await restore(deletionId);
    expect(answer.body).toMatchObject({ ok: false, outcome: 'partial' });
    await control.clock({ advanceMs: 100_000 });
    await app.close();
    app = await world.startApp({ AzureWebJobsStorage: storage });
    await control.clearCalls();
    expect((await restore(deletionId)).body).toMatchObject({ outcome: 'restored', restoredMemberCount: 3 });
    expect(await control.calls({ cmdlet: 'Set-DistributionGroup' })).toEqual([]);
    expect(await control.calls({ cmdlet: 'New-DistributionGroup' })).toEqual([]);
  });

  test('goes on with the group it has begun, whatever that is called by now', async () => {
    const { deletionId } = await deleted();
    await play('Set-DistributionGroup', { kind: 'nul' });
    await restore(deletionId);
    const { id } = await groupAt(control, address);
    const mail = 'quay-crew@contoso.com';
    const exchange = { Name: 'Quay Crew' };
    const renamed = { id, mail, mailNickname: 'quay-crew', proxyAddresses: [`SMTP:${mail}`], exchange };
    await control.tenant({ groups: [renamed] });
    await control.clearCalls();
    expect((await restore(deletionId)).body).toMatchObject({ outcome: 'restored', id, restoredMemberCount: 3 });
    expect(await control.calls({ cmdlet: 'New-DistributionGroup' })).toEqual([]);
  });

  test('keeps the owners it has begun with, and says so when others are named', async () => {
    const { deletionId } = await deleted();
    await play('Set-DistributionGroup', { kind: 'nul' });
    await restore(deletionId, { owners: [ada] });
    const again = await restore(deletionId, { owners: [ada], dryRun: true });
    expect(again.body?.warnings).toEqual([]);
    const answer = await restore(deletionId, { owners: [ben] });
    expect(answer.body?.warnings).toEqual([expect.stringMatching(/owners .* left aside/)]);
    expect((await groupAt(control, address)).owners).toEqual([cast.idOf(ada)]);
  });

  test('that is complete is not done again, whatever was changed since', async () => {
    const { deletionId } = await deleted();
    await restore(deletionId);
    const { id } = await groupAt(control, address);
    await app.call('POST', `groups/${id}/members/remove`, { body: { members: [ada] } });
    await control.clearCalls();
    const answer = await restore(deletionId);
    expect(answer.body).toMatchObject({ ok: true, outcome: 'already_restored', changed: false, id });
    expect(await control.writes()).toEqual([]);
  });

  test('by another one of the same deletion at once is refused: one group comes of it', async () => {
    const { deletionId } = await deleted();
    const answers = await Promise.all([restore(deletionId), restore(deletionId)]);
    expect(answers.map(({ status }) => status).sort()).toEqual([200, 409]);
    expect(answers.find(({ status }) => status === 409)?.body?.code).toBe('group_busy');
    expect(await control.calls({ cmdlet: 'New-DistributionGroup' })).toHaveLength(1);
  });

  test('whose reads fail too is an open outcome, and a repeat finds the group', async () => {
    const { deletionId } = await deleted();
    await play('New-DistributionGroup', { kind: 'commitThenReset' });
    await play('Get-DistributionGroup', { kind: 'status', status: 503 }, 50);
    expect(await restore(deletionId)).toMatchObject({ status: 504, body: { code: 'outcome_unknown' } });
    await control.clearFaults();
    expect((await restore(deletionId)).body).toMatchObject({ outcome: 'restored', restoredMemberCount: 3 });
    expect(await control.calls({ cmdlet: 'New-DistributionGroup' })).toHaveLength(1);
  });

  test('at a passing failure of Exchange loses no owner and nobody else', async () => {
    const { deletionId } = await deleted();
    await play('Get-Recipient', { kind: 'throttle', seconds: 90 });
    expect(await restore(deletionId)).toMatchObject({ status: 429, body: { code: 'throttled' } });
    expect(await control.writes()).toEqual([]);
  });

  test('whose group has no Entra id yet is pending, and done by a repeat', async () => {
    const { deletionId } = await deleted();
    const wire = createWire();
    wire.onAnswer(({ cmdlet, text }) =>
      cmdlet.endsWith('-DistributionGroup')
        ? text.replace(/"ExternalDirectoryObjectId":"[^"]*"/g, '"ExternalDirectoryObjectId":""')
        : text,
    );
    const early = await world.startApp({ AzureWebJobsStorage: storage }, { fetch: wire.fetch });
    const answer = await early.call('POST', `deleted-groups/${deletionId}/restore`, { body: {} });
    expect(answer.body).toMatchObject({ ok: false, outcome: 'pending', id: null, restoredMemberCount: 3 });
    expect((await restore(deletionId)).body).toMatchObject({
      ok: true,
      outcome: 'restored',
      id: (await groupAt(control, address)).id,
      restoredMemberCount: 3,
    });
  });

  test('of a group that was deleted once more begins anew', async () => {
    const { deletionId } = await deleted();
    await restore(deletionId);
    await deleted();
    expect((await restore(deletionId)).body).toMatchObject({ outcome: 'restored', restoredMemberCount: 3 });
  });
});

describe('a deletion that was not carried out after all', () => {
  test('is restored by leaving the group as it is', async () => {
    await play('Remove-DistributionGroup', { kind: 'reset' }, 2);
    const answer = await app.call('DELETE', `groups/${address}`, { query: { confirm: address } });
    expect(answer).toMatchObject({ status: 504, body: { code: 'outcome_unknown' } });
    const [newest] = rowsOf(await app.call('GET', 'deleted-groups', { query: { limit: '1' } }), 'groups');
    const before = await groupAt(control, address);
    await control.clearCalls();
    const restored = await restore(String(newest?.deletionId));
    expect(restored.body).toMatchObject({ outcome: 'restored', changed: false, id: before.id, formerId: before.id });
    expect(lost(restored)).toEqual([]);
    expect(await groupAt(control, address)).toEqual(before);
  });

  test('finds the group also when it was renamed since', async () => {
    await play('Remove-DistributionGroup', { kind: 'reset' }, 2);
    await app.call('DELETE', `groups/${address}`, { query: { confirm: address } });
    const [newest] = rowsOf(await app.call('GET', 'deleted-groups', { query: { limit: '1' } }), 'groups');
    const { id } = await groupAt(control, address);
    const mail = 'quay-crew@contoso.com';
    const exchange = { Name: 'Quay Crew' };
    const proxyAddresses = [`SMTP:${mail}`];
    await control.tenant({ groups: [{ id, mail, mailNickname: 'quay-crew', proxyAddresses, exchange }] });
    await control.clearCalls();
    expect((await restore(String(newest?.deletionId))).body).toMatchObject({ changed: false, id });
    expect(await control.writes()).toEqual([]);
  });
});

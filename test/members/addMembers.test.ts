import { afterAll, beforeEach, describe, expect, test } from '@jest/globals';
import { batchSizes, groupAt, parametersOf, readCast } from '../support/directory.ts';
import { type Answer, rowsOf, startWorld } from '../support/world.ts';

const world = await startWorld();
const { control } = world;
const app = await world.startApp();
const cast = await readCast(control);
const [owner = '', ada = '', ben = '', cem = ''] = cast.staff;
const address = 'harbour-crew@contoso.com';

beforeEach(async () => {
  await control.reset();
  await control.tenant({
    groups: [
      {
        mail: address,
        displayName: 'Harbour Crew',
        mailEnabled: true,
        securityEnabled: true,
        owners: [owner],
        members: [ada],
      },
      {
        mail: 'quay-news@contoso.com',
        displayName: 'Quay News',
        mailEnabled: true,
        securityEnabled: false,
        owners: [owner],
      },
    ],
  });
});
afterAll(() => world.close());

const add = (members: unknown, more: object = {}, group = address): Promise<Answer> =>
  app.call('POST', `groups/${encodeURIComponent(group)}/members`, { body: { members, ...more } });
const outcomes = (answer: Answer): unknown[] =>
  rowsOf(answer, 'results').map(({ member, outcome, code }) => [member, outcome, code]);
const membersNow = async (mail = address): Promise<Set<string>> => new Set((await groupAt(control, mail)).members);
const ids = (...upns: string[]): Set<string> => new Set(upns.map(cast.idOf));

describe('adding members', () => {
  test('of whom one is a member already, one unknown and one without mailbox is partial, one row each', async () => {
    const answer = await add([ada, 'nobody@contoso.com', cast.withoutMailbox]);
    expect(answer).toMatchObject({
      status: 200,
      body: {
        ok: false,
        outcome: 'partial',
        changed: false,
        dryRun: false,
        addedCount: 0,
        removedCount: 0,
        unchangedCount: 1,
        failedCount: 2,
        firstError: expect.stringContaining('nobody@contoso.com'),
      },
    });
    expect(outcomes(answer)).toEqual([
      [ada, 'already_member', 'already_member'],
      ['nobody@contoso.com', 'failed', 'member_not_found'],
      [cast.withoutMailbox, 'not_ready', 'no_mailbox'],
    ]);
    expect(await membersNow()).toEqual(ids(ada));
  });

  test('who are not in it adds them, and says so', async () => {
    const answer = await add([ben, cem]);
    expect(answer.body).toEqual({
      ok: true,
      outcome: 'updated',
      changed: true,
      dryRun: false,
      message: `${address}: 2 added.`,
      warnings: [],
      requestId: answer.headers.get('x-request-id'),
      addedCount: 2,
      removedCount: 0,
      unchangedCount: 0,
      failedCount: 0,
      firstError: null,
      results: [
        { member: ben, outcome: 'added', code: 'added', message: 'Added.' },
        { member: cem, outcome: 'added', code: 'added', message: 'Added.' },
      ],
    });
    expect(await membersNow()).toEqual(ids(ada, ben, cem));
  });

  test('a second time changes nothing and is a success', async () => {
    await add([ben]);
    expect(await add([ben])).toMatchObject({
      status: 200,
      body: { ok: true, outcome: 'unchanged', changed: false, unchangedCount: 1 },
    });
  });

  test('sends each with the bypass, by ids and never by what the caller wrote', async () => {
    await add([ben]);
    const [row] = await control.calls({ cmdlet: 'Add-DistributionGroupMember' });
    const guid = expect.stringMatching(/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/);
    expect(parametersOf(row)).toEqual({ Identity: guid, Member: guid, BypassSecurityGroupManagerCheck: true });
  });

  test.each(['harbour-crew@contoso.com', 'HARBOUR-CREW@contoso.com', 'Harbour Crew', 'harbour crew'])(
    'finds the group by "%s"',
    async (name) => {
      expect((await add([ben], {}, name)).body).toMatchObject({ addedCount: 1 });
      expect(await membersNow()).toEqual(ids(ada, ben));
    },
  );

  test('finds the group by its Entra id, in capitals too', async () => {
    const { id } = await groupAt(control, address);
    expect((await add([ben], {}, id.toUpperCase())).body).toMatchObject({ addedCount: 1 });
  });

  test('works on a distribution list', async () => {
    expect((await add([ben], {}, 'quay-news@contoso.com')).body).toMatchObject({ addedCount: 1 });
    expect(await membersNow('quay-news@contoso.com')).toEqual(ids(ben));
  });

  test('lets in external contacts, guests, shared mailboxes and nested lists', async () => {
    const members = [cast.contact.mail, cast.guest.mail, cast.shared, 'quay-news@contoso.com'];
    const answer = await add(members);
    expect(answer.body).toMatchObject({ ok: true, addedCount: 4 });
    const list = await groupAt(control, 'quay-news@contoso.com');
    expect(await membersNow()).toEqual(
      new Set([cast.idOf(ada), cast.contact.id, cast.guest.id, cast.idOf(cast.shared), list.id]),
    );
  });

  test('lets a guest in by a UPN with a # in it', async () => {
    expect((await add([cast.guest.userPrincipalName])).body).toMatchObject({ ok: true, addedCount: 1 });
    expect(await membersNow()).toEqual(new Set([cast.idOf(ada), cast.guest.id]));
  });

  test('refuses a Microsoft 365 group with the reason, and sends nothing for it', async () => {
    const answer = await add([String(cast.unified.mail), ben]);
    expect(outcomes(answer)).toEqual([
      [cast.unified.mail, 'failed', 'member_kind_not_allowed'],
      [ben, 'added', 'added'],
    ]);
    expect(rowsOf(answer, 'results')[0]?.message).toContain('Microsoft 365 group');
    expect(await control.calls({ cmdlet: 'Add-DistributionGroupMember' })).toHaveLength(1);
  });

  test('when nobody can be added fails, without a write', async () => {
    const answer = await add(['nobody@contoso.com', cast.withoutMailbox]);
    expect(answer).toMatchObject({
      status: 200,
      body: { ok: false, outcome: 'failed', changed: false, failedCount: 2 },
    });
    expect(await control.writes()).toEqual([]);
  });
});

describe('a member', () => {
  test('may be named by Entra id, in capitals too', async () => {
    expect((await add([cast.idOf(ben).toUpperCase()])).body).toMatchObject({ addedCount: 1 });
    expect(await membersNow()).toEqual(ids(ada, ben));
  });

  test('may be named by a secondary address', async () => {
    await control.tenant({
      users: [{ userPrincipalName: ben, proxyAddresses: [`SMTP:${ben}`, 'smtp:benny@contoso.com'] }],
    });
    expect(outcomes(await add(['Benny@Contoso.com']))).toEqual([['Benny@Contoso.com', 'added', 'added']]);
    expect(await membersNow()).toEqual(ids(ada, ben));
  });

  test('may be named by a UPN that is none of its addresses', async () => {
    expect((await add([cast.oddUpn.userPrincipalName])).body).toMatchObject({ addedCount: 1 });
    expect(await membersNow()).toEqual(new Set([cast.idOf(ada), cast.oddUpn.id]));
  });

  test('that Exchange does not find by UPN is looked for by the id that Entra has for it', async () => {
    const message = 'Ex6F9304|Microsoft.Exchange.Configuration.Tasks.ManagementObjectNotFoundException|Not there.';
    const error = { code: 'NotFound', message: 'Error executing cmdlet', details: [{ message }] };
    await control.fault({
      upstream: 'exchange',
      match: { cmdlet: 'Get-Recipient' },
      fault: { kind: 'batchParts', status: 404, error },
    });
    expect(outcomes(await add([ben]))).toEqual([[ben, 'added', 'added']]);
    expect(await membersNow()).toEqual(ids(ada, ben));
  });

  test('is never found by an alias that looks like an address of somebody else', async () => {
    await control.tenant({
      users: [{ userPrincipalName: ben, mailNickname: 'odd@contoso.com' }],
    });
    expect(outcomes(await add(['odd@contoso.com']))).toEqual([['odd@contoso.com', 'failed', 'member_not_found']]);
    expect(await control.writes()).toEqual([]);
  });

  test.each(['bare.alias', 'Harbour Crew', '@contoso.com', 'two words@contoso.com'])(
    'named "%s" is refused at once: an alias or a name may mean anybody',
    async (name) => {
      const answer = await add([ben, name]);
      expect(answer).toMatchObject({ status: 400, body: { code: 'invalid_request' } });
      expect(rowsOf(answer, 'errors')).toMatchObject([{ pointer: '/members/1' }]);
      expect(await control.calls({ upstream: 'exchange' })).toEqual([]);
    },
  );

  test('named in one request three times, in three ways, is sent once', async () => {
    const answer = await add([ben, cast.idOf(ben), ben.toUpperCase()]);
    expect(answer.body).toMatchObject({ ok: true, addedCount: 1, unchangedCount: 2 });
    expect(rowsOf(answer, 'results').map(({ outcome }) => outcome)).toEqual([
      'added',
      'already_member',
      'already_member',
    ]);
    expect(await control.calls({ cmdlet: 'Add-DistributionGroupMember' })).toHaveLength(1);
  });

  test('whose address leads to two is ambiguous, and neither is added', async () => {
    await control.tenant({
      users: [{ userPrincipalName: cem, proxyAddresses: [`SMTP:${cem}`, `smtp:${ben}`] }],
    });
    expect(outcomes(await add([ben]))).toEqual([[ben, 'failed', 'ambiguous_member']]);
    expect(await control.writes()).toEqual([]);
  });

  test('that is a group without mail is not found, with a row that says so', async () => {
    expect(outcomes(await add([cast.security.id]))).toEqual([[cast.security.id, 'failed', 'member_not_found']]);
  });

  test('without mailbox is not ready by its Entra id as well', async () => {
    const id = cast.idOf(cast.withoutMailbox);
    expect(outcomes(await add([id]))).toEqual([[id, 'not_ready', 'no_mailbox']]);
  });

  test('that Graph cannot make sense of is not found, and the others are added', async () => {
    const body = { error: { code: 'Request_BadRequest', message: 'Invalid object identifier.' } };
    await control.fault({
      upstream: 'graph',
      match: { path: '/users/' },
      fault: { kind: 'status', status: 400, body },
    });
    expect(outcomes(await add(['{odd}@contoso.com', ben]))).toEqual([
      ['{odd}@contoso.com', 'failed', 'member_not_found'],
      [ben, 'added', 'added'],
    ]);
  });

  test('that may not be looked for in Graph is no unknown one: nothing is guessed or written', async () => {
    const body = { error: { code: 'Authorization_RequestDenied', message: 'Insufficient privileges.' } };
    await control.fault({
      upstream: 'graph',
      match: { path: '/users/' },
      fault: { kind: 'status', status: 403, body },
    });
    expect(await add([ben, 'nobody@contoso.com'])).toMatchObject({
      status: 403,
      body: { code: 'graph_permission_missing' },
    });
    expect(await control.writes()).toEqual([]);
  });

  test('that has come to Exchange meanwhile is added', async () => {
    await control.tenant({
      users: [
        {
          userPrincipalName: cast.withoutMailbox,
          mail: cast.withoutMailbox,
          proxyAddresses: [`SMTP:${cast.withoutMailbox}`],
          recipientTypeDetails: 'UserMailbox',
        },
      ],
    });
    expect((await add([cast.withoutMailbox])).body).toMatchObject({ ok: true, addedCount: 1 });
  });
});

describe('a list of members', () => {
  test('may come as text, separated by commas, semicolons or lines', async () => {
    const answer = await add(` ${ben},${cem};\r\n${cast.contact.mail}\n`);
    expect(outcomes(answer)).toEqual([
      [ben, 'added', 'added'],
      [cem, 'added', 'added'],
      [cast.contact.mail, 'added', 'added'],
    ]);
  });

  test.each([
    ['absent', undefined],
    ['an empty list', []],
    ['a blank text', ' \n , '],
    ['a number', 5],
    ['more than 500', Array.from({ length: 501 }, (_, index) => `m${index}@contoso.com`)],
  ])('that is %s is refused', async (_what, members) => {
    const answer = await add(members);
    expect(answer).toMatchObject({ status: 400, body: { code: 'invalid_request' } });
    expect(rowsOf(answer, 'errors')[0]?.pointer).toBe('/members');
  });

  test('of more than ten goes out in batches of ten, each member once', async () => {
    const many = Array.from({ length: 23 }, (_, index) => ({
      userPrincipalName: `deckhand${index}@contoso.com`,
      mail: `deckhand${index}@contoso.com`,
    }));
    await control.tenant({ users: many });
    const upns = many.map(({ userPrincipalName }) => userPrincipalName);
    const answer = await add(upns);
    expect(answer.body).toMatchObject({ ok: true, addedCount: 23 });
    expect(outcomes(answer)).toEqual(upns.map((upn) => [upn, 'added', 'added']));
    expect(await batchSizes(control, 'Add-DistributionGroupMember')).toEqual([10, 10, 3]);
    expect(await batchSizes(control, 'Get-Recipient')).toEqual([10, 10, 3]);
    expect((await groupAt(control, address)).members).toHaveLength(24);
  });
});

describe('a dry run', () => {
  test('says for each what would be done, and writes nothing', async () => {
    const answer = await add([ada, ben, ben, 'nobody@contoso.com', cast.withoutMailbox], { dryRun: true });
    expect(answer).toMatchObject({ status: 200, body: { outcome: 'partial', changed: false, dryRun: true } });
    expect(outcomes(answer)).toEqual([
      [ada, 'already_member', 'already_member'],
      [ben, 'would_add', 'would_add'],
      [ben, 'already_member', 'already_member'],
      ['nobody@contoso.com', 'failed', 'member_not_found'],
      [cast.withoutMailbox, 'not_ready', 'no_mailbox'],
    ]);
    expect(await control.writes()).toEqual([]);
    expect(await membersNow()).toEqual(ids(ada));
  });

  test('of what can all be done is planned', async () => {
    expect((await add([ben], { dryRun: true })).body).toMatchObject({
      ok: true,
      outcome: 'planned',
      message: `${address}: 1 would change.`,
    });
  });
});

describe('PROTECTED_USERS', () => {
  test('keeps its users out of every change, row by row', async () => {
    const guarded = await world.startApp({ PROTECTED_USERS: `${ben.toUpperCase()}, *@example.com, ${cast.idOf(cem)}` });
    const change = (path: string) =>
      guarded.call('POST', `groups/${address}/${path}`, {
        body: { members: [ben, cast.contact.mail, cem, cast.shared, ada] },
      });
    const added = await change('members');
    expect(added).toMatchObject({ status: 200, body: { outcome: 'partial', addedCount: 1, failedCount: 3 } });
    expect(outcomes(added)).toEqual([
      [ben, 'failed', 'protected_object'],
      [cast.contact.mail, 'failed', 'protected_object'],
      [cem, 'failed', 'protected_object'],
      [cast.shared, 'added', 'added'],
      [ada, 'already_member', 'already_member'],
    ]);
    await control.tenant({ groups: [{ mail: address, members: [ben, cast.contact.mail, cem] }] });
    expect(outcomes(await change('members/remove')).slice(0, 3)).toEqual([
      [ben, 'failed', 'protected_object'],
      [cast.contact.mail, 'failed', 'protected_object'],
      [cem, 'failed', 'protected_object'],
    ]);
    expect(await membersNow()).toEqual(new Set([cast.idOf(ben), cast.contact.id, cast.idOf(cem)]));
  });

  test('protects who has the name in Entra already and not in Exchange yet', async () => {
    const guarded = await world.startApp({ PROTECTED_USERS: 'renamed@contoso.com' });
    await control.tenant({ settings: { replicationLagMs: { entraToExchange: 60_000, exchangeToEntra: 0 } } });
    await control.tenant({ users: [{ id: cast.idOf(ben), userPrincipalName: 'renamed@contoso.com' }] });
    const answer = await guarded.call('POST', `groups/${address}/members`, { body: { members: [ben, cem] } });
    expect(outcomes(answer)).toEqual([
      [ben, 'failed', 'protected_object'],
      [cem, 'added', 'added'],
    ]);
  });

  test('with a name that nobody has asks for it once a request, not once a member', async () => {
    const guarded = await world.startApp({ PROTECTED_USERS: 'nobody@contoso.com' });
    const answer = await guarded.call('POST', `groups/${address}/members`, { body: { members: [ada, ben, cem] } });
    expect(answer.body).toMatchObject({ ok: true, addedCount: 2 });
    expect(await control.calls({ upstream: 'graph', path: '/users/nobody' })).toHaveLength(1);
  });

  test('refuses a protected owner', async () => {
    const guarded = await world.startApp({ PROTECTED_USERS: owner });
    const body = { kind: 'distributionList', displayName: 'Mooring', owners: [owner] };
    const answer = await guarded.call('POST', 'groups', { body });
    expect(answer).toMatchObject({ status: 403, body: { code: 'protected_object' } });
    expect(rowsOf(answer, 'errors')).toMatchObject([{ pointer: '/owners/0' }]);
    expect(await control.writes()).toEqual([]);
  });
});

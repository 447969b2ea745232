import { afterAll, beforeEach, describe, expect, test } from '@jest/globals';
import { auditRows } from '../support/auditRows.ts';
import { groupAt, groupsNamed, parametersOf, readCast } from '../support/directory.ts';
import { type Answer, type App, rowsOf, startWorld } from '../support/world.ts';

const world = await startWorld();
const { control } = world;
const app = await world.startApp();
const cast = await readCast(control);
const [owner = '', ada = '', ben = '', cleo = ''] = cast.staff;
const list = 'harbour-crew@contoso.com';
const security = 'quay-access@contoso.com';

beforeEach(async () => {
  await control.reset();
  const common = { mailEnabled: true, owners: [owner] };
  await control.tenant({
    groups: [
      {
        ...common,
        mail: list,
        displayName: 'Harbour Crew',
        mailNickname: 'harbour-crew',
        securityEnabled: false,
        proxyAddresses: [`SMTP:${list}`, 'smtp:quay@contoso.com', 'X500:/o=Contoso/cn=Harbour'],
        exchange: { RecipientTypeDetails: 'MailUniversalDistributionGroup', Name: 'Harbour Crew' },
      },
      {
        ...common,
        mail: security,
        displayName: 'Quay Access',
        mailNickname: 'quay-access',
        securityEnabled: true,
        exchange: { RecipientTypeDetails: 'MailUniversalSecurityGroup', Name: 'Quay Access' },
      },
    ],
  });
});
afterAll(() => world.close());

const patch = (group: string, body: object, from: App = app): Promise<Answer> =>
  from.call('PATCH', `groups/${encodeURIComponent(group)}`, { body });
const changes = (answer: Answer) =>
  rowsOf(answer, 'changes').map(({ field, before, after, outcome }) => [field, before, after, outcome]);
const set = async () => (await control.calls({ cmdlet: 'Set-DistributionGroup' })).map(parametersOf);

describe('every setting of a mail group', () => {
  test.each<[string, object, unknown[], object]>([
    ['displayName', { displayName: 'Pier Crew' }, ['Harbour Crew', 'Pier Crew'], { displayName: 'Pier Crew' }],
    ['description', { description: 'On the quay' }, ['', 'On the quay'], { description: 'On the quay' }],
    [
      'hideFromAddressLists',
      { hideFromAddressLists: true },
      ['false', 'true'],
      { exchange: { HiddenFromAddressListsEnabled: true } },
    ],
    [
      'requireSenderAuthentication',
      { requireSenderAuthentication: false },
      ['true', 'false'],
      { exchange: { RequireSenderAuthenticationEnabled: false } },
    ],
    [
      'joinRestriction',
      { joinRestriction: 'approvalRequired' },
      ['closed', 'approvalRequired'],
      { exchange: { MemberJoinRestriction: 'ApprovalRequired' } },
    ],
    [
      'joinRestriction',
      { joinRestriction: 'open' },
      ['closed', 'open'],
      { exchange: { MemberJoinRestriction: 'Open' } },
    ],
    [
      'departRestriction',
      { departRestriction: 'closed' },
      ['open', 'closed'],
      { exchange: { MemberDepartRestriction: 'Closed' } },
    ],
    ['moderationEnabled', { moderationEnabled: true }, ['false', 'true'], { exchange: { ModerationEnabled: true } }],
    [
      'moderatedBy',
      { moderatedBy: [ada, ben] },
      ['', `${ada}, ${ben}`],
      { exchange: { ModeratedBy: [cast.idOf(ada), cast.idOf(ben)] } },
    ],
    ['mailTip', { mailTip: 'Ahoy' }, ['', 'Ahoy'], { exchange: { MailTip: 'Ahoy' } }],
    ['owners', { owners: [ada, ben] }, [owner, `${ada}, ${ben}`], { owners: [cast.idOf(ada), cast.idOf(ben)] }],
    [
      'primarySmtpAddress',
      { primarySmtpAddress: 'pier@contoso.com' },
      [list, 'pier@contoso.com'],
      {
        mail: 'pier@contoso.com',
        proxyAddresses: [
          'SMTP:pier@contoso.com',
          `smtp:${list}`,
          'smtp:quay@contoso.com',
          'X500:/o=Contoso/cn=Harbour',
        ],
      },
    ],
    [
      'addresses',
      { addresses: ['pier@contoso.com'] },
      ['quay@contoso.com', 'pier@contoso.com'],
      { mail: list, proxyAddresses: [`SMTP:${list}`, 'X500:/o=Contoso/cn=Harbour', 'smtp:pier@contoso.com'] },
    ],
    [
      'addresses',
      { addresses: [] },
      ['quay@contoso.com', ''],
      { mail: list, proxyAddresses: [`SMTP:${list}`, 'X500:/o=Contoso/cn=Harbour'] },
    ],
  ])('%s is set by %j, in one call, and not again', async (field, body, [before, after], expected) => {
    const { id } = await groupAt(control, list);
    const answer = await patch(list, body);
    expect(answer).toMatchObject({
      status: 200,
      body: {
        ok: true,
        outcome: 'updated',
        changed: true,
        dryRun: false,
        id,
        kind: 'distributionList',
        failedCount: 0,
        firstError: null,
      },
    });
    expect(changes(answer)).toEqual([[field, before, after, 'set']]);
    expect(await set()).toHaveLength(1);
    const mail = String(answer.body?.primarySmtpAddress);
    expect(await groupAt(control, mail)).toMatchObject({ ...expected, id });

    await control.clearCalls();
    const again = await patch(mail, body);
    expect(again.body).toMatchObject({ ok: true, outcome: 'unchanged', changed: false, changes: [], id });
    expect(await control.writes()).toEqual([]);
  });

  test.each<[string, object, object, object]>([
    ['description', { description: 'On the quay' }, { description: null }, { description: null }],
    ['mailTip', { mailTip: 'Ahoy' }, { mailTip: null }, { exchange: { MailTip: null } }],
    ['moderatedBy', { moderatedBy: [ada] }, { moderatedBy: [] }, { exchange: { ModeratedBy: [] } }],
    ['moderatedBy', { moderatedBy: [ada] }, { moderatedBy: '' }, { exchange: { ModeratedBy: [] } }],
  ])('%s is cleared', async (field, first, second, expected) => {
    await patch(list, first);
    const answer = await patch(list, second);
    expect(changes(answer)).toMatchObject([[field, expect.stringMatching(/./), '', 'set']]);
    expect(await groupAt(control, list)).toMatchObject(expected);
    expect((await patch(list, second)).body).toMatchObject({ outcome: 'unchanged' });
  });

  test('are set together in one call, and what is right already is not sent', async () => {
    const body = {
      displayName: 'Pier Crew',
      hideFromAddressLists: true,
      requireSenderAuthentication: true,
      owners: [owner],
    };
    const answer = await patch(list, body);
    expect(changes(answer).map(([field]) => field)).toEqual(['displayName', 'hideFromAddressLists']);
    expect(await set()).toEqual([
      {
        Identity: expect.any(String),
        DisplayName: 'Pier Crew',
        HiddenFromAddressListsEnabled: true,
        BypassSecurityGroupManagerCheck: true,
      },
    ]);
    expect(answer.body).toMatchObject({
      displayName: 'Pier Crew',
      requestedName: 'Pier Crew',
      owners: [owner],
      alias: 'harbour-crew',
    });
  });

  test('may be named as text, and the group by its id or name', async () => {
    const { id } = await groupAt(control, list);
    expect((await patch('Harbour Crew', { owners: `${ada}\n${ben}` })).body).toMatchObject({ id, owners: [ada, ben] });
    expect((await patch(id, { description: 'x' })).body).toMatchObject({ id, owners: [ada, ben] });
  });
});

describe('addresses', () => {
  const addresses = async () => (await groupAt(control, 'pier@contoso.com')).proxyAddresses;

  test('all change: the primary one first, the others in a second call', async () => {
    const answer = await patch(list, { primarySmtpAddress: 'pier@contoso.com', addresses: ['jetty@contoso.com'] });
    expect(answer.body).toMatchObject({
      ok: true,
      outcome: 'updated',
      primarySmtpAddress: 'pier@contoso.com',
      addresses: ['pier@contoso.com', 'jetty@contoso.com'],
    });
    expect(changes(answer)).toEqual([
      ['primarySmtpAddress', list, 'pier@contoso.com', 'set'],
      ['addresses', `${list}, quay@contoso.com`, 'jetty@contoso.com', 'set'],
    ]);
    expect(await addresses()).toEqual([
      'SMTP:pier@contoso.com',
      'X500:/o=Contoso/cn=Harbour',
      'smtp:jetty@contoso.com',
    ]);
    expect(await set()).toHaveLength(2);
  });

  test('may name the primary one, and one twice', async () => {
    const answer = await patch(list, { addresses: [list, 'QUAY@contoso.com', 'quay@contoso.com'] });
    expect(answer.body).toMatchObject({ outcome: 'unchanged', addresses: [list, 'quay@contoso.com'] });
  });

  test('swap their parts: a further one becomes primary', async () => {
    const answer = await patch(list, { primarySmtpAddress: 'quay@contoso.com', addresses: [list] });
    expect(answer.body).toMatchObject({ outcome: 'updated', addresses: ['quay@contoso.com', list] });
    expect(await set()).toHaveLength(1);
  });

  test('of somebody else are refused before anything is written, with who holds them', async () => {
    for (const body of [
      { displayName: 'Pier', primarySmtpAddress: ada },
      { displayName: 'Pier', addresses: ['pier@contoso.com', ada] },
    ]) {
      for (const dryRun of [false, true]) {
        const answer = await patch(list, { ...body, dryRun });
        expect(answer).toMatchObject({ status: 409, body: { code: 'address_in_use' } });
        expect(answer.body?.detail).toContain(ada);
      }
    }
    expect(await control.writes()).toEqual([]);
  });

  test('in a domain that the tenant does not have are refused', async () => {
    const answer = await patch(list, { primarySmtpAddress: 'crew@example.com' });
    expect(answer).toMatchObject({ status: 409, body: { code: 'domain_not_accepted', upstream: 'exchange' } });
    expect(await groupAt(control, list)).toMatchObject({ mail: list });
  });

  test('that fail after the primary one was set are told as a part', async () => {
    const answer = await patch(list, { primarySmtpAddress: 'pier@contoso.com', addresses: ['crew@example.com'] });
    expect(answer).toMatchObject({
      status: 200,
      body: {
        ok: false,
        outcome: 'partial',
        changed: true,
        failedCount: 1,
        firstError: expect.stringMatching(/^addresses: /),
        primarySmtpAddress: 'pier@contoso.com',
        changes: [
          { field: 'primarySmtpAddress', outcome: 'set', code: 'set' },
          { field: 'addresses', outcome: 'failed', code: 'domain_not_accepted' },
        ],
      },
    });
    expect(answer.body?.addresses).toEqual(['pier@contoso.com', list, 'quay@contoso.com']);
    expect(await addresses()).toEqual(expect.arrayContaining([`smtp:${list}`, 'smtp:quay@contoso.com']));
  });
});

describe('owners', () => {
  test('are edited, so that whom somebody else adds meanwhile stays', async () => {
    await patch(list, { owners: [owner, ada] });
    await control.clearCalls();
    await patch(list, { owners: [ada, ben] });
    expect(await set()).toMatchObject([
      { ManagedBy: { '@odata.type': '#Exchange.GenericHashTable', Add: [cast.idOf(ben)], Remove: [cast.idOf(owner)] } },
    ]);
  });

  test('are the same people under other names', async () => {
    const id = cast.idOf(owner);
    for (const owners of [[id], [owner.toUpperCase()], [owner, id]])
      expect((await patch(list, { owners })).body).toMatchObject({ outcome: 'unchanged', owners: [owner] });
  });

  test('must be valid, every one, and nothing is written otherwise', async () => {
    const owners = [ada, cast.contact.mail, 'nobody@contoso.com'];
    const answer = await patch(list, { displayName: 'Pier', owners });
    expect(answer).toMatchObject({
      status: 409,
      body: { code: 'owner_not_valid', errors: [{ pointer: '/owners/1' }, { pointer: '/owners/2' }] },
    });
    expect(answer.body?.detail).not.toContain('created');
    expect(await control.writes()).toEqual([]);
  });

  test.each([list, security])('must not all go: %s', async (group) => {
    for (const owners of [[], ''])
      expect(await patch(group, { owners })).toMatchObject({ status: 409, body: { code: 'last_owner' } });
    expect(await control.writes()).toEqual([]);
  });

  test('that are protected are neither made nor unmade', async () => {
    const guarded = await world.startApp({ PROTECTED_USERS: `${owner},${ada}` });
    for (const owners of [[ben], [owner, ada]]) {
      const answer = await patch(list, { owners }, guarded);
      expect(answer).toMatchObject({ status: 403, body: { code: 'protected_object' } });
    }
    expect(await control.writes()).toEqual([]);
    expect((await patch(list, { moderatedBy: [ada] }, guarded)).body).toMatchObject({ outcome: 'updated' });
    expect((await patch(list, { owners: [owner, ben] }, guarded)).body).toMatchObject({ owners: [owner, ben] });
  });
});

describe('people in lists', () => {
  test.each([
    ['bypassModerationFrom', 'BypassModerationFromSendersOrMembers'],
    ['acceptMessagesFrom', 'AcceptMessagesOnlyFromSendersOrMembers'],
    ['rejectMessagesFrom', 'RejectMessagesFromSendersOrMembers'],
    ['sendOnBehalf', 'GrantSendOnBehalfTo'],
  ])('%s: set, found as it is, replaced, cleared', async (field, parameter) => {
    const steps = [[ada, ben], [ben], []].map((people) => ({ people, ids: people.map((each) => cast.idOf(each)) }));
    for (const { people, ids } of steps) {
      await control.clearCalls();
      expect((await patch(list, { [field]: people })).body).toMatchObject({ ok: true, outcome: 'updated' });
      expect(await set()).toMatchObject([{ [parameter]: ids }]);
      expect((await app.call('GET', `groups/${list}`)).body).toMatchObject({ [field]: people });
      expect((await patch(list, { [field]: people })).body).toMatchObject({ outcome: 'unchanged' });
    }
  });

  test('that cannot be found are all told, and nothing is written', async () => {
    const answer = await patch(list, {
      displayName: 'Pier',
      moderatedBy: ['nobody@contoso.com'],
      sendOnBehalf: [ada, 'noone@contoso.com'],
    });
    expect(answer).toMatchObject({
      status: 404,
      body: { code: 'member_not_found', errors: [{ pointer: '/moderatedBy/0' }, { pointer: '/sendOnBehalf/1' }] },
    });
    expect(await control.writes()).toEqual([]);
  });

  test('that have no mailbox yet are a matter of time', async () => {
    const answer = await patch(list, { moderatedBy: ['nobody@contoso.com', cast.withoutMailbox] });
    expect(answer).toMatchObject({ status: 429, body: { code: 'no_mailbox' } });
  });

  test('are kept by id, whatever they are called, and once', async () => {
    await patch(list, { moderatedBy: [ada] });
    const moderatedBy = [cast.idOf(ada), ada.toUpperCase()];
    expect((await patch(list, { moderatedBy })).body).toMatchObject({ outcome: 'unchanged' });
  });
});

describe('what a kind does not allow is refused with the kinds that do', () => {
  const exchangeSettings = {
    primarySmtpAddress: 'x@contoso.com',
    addresses: [],
    hideFromAddressLists: true,
    requireSenderAuthentication: false,
    joinRestriction: 'closed',
    departRestriction: 'closed',
    moderationEnabled: true,
    moderatedBy: [],
    bypassModerationFrom: [],
    acceptMessagesFrom: [],
    rejectMessagesFrom: [],
    sendOnBehalf: [],
    mailTip: null,
    ignoreNamingPolicy: true,
  };
  const pointers = (answer: Answer) => rowsOf(answer, 'errors').map(({ pointer }) => pointer);

  test.each([
    ['security', () => cast.security.id],
    ['microsoft365', () => cast.unified.id],
  ])('mail settings: not %s', async (kind, id) => {
    const answer = await patch(id(), { displayName: 'Pier', ...exchangeSettings });
    expect(answer).toMatchObject({ status: 400, body: { code: 'invalid_request' } });
    expect(pointers(answer)).toEqual(Object.keys(exchangeSettings).map((name) => `/${name}`));
    for (const { message } of rowsOf(answer, 'errors')) {
      expect(message).toContain('distributionList and mailEnabledSecurity');
      expect(message).toContain(kind);
    }
    expect(await control.writes()).toEqual([]);
  });

  test.each([list, security, 'security'])('visibility: not %s', async (group) => {
    const answer = await patch(group === 'security' ? cast.security.id : group, { visibility: 'Private' });
    expect(answer).toMatchObject({ status: 400, body: { errors: [{ pointer: '/visibility' }] } });
    expect(rowsOf(answer, 'errors')[0]?.message).toContain('microsoft365');
    expect(await control.writes()).toEqual([]);
  });

  test('open joining and moderation by nobody: not mailEnabledSecurity', async () => {
    const answer = await patch(security, {
      joinRestriction: 'open',
      departRestriction: 'open',
      moderationEnabled: true,
    });
    expect(answer).toMatchObject({ status: 400, body: { code: 'invalid_request' } });
    expect(pointers(answer)).toEqual(['/joinRestriction', '/departRestriction', '/moderatedBy']);
    expect(await control.writes()).toEqual([]);
  });

  test('mailEnabledSecurity may be moderated, and told that approval to join has no effect', async () => {
    const answer = await patch(security, {
      moderationEnabled: true,
      moderatedBy: [ada],
      joinRestriction: 'approvalRequired',
    });
    expect(answer.body).toMatchObject({ ok: true, outcome: 'updated', kind: 'mailEnabledSecurity' });
    expect(answer.body?.warnings).toEqual([expect.stringContaining('approvalRequired')]);
    expect(await patch(security, { moderatedBy: [] })).toMatchObject({ status: 400 });
  });

  test.each([{}, { dryRun: true }, { ignoreNamingPolicy: true }])('nothing at all: %j', async (body) => {
    expect(await patch(list, body)).toMatchObject({ status: 400, body: { code: 'invalid_request' } });
    expect(await control.calls({ upstream: 'exchange' })).toEqual([]);
  });

  test.each([
    ['displayName', { displayName: ' x' }],
    ['description', { description: '' }],
    ['visibility', { visibility: 'HiddenMembership' }],
    ['mailTip', { mailTip: 'x'.repeat(176) }],
    ['addresses', { addresses: ['no address'] }],
    ['joinRestriction', { joinRestriction: 'Open' }],
  ])('a %s that is not one', async (field, body) => {
    const answer = await patch(list, body);
    expect(answer).toMatchObject({ status: 400, body: { code: 'invalid_request' } });
    expect(String(pointers(answer)[0])).toContain(`/${field}`);
  });
});

describe('a group that must not be written', () => {
  test.each([
    ['on_premises_synced', () => cast.syncedList.id],
    ['on_premises_synced', () => cast.syncedSecurity.id],
    ['role_assignable', () => cast.roleAssignable.id],
    ['dynamic_membership', () => cast.dynamic.id],
    ['management_restricted', () => cast.restricted.id],
  ])('%s', async (code, id) => {
    expect(await patch(id(), { displayName: 'Pier' })).toMatchObject({ status: 403, body: { code } });
    expect(await control.writes()).toEqual([]);
  });

  test('by configuration', async () => {
    const guarded = await world.startApp({ PROTECTED_GROUPS: list });
    expect(await patch(list, { displayName: 'x' }, guarded)).toMatchObject({
      status: 403,
      body: { code: 'protected_object' },
    });
    const off = await world.startApp({ WRITE_MODE: 'off' });
    expect(await patch(list, { displayName: 'x' }, off)).toMatchObject({
      status: 403,
      body: { code: 'writes_disabled' },
    });
  });

  test.each<[string, Record<string, string>, object, string]>([
    ['onto PROTECTED_GROUPS', { PROTECTED_GROUPS: 'board*' }, { displayName: 'Board Secrets' }, 'protected_object'],
    ['onto PROTECTED_GROUPS', { PROTECTED_GROUPS: 'ceo@*' }, { addresses: ['ceo@contoso.com'] }, 'protected_object'],
    [
      'off MANAGED_GROUPS',
      { MANAGED_GROUPS: list },
      { primarySmtpAddress: 'pier@contoso.com', addresses: [] },
      'outside_managed_groups',
    ],
  ])('by the name it would get: %s', async (_where, settings, update, code) => {
    const guarded = await world.startApp(settings);
    expect(await patch(list, update, guarded)).toMatchObject({ status: 403, body: { code } });
    expect(await control.writes()).toEqual([]);
    expect((await patch(list, { mailTip: 'Ahoy' }, guarded)).body).toMatchObject({ outcome: 'updated' });
  });

  test('that is not there', async () => {
    expect(await patch('nobody@contoso.com', { displayName: 'x' })).toMatchObject({ status: 404 });
  });
});

describe('a dry run', () => {
  test('says what would be set and writes nothing', async () => {
    const body = { displayName: 'Pier', owners: [ada], primarySmtpAddress: 'pier@contoso.com' };
    const reporting = await world.startApp({ WRITE_MODE: 'reportOnly' });
    for (const answer of [await patch(list, { ...body, dryRun: true }), await patch(list, body, reporting)]) {
      expect(answer).toMatchObject({
        status: 200,
        body: {
          ok: true,
          outcome: 'planned',
          changed: false,
          dryRun: true,
          displayName: 'Harbour Crew',
          requestedName: 'Pier',
        },
      });
      expect(changes(answer)).toEqual([
        ['displayName', 'Harbour Crew', 'Pier', 'would_set'],
        ['primarySmtpAddress', list, 'pier@contoso.com', 'would_set'],
        ['owners', owner, ada, 'would_set'],
      ]);
    }
    expect(await control.writes()).toEqual([]);
  });

  test('of what is so already is unchanged', async () => {
    const answer = await patch(list, { displayName: 'Harbour Crew', dryRun: true });
    expect(answer.body).toMatchObject({ outcome: 'unchanged', changed: false, dryRun: true });
  });
});

describe('under a naming policy', () => {
  beforeEach(() => control.tenant({ settings: { namingPolicy: 'GRP_<GroupName>' } }));

  test('the name that came of it is told beside the one asked for', async () => {
    const answer = await patch(list, { displayName: 'Pier' });
    expect(answer.body).toMatchObject({ outcome: 'updated', displayName: 'GRP_Pier', requestedName: 'Pier' });
    expect(changes(answer)).toEqual([['displayName', 'Harbour Crew', 'GRP_Pier', 'set']]);
    // The policy is not known before: the name is sent again, and comes out as it is.
    expect((await patch(list, { displayName: 'Pier' })).body).toMatchObject({ displayName: 'GRP_Pier' });
  });

  test('the name is kept as it is when asked for', async () => {
    const answer = await patch(list, { displayName: 'Pier', ignoreNamingPolicy: true });
    expect(answer.body).toMatchObject({ outcome: 'updated', displayName: 'Pier', requestedName: 'Pier' });
    expect(await groupsNamed(control, 'Pier')).toHaveLength(1);
  });
});

describe('groups that Graph writes', () => {
  test.each([
    ['security', () => cast.security.id],
    ['microsoft365', () => cast.unified.id],
  ])('%s: name, description and owners', async (kind, id) => {
    await control.tenant({ groups: [{ id: id(), description: 'Old', owners: [owner, ada] }] });
    const body = { displayName: 'Pier', description: null, owners: [ada, ben, cleo] };
    const answer = await patch(id(), body);
    expect(answer).toMatchObject({
      status: 200,
      body: { ok: true, outcome: 'updated', id: id(), kind, displayName: 'Pier', owners: [ada, ben, cleo] },
    });
    expect(changes(answer)).toEqual([
      ['displayName', expect.any(String), 'Pier', 'set'],
      ['description', 'Old', '', 'set'],
      ['owners', expect.stringContaining(owner), `${ada}, ${ben}, ${cleo}`, 'set'],
    ]);
    const writes = (await control.writes()).map(({ method, path }) => [
      method,
      path.split('?')[0]?.replace(/^.*\/groups/, ''),
    ]);
    expect(writes).toEqual([
      ['PATCH', `/${id()}`],
      ['PATCH', `/${id()}`],
      ['DELETE', `/${id()}/owners/${cast.idOf(owner)}/$ref`],
    ]);
    await control.clearCalls();
    expect((await patch(id(), body)).body).toMatchObject({ outcome: 'unchanged', changed: false });
    expect(await control.writes()).toEqual([]);
  });

  test('microsoft365: visibility', async () => {
    const { id } = cast.unified;
    await control.tenant({ groups: [{ id, visibility: 'Public' }] });
    const answer = await patch(id, { visibility: 'Private' });
    expect(changes(answer)).toEqual([['visibility', 'Public', 'Private', 'set']]);
    expect((await patch(id, { visibility: 'Private' })).body).toMatchObject({ outcome: 'unchanged' });
  });

  test('a membership that was hidden at its creation stays so', async () => {
    const { id } = cast.unified;
    await control.tenant({ groups: [{ id, visibility: 'HiddenMembership' }] });
    expect(await patch(id, { visibility: 'Public', description: 'Seen' })).toMatchObject({
      status: 400,
      body: { code: 'invalid_request', errors: [{ pointer: '/visibility' }] },
    });
    expect(await control.writes()).toEqual([]);
    expect((await patch(id, { description: 'Seen' })).body).toMatchObject({ outcome: 'updated' });
  });

  test('an owner that is protected, or no user, is refused before anything is written', async () => {
    const { id } = cast.security;
    await control.tenant({ groups: [{ id, owners: [owner] }] });
    const guarded = await world.startApp({ PROTECTED_USERS: owner });
    expect(await patch(id, { displayName: 'Pier', owners: [ada] }, guarded)).toMatchObject({
      status: 403,
      body: { code: 'protected_object' },
    });
    expect(await patch(id, { displayName: 'Pier', owners: [ada, cast.unified.id] })).toMatchObject({
      status: 409,
      body: { code: 'owner_not_valid', errors: [{ pointer: '/owners/1' }] },
    });
    expect(await patch(id, { owners: [] })).toMatchObject({ status: 409, body: { code: 'last_owner' } });
    expect(await control.writes()).toEqual([]);
    expect((await patch(id, { owners: [owner, ada] }, guarded)).body).toMatchObject({ owners: [owner, ada] });
  });

  test('a dry run writes nothing', async () => {
    const answer = await patch(cast.security.id, { displayName: 'Pier', owners: [ada], dryRun: true });
    expect(answer.body).toMatchObject({ outcome: 'planned', changed: false });
    expect(changes(answer).map(([field, , , outcome]) => [field, outcome])).toEqual([
      ['displayName', 'would_set'],
      ['owners', 'would_set'],
    ]);
    expect(await control.writes()).toEqual([]);
  });
});

describe('the audit', () => {
  test('has before and after of each setting, a row for each write', async () => {
    const { id } = await groupAt(control, list);
    const answer = await patch(list, {
      hideFromAddressLists: true,
      primarySmtpAddress: 'pier@contoso.com',
      addresses: [],
    });
    const rows = await auditRows(app.storage, String(answer.body?.requestId));
    expect(rows).toMatchObject([
      {
        action: 'updateGroup',
        operation: 'Set-DistributionGroup',
        state: 'succeeded',
        targetId: id,
        targetName: list,
        before: { hideFromAddressLists: false, primarySmtpAddress: list },
        planned: { hideFromAddressLists: true, primarySmtpAddress: 'pier@contoso.com' },
        after: { hideFromAddressLists: true, primarySmtpAddress: 'pier@contoso.com' },
      },
      {
        operation: 'Set-DistributionGroup',
        targetId: id,
        before: { addresses: ['pier@contoso.com', list, 'quay@contoso.com'] },
        planned: { addresses: { remove: [`smtp:${list}`, 'smtp:quay@contoso.com'] } },
        after: { addresses: ['pier@contoso.com'] },
      },
    ]);
  });

  test('has the writes of Graph', async () => {
    const { id, displayName } = cast.security;
    await control.tenant({ groups: [{ id, owners: [owner] }] });
    const answer = await patch(id, { displayName: 'Pier', owners: [ada] });
    const rows = await auditRows(app.storage, String(answer.body?.requestId));
    expect(rows).toMatchObject([
      { operation: 'PATCH /groups/{id}', targetId: id, before: { displayName }, after: { displayName: 'Pier' } },
      { operation: 'PATCH /groups/{id} owners', planned: { add: [{ id: cast.idOf(ada) }] } },
      { operation: 'DELETE /groups/{id}/owners/{id}/$ref', planned: { remove: [{ id: cast.idOf(owner) }] } },
    ]);
  });
});

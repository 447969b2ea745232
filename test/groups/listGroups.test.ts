import { afterAll, beforeEach, describe, expect, test } from '@jest/globals';
import { encodeCursor } from '../../shared/groups/cursor.ts';
import { batchSizes, directoryOf, groupAt, readCast, type TenantGroup } from '../support/directory.ts';
import { type Answer, type JsonObject, rowsOf, startWorld } from '../support/world.ts';

const world = await startWorld();
const { control, simulator } = world;
const app = await world.startApp();
const cast = await readCast(control);
const [owner = ''] = cast.staff;

beforeEach(() => control.reset());
afterAll(() => world.close());

type Query = Record<string, string>;

const page = (query: Query = {}, from = app): Promise<Answer> => from.call('GET', 'groups', { query });

/** All rows of all pages, with something done between each page and the next. */
async function listed(query: Query, from = app, between: (page: number) => Promise<void> = () => Promise.resolve()) {
  const rows: JsonObject[] = [];
  const pages: number[] = [];
  let cursor: string | null = null;
  do {
    const answer: Answer = await page({ ...query, ...(cursor !== null && { cursor }) }, from);
    expect(answer.status).toBe(200);
    const groups = rowsOf(answer, 'groups');
    expect(answer.body).toMatchObject({ count: groups.length, hasMore: answer.body?.nextCursor !== null });
    rows.push(...groups);
    pages.push(groups.length);
    cursor = (answer.body?.nextCursor ?? null) as string | null;
    await between(pages.length);
  } while (cursor !== null);
  return { rows, pages };
}

const namesOf = (rows: readonly JsonObject[]): unknown[] => rows.map(({ displayName }) => displayName);
const keyOf = ({ id, primarySmtpAddress }: JsonObject): unknown => id ?? primarySmtpAddress;
const isDynamic = ({ exchange }: TenantGroup): boolean => exchange?.RecipientTypeDetails === 'DynamicDistributionGroup';

function kindOf({ groupTypes, mailEnabled, securityEnabled, ...group }: TenantGroup): string {
  if (isDynamic({ groupTypes, mailEnabled, securityEnabled, ...group })) return 'dynamicDistribution';
  if (groupTypes.includes('Unified')) return 'microsoft365';
  if (!mailEnabled) return 'security';
  return securityEnabled ? 'mailEnabledSecurity' : 'distributionList';
}

const securityGroups = (count: number, name = 'Crowd') =>
  Array.from({ length: count }, (_, index) => ({ displayName: `${name} ${String(index).padStart(4, '0')}` }));
const mailGroups = (count: number, name: string) =>
  Array.from({ length: count }, (_, index) => ({
    mail: `${name}-${String(index)}@contoso.com`,
    displayName: `${name} ${String(index)}`,
    mailEnabled: true,
    securityEnabled: index % 2 === 0,
    owners: [owner],
  }));
const unifiedGroups = (count: number) =>
  Array.from({ length: count }, (_, index) => ({
    mail: `union-${String(index)}@contoso.com`,
    displayName: `Union ${String(index)}`,
    groupTypes: ['Unified'],
    mailEnabled: true,
    exchange: { RecipientTypeDetails: 'GroupMailbox' },
  }));
const dynamicGroups = (count: number) =>
  Array.from({ length: count }, (_, index) => ({
    mail: `filtered-${String(index)}@contoso.com`,
    displayName: `Filtered ${String(index)}`,
    mailEnabled: true,
    owners: [owner],
    exchange: { RecipientTypeDetails: 'DynamicDistributionGroup' },
  }));

async function deleteInEntra(ids: readonly string[]): Promise<void> {
  const { ClientSecretCredential } = await import('@azure/identity');
  const { tenantId, clientId, clientSecret, urls } = simulator;
  const options = { authorityHost: urls.login, disableInstanceDiscovery: true };
  const credential = new ClientSecretCredential(tenantId, clientId, clientSecret, options);
  const { token } = await credential.getToken('https://graph.microsoft.com/.default');
  for (const id of ids) {
    const headers = { authorization: `Bearer ${token}` };
    const { status } = await fetch(`${urls.graph}/v1.0/groups/${id}`, { method: 'DELETE', headers });
    expect(status).toBe(204);
  }
}

describe('the list of groups', () => {
  test('holds every group of the tenant once, dynamic distribution groups last', async () => {
    const { rows } = await listed({ limit: '4' });
    const { groups } = await directoryOf(control);
    expect(namesOf(rows).sort()).toEqual(groups.map(({ displayName }) => displayName).sort());
    expect(rows.at(-1)).toMatchObject({
      kind: 'dynamicDistribution',
      displayName: cast.dynamicDistribution.displayName,
    });
    expect(rows.filter(({ kind }) => kind === 'dynamicDistribution')).toHaveLength(1);
  });

  test('says of each what getGroup says', async () => {
    const { rows } = await listed({});
    for (const row of rows) {
      const answer = await app.call('GET', `groups/${encodeURIComponent(String(keyOf(row)))}`);
      const { id, kind, displayName, alias, primarySmtpAddress, description, linkable, oktaLinkable, oktaReason } =
        answer.body ?? {};
      const blockers = rowsOf(answer, 'blockers');
      expect(row).toEqual({
        ...{ id, kind, displayName, alias, primarySmtpAddress, description, linkable, oktaLinkable, oktaReason },
        blockerCodes: blockers.map(({ code }) => code).join(','),
        blockerMessage: blockers[0]?.message ?? null,
      });
    }
  });

  test('answers which groups are missing in Okta, and why', async () => {
    const { rows } = await listed({});
    const missing = rows.filter(({ oktaLinkable }) => oktaLinkable === false);
    expect(namesOf(missing)).toEqual(
      expect.arrayContaining([
        cast.syncedList.displayName,
        cast.dynamic.displayName,
        'Synced Security',
        'Sales Nordics',
      ]),
    );
    for (const { oktaReason } of missing) expect(oktaReason).toMatch(/\.$/);
    expect(rows.find(({ id }) => id === cast.security.id)).toMatchObject({ oktaLinkable: true, oktaReason: null });
  });

  test('asks Exchange about mail groups alone, ten at a time', async () => {
    await control.tenant({ groups: [...mailGroups(17, 'Crew'), ...securityGroups(5)] });
    await listed({ limit: '100' });
    const { groups } = await directoryOf(control);
    const inExchange = groups.filter((group) => /^(distr|mailE)/.test(kindOf(group)));
    const sizes = await batchSizes(control, 'Get-DistributionGroup');
    expect(sizes.reduce((sum, size) => sum + size, 0)).toBe(inExchange.length);
    expect(Math.max(...sizes)).toBe(10);
  });

  test('has fifty on a page unless asked otherwise', async () => {
    await control.tenant({ groups: securityGroups(60) });
    expect(await page()).toMatchObject({ status: 200, body: { count: 50, hasMore: true } });
    expect(await page({ limit: '1' })).toMatchObject({ status: 200, body: { count: 1, hasMore: true } });
  });

  test.each([
    [{ limit: '0' }, '/query/limit'],
    [{ limit: '101' }, '/query/limit'],
    [{ kind: 'list' }, '/query/kind'],
    [{ linkable: 'perhaps' }, '/query/linkable'],
    [{ text: 'x' }, '/query/text'],
    [{ name: 'x' }, '/query/name'],
  ])('is refused with %j', async (query, pointer) => {
    const answer = await page(query);
    expect(answer).toMatchObject({ status: 400, body: { code: 'invalid_request' } });
    expect(rowsOf(answer, 'errors')).toMatchObject([{ pointer }]);
  });
});

describe('a listing of 2,500 groups', () => {
  const crowd = () => [
    ...securityGroups(1_700),
    ...unifiedGroups(500),
    ...mailGroups(250, 'Crew'),
    ...dynamicGroups(50),
  ];

  /** Creates and deletes between the pages; gives back what was deleted. */
  function churn(expendable: string[]): { gone: Set<string>; between: (page: number) => Promise<void> } {
    const gone = new Set<string>();
    return {
      gone,
      between: async (number) => {
        const victims = expendable.splice(0, 3);
        for (const id of victims) gone.add(id);
        await deleteInEntra(victims);
        await control.tenant({ groups: securityGroups(2, `Latecomer ${String(number)}`) });
      },
    };
  }

  test.each<[string, Query, (group: TenantGroup) => boolean]>([
    ['whole', { limit: '100' }, () => true],
    [
      'by text, many of a page of Graph, in small pages',
      { limit: '37', text: 'CROWD' },
      ({ displayName }) => displayName.startsWith('Crowd'),
    ],
    ['of what is linkable', { limit: '90', linkable: 'true' }, (group) => !isDynamic(group)],
  ])(
    '%s has each that stays exactly once while others come and go',
    async (_what, query, isAsked) => {
      await control.tenant({ groups: crowd() });
      const before = (await directoryOf(control)).groups;
      const linkable = await readLinkable();
      // Some of the groups that were just listed, and some that are still to come.
      const expendable = before.filter(
        ({ displayName }, index) => /^(Crowd|Union)/.test(displayName) && index % 9 === 0,
      );
      const { gone, between } = churn(expendable.map(({ id }) => id));
      const { rows, pages } = await listed(query, app, between);
      expect(gone.size).toBeGreaterThan(20);

      const keys = rows.map(keyOf);
      expect(new Set(keys).size).toBe(keys.length);
      const expected = before
        .filter((group) => isAsked(group) && !gone.has(group.id))
        .filter(({ displayName }) => query.linkable === undefined || linkable.has(displayName))
        .map((group) => (isDynamic(group) ? group.mail : group.id));
      expect(expected.filter((key) => !keys.includes(key))).toEqual([]);
      expect(Math.max(...pages)).toBe(Number(query.limit));
      expect(pages.slice(0, -1)).not.toContain(0);
    },
    120_000,
  );

  /** Display names of all that nothing of the seed blocks. */
  async function readLinkable(): Promise<Set<string>> {
    const { rows } = await listed({ limit: '100', linkable: 'false' });
    const blocked = new Set(namesOf(rows));
    const { groups } = await directoryOf(control);
    return new Set(groups.map(({ displayName }) => displayName).filter((name) => !blocked.has(name)));
  }
});

describe('a page that ends within a page of Graph', () => {
  const text = 'Crowd';
  const first = async (limit: string) => {
    await control.tenant({ groups: securityGroups(40) });
    const answer = await page({ limit, text });
    return { rows: rowsOf(answer, 'groups'), cursor: String(answer.body?.nextCursor) };
  };

  test('goes on after it, though all that it had are deleted', async () => {
    const { rows, cursor } = await first('15');
    await deleteInEntra(rows.map(({ id }) => String(id)));
    const rest = rowsOf(await page({ limit: '100', text, cursor }), 'groups');
    expect(namesOf(rest)).toEqual(
      securityGroups(40)
        .slice(15)
        .map(({ displayName }) => displayName),
    );
  });

  test('has a cursor that fits into a URL', async () => {
    await control.tenant({ groups: securityGroups(300) });
    const answer = await page({ limit: '99', text });
    expect(String(answer.body?.nextCursor).length).toBeLessThan(2_000);
  });
});

describe('a filter', () => {
  test.each(['distributionList', 'mailEnabledSecurity', 'security', 'microsoft365', 'dynamicDistribution'])(
    'by kind %s lets just those through',
    async (kind) => {
      const { groups } = await directoryOf(control);
      const { rows } = await listed({ kind, limit: '2' });
      expect(namesOf(rows).sort()).toEqual(
        groups
          .filter((group) => kindOf(group) === kind)
          .map(({ displayName }) => displayName)
          .sort(),
      );
      expect(rows.filter((row) => row.kind !== kind)).toEqual([]);
    },
  );

  test('by a kind that Entra has asks Exchange for no dynamic groups, and the other way round', async () => {
    await listed({ kind: 'security' });
    expect(await control.calls({ cmdlet: 'Get-DynamicDistributionGroup' })).toEqual([]);
    await control.clearCalls();
    await listed({ kind: 'dynamicDistribution' });
    expect(await control.calls({ upstream: 'graph' })).toEqual([]);
  });

  test('by kind is left to Graph as far as Graph surely can', async () => {
    await listed({ kind: 'microsoft365' });
    const [call] = await control.calls({ upstream: 'graph', path: '/groups?' });
    expect(decodeURIComponent(call?.path ?? '')).toContain("$filter=groupTypes/any(c:c eq 'Unified')");
  });

  test('by linkable parts all groups into two', async () => {
    const [all, linkable, blocked] = [
      (await listed({})).rows,
      (await listed({ linkable: 'true', limit: '3' })).rows,
      (await listed({ linkable: 'false', limit: '3' })).rows,
    ];
    expect(linkable).toEqual(all.filter((row) => row.linkable === true));
    expect(blocked).toEqual(all.filter((row) => row.linkable === false));
    expect(blocked.length).toBeGreaterThan(5);
  });

  test.each([
    ['NORDICS', ['Sales Nordics']],
    ['sales-nord', ['Sales Nordics']],
    ['rooms@contoso.onmicrosoft', ['Meeting Rooms']],
    ['support', ['Everyone In Support']],
    ['announcements', ['Announcements', 'Announcements']],
    ['nothing like it', []],
    ["o'brien", []],
  ])('by the text "%s" finds names and addresses', async (text, names) => {
    expect(namesOf((await listed({ text })).rows)).toEqual(names);
  });

  test('by several is by all of them', async () => {
    const { rows } = await listed({ text: 'plant', kind: 'distributionList', linkable: 'false' });
    expect(rows).toMatchObject([{ displayName: 'Plant News', blockerCodes: 'on_premises_synced' }]);
  });

  test('that few of many groups meet reads on until the end in one page', async () => {
    await control.tenant({ groups: [...securityGroups(450), { displayName: 'Needle' }] });
    expect(await page({ text: 'needle', limit: '5' })).toMatchObject({
      status: 200,
      body: { count: 1, hasMore: false },
    });
  });
});

describe('each reason', () => {
  const address = 'harbour-crew@contoso.com';
  const crew = {
    mail: address,
    displayName: 'Harbour Crew',
    mailEnabled: true,
    securityEnabled: true,
    owners: [owner],
  };

  test.each([
    [{ onPremisesSyncEnabled: true }, 'on_premises_synced'],
    [{ groupTypes: ['DynamicMembership'] }, 'dynamic_membership'],
    [{ isAssignableToRole: true }, 'role_assignable'],
    [{ isManagementRestricted: true }, 'management_restricted'],
    [{ exchange: { RecipientTypeDetails: 'RoomList' } }, 'unknown_kind'],
    [{ exchange: { RecipientTypeDetails: 'DynamicDistributionGroup' } }, 'dynamic_membership'],
    [{ isAssignableToRole: true, onPremisesSyncEnabled: true }, 'on_premises_synced,role_assignable'],
  ])('of %j is %s in the list', async (properties, codes) => {
    await control.tenant({ groups: [{ ...crew, ...properties }] });
    const { rows } = await listed({ text: address });
    expect(rows).toMatchObject([
      { linkable: false, blockerCodes: codes, blockerMessage: expect.stringMatching(/\.$/) },
    ]);
  });

  test('of the configuration is in the list', async () => {
    await control.tenant({ groups: [crew] });
    const guarded = await world.startApp({ PROTECTED_GROUPS: 'harbour*', MANAGED_GROUPS: 'okta-*' });
    const { rows } = await listed({ text: address }, guarded);
    expect(rows).toMatchObject([{ linkable: false, blockerCodes: 'protected_object,outside_managed_groups' }]);
  });

  test('that Exchange alone gives counts', async () => {
    await control.tenant({ groups: [crew] });
    const { id } = await groupAt(control, address);
    const row = { ...crewRow(id), IsDirSynced: 'True' };
    await control.fault({
      upstream: 'exchange',
      match: { path: '$batch' },
      fault: { kind: 'status', status: 200, body: { responses: [{ id: '0', status: 200, body: { value: [row] } }] } },
    });
    const { rows } = await listed({ text: address });
    expect(rows).toMatchObject([
      { blockerCodes: 'on_premises_synced', blockerMessage: expect.stringContaining('Exchange says') },
    ]);
  });

  const crewRow = (id: string) => ({
    Name: 'Harbour Crew',
    Alias: 'harbour-crew',
    PrimarySmtpAddress: address,
    RecipientTypeDetails: 'MailUniversalSecurityGroup',
    ExternalDirectoryObjectId: id,
    Guid: '00000000-0000-4000-8000-000000000002',
  });

  test('that a mail group shows in Entra alone is in the list', async () => {
    await control.tenant({ groups: [crew] });
    await control.tenant({ settings: { replicationLagMs: { entraToExchange: 0, exchangeToEntra: 60_000 } } });
    await app.call('DELETE', `groups/${address}`, { query: { confirm: address } });
    const { rows } = await listed({ text: address });
    expect(rows).toMatchObject([{ linkable: false, blockerCodes: 'group_not_ready' }]);
  });
});

describe('a listing that is disturbed', () => {
  test.each([
    [429, 'throttled'],
    [503, 'upstream_failed'],
  ])('by a part of a batch that ends in %i fails loudly, and calls nothing linkable', async (status, code) => {
    await control.fault({ upstream: 'exchange', fault: { kind: 'batchParts', indexes: [1], status } });
    expect(await page()).toMatchObject({ body: { code, upstream: 'exchange' } });
    expect(await page()).toMatchObject({ status: 200 });
  });

  test('by throttling after some rows gives those, and goes on from there', async () => {
    await control.tenant({ groups: mailGroups(70, 'Crew') });
    await control.fault({ upstream: 'exchange', skip: 3, fault: { kind: 'batchParts', indexes: [0], status: 429 } });
    const answer = await page({ text: 'crew', limit: '100' });
    expect(answer).toMatchObject({ status: 200, body: { count: 30, hasMore: true } });
    const rest = await listed({ text: 'crew', limit: '100', cursor: String(answer.body?.nextCursor) });
    const keys = [...rowsOf(answer, 'groups'), ...rest.rows].map(keyOf);
    expect(new Set(keys).size).toBe(70);
  });

  test('by another failure after some rows fails all the same', async () => {
    await control.tenant({ groups: mailGroups(70, 'Crew') });
    await control.fault({ upstream: 'exchange', skip: 3, fault: { kind: 'batchParts', indexes: [0], status: 400 } });
    expect((await page({ text: 'crew', limit: '100' })).status).toBe(502);
  });

  test('by slow answers gives what there is, be it nothing, and a cursor', async () => {
    // Each call takes 5 of the 20 seconds that there are.
    let nowMs = Date.now();
    const clock = {
      now: () => nowMs,
      sleep: () => Promise.resolve(),
      after: () => () => undefined,
    };
    const slow: typeof fetch = async (input, init) => {
      const response = await fetch(input, init);
      if (response.url.includes('/v1.0/groups')) nowMs += 5_000;
      return response;
    };
    await control.tenant({ groups: securityGroups(500) });
    const late = await world.startApp({}, { clock, fetch: slow });
    const answer = await page({ text: 'nothing like it' }, late);
    expect(answer).toMatchObject({ status: 200, body: { count: 0, hasMore: true } });
    expect(await control.calls({ upstream: 'graph', path: '/groups?' })).toHaveLength(3);
    const { rows } = await listed({ text: 'nothing like it', cursor: String(answer.body?.nextCursor) });
    expect(rows).toEqual([]);
  });

  test('by a link that leads elsewhere ends', async () => {
    await control.fault({ upstream: 'graph', match: { path: '/groups' }, fault: { kind: 'foreignLink' } });
    expect(await page({ limit: '3' })).toMatchObject({ status: 502, body: { code: 'foreign_link' } });
  });

  test('by a refusal of Graph on its first page says so, and blames no cursor', async () => {
    const body = { error: { code: 'Request_UnsupportedQuery', message: 'Unsupported Query.' } };
    await control.fault({
      upstream: 'graph',
      match: { path: '/groups' },
      fault: { kind: 'status', status: 400, body },
    });
    expect(await page()).toMatchObject({ status: 502, body: { code: 'upstream_rejected' } });
  });
});

describe('a cursor', () => {
  const refused = async (cursor: string, query: Query = {}): Promise<void> => {
    await control.clearCalls();
    const answer = await page({ ...query, cursor });
    expect(answer).toMatchObject({ status: 400, body: { code: 'invalid_request' } });
    expect(rowsOf(answer, 'errors')).toMatchObject([{ pointer: '/query/cursor' }]);
  };
  const cursorOf = async (query: Query): Promise<string> =>
    String((await page({ limit: '3', ...query })).body?.nextCursor);
  const name = 'groups [null,null,null]';

  test.each([
    ['nonsense', 'nonsense'],
    ['short', 'AAAA'],
    ['not base64', '....'],
    ['long', 'a'.repeat(4_000)],
  ])('that is %s is refused', async (_what, cursor) => {
    await refused(cursor);
    expect(await control.calls({ upstream: 'graph' })).toEqual([]);
  });

  test('that is damaged anywhere is refused', async () => {
    const cursor = await cursorOf({});
    for (const at of [0, 5, 12, 20, Math.floor(cursor.length / 2), cursor.length - 1]) {
      const other = cursor[at] === 'A' ? 'B' : 'A';
      await refused(cursor.slice(0, at) + other + cursor.slice(at + 1));
    }
    await refused(cursor.slice(0, -4));
    await refused(`${cursor}AAAA`);
    expect((await page({ limit: '3', cursor })).status).toBe(200);
  });

  test('of other filters is refused, of another limit it is not', async () => {
    const cursor = await cursorOf({ linkable: 'true' });
    await refused(cursor);
    await refused(cursor, { linkable: 'false' });
    await refused(cursor, { linkable: 'true', kind: 'security' });
    await refused(cursor, { linkable: 'true', text: 'plant' });
    expect((await page({ linkable: 'true', limit: '7', cursor })).status).toBe(200);
  });

  test("of a list of members is refused, and this list's there", async () => {
    const members = await app.call('GET', `groups/${cast.security.id}/members`, { query: { limit: '1' } });
    await refused(String(members.body?.nextCursor));
    const query = { cursor: await cursorOf({}) };
    const answer = await app.call('GET', `groups/${cast.security.id}/members`, { query });
    expect(answer).toMatchObject({ status: 400, body: { code: 'invalid_request' } });
  });

  test.each<[unknown]>([
    [{ in: 'graph', path: '/users?$select=id', seen: '' }],
    [{ in: 'graph', path: '/groups/../users?$select=id', seen: '' }],
    [{ in: 'graph', path: 'https://elsewhere.example/groups?', seen: '' }],
    [{ in: 'graph', path: '/groups?$top=3' }],
    [{ in: 'graph', path: 7, seen: '' }],
    [{ in: 'exchange' }],
    [{ in: 'elsewhere', after: '' }],
    [null],
    ['text'],
  ])('that leads to %j is refused, and not followed', async (position) => {
    await refused(encodeCursor(name, position));
    expect(await control.calls()).toEqual([]);
  });

  test('that Graph does not know any more is refused as such', async () => {
    await refused(encodeCursor(name, { in: 'graph', path: '/groups?$top=5&$skiptoken=expired', seen: '' }));
    expect(await control.calls({ upstream: 'graph', path: 'expired' })).toHaveLength(1);
  });
});

import { afterAll, beforeEach, describe, expect, test } from '@jest/globals';
import { encodeCursor } from '../../shared/groups/cursor.ts';
import { startCounter, takeNumber } from '../support/counter.ts';
import { groupAt, readCast } from '../support/directory.ts';
import { type Answer, rowsOf, startWorld } from '../support/world.ts';

const world = await startWorld();
const { control } = world;
const app = await world.startApp();
const cast = await readCast(control);
const [owner = ''] = cast.staff;
const address = 'harbour-crew@contoso.com';
const crew = Array.from({ length: 25 }, (_, index) => `deckhand${String(index).padStart(2, '0')}@contoso.com`);

beforeEach(async () => {
  await control.reset();
  await control.tenant({
    users: crew.map((upn) => ({ userPrincipalName: upn, mail: upn, displayName: `Hand ${upn}` })),
    groups: [
      {
        mail: address,
        displayName: 'Harbour Crew',
        mailEnabled: true,
        securityEnabled: true,
        owners: [owner],
        members: crew,
      },
      {
        mail: 'quay-news@contoso.com',
        displayName: 'Quay News',
        mailEnabled: true,
        securityEnabled: false,
        members: crew,
      },
    ],
  });
});
afterAll(() => world.close());

const list = (query: Record<string, string> = {}, group = address): Promise<Answer> =>
  app.call('GET', `groups/${encodeURIComponent(group)}/members`, { query });

describe('listing members', () => {
  test('pages by limit and cursor to the end: everybody once, in order', async () => {
    const seen: unknown[] = [];
    const sizes: unknown[] = [];
    let cursor: string | null = null;
    do {
      const answer: Answer = await list({ limit: '10', ...(cursor === null ? {} : { cursor }) });
      expect(answer).toMatchObject({ status: 200, body: { groupId: (await groupAt(control, address)).id } });
      seen.push(...rowsOf(answer, 'members').map(({ userPrincipalName }) => userPrincipalName));
      sizes.push(answer.body?.count);
      expect(answer.body?.hasMore).toBe(answer.body?.nextCursor !== null);
      cursor = answer.body?.nextCursor as string | null;
    } while (cursor !== null);
    expect(sizes).toEqual([10, 10, 5]);
    expect(seen).toEqual(crew);
  });

  test('has a hundred on a page unless told otherwise', async () => {
    expect((await list()).body).toMatchObject({ count: 25, hasMore: false, nextCursor: null });
    const [call] = await control.calls({ upstream: 'graph', path: '/members' });
    expect(decodeURIComponent(call?.path ?? '')).toContain('$top=100');
  });

  test('tells each as one flat row, whatever it is', async () => {
    await control.tenant({
      groups: [{ mail: address, members: [crew[0], cast.contact.mail, cast.guest.id, 'quay-news@contoso.com'] }],
    });
    const list_ = await groupAt(control, 'quay-news@contoso.com');
    const answer = await list();
    expect(rowsOf(answer, 'members')).toEqual([
      {
        id: expect.any(String),
        type: 'user',
        displayName: `Hand ${String(crew[0])}`,
        userPrincipalName: crew[0],
        mail: crew[0],
      },
      {
        id: cast.contact.id,
        type: 'orgContact',
        displayName: expect.any(String),
        userPrincipalName: null,
        mail: cast.contact.mail,
      },
      {
        id: cast.guest.id,
        type: 'user',
        displayName: expect.any(String),
        userPrincipalName: cast.guest.userPrincipalName,
        mail: cast.guest.mail,
      },
      { id: list_.id, type: 'group', displayName: 'Quay News', userPrincipalName: null, mail: 'quay-news@contoso.com' },
    ]);
  });

  test.each([
    'security',
    'unified',
    'dynamic',
    'roleAssignable',
    'restricted',
    'syncedSecurity',
    'syncedList',
    'roomList',
  ] as const)('reads a group of another kind: %s', async (role) => {
    const group = cast[role];
    const answer = await list({}, group.id);
    expect(answer).toMatchObject({ status: 200, body: { groupId: group.id, hasMore: false } });
    expect(rowsOf(answer, 'members').map(({ id }) => id)).toEqual(group.members);
  });

  test('of a dynamic distribution group is refused: nobody keeps such a list', async () => {
    const answer = await list({}, String(cast.dynamicDistribution.mail));
    expect(answer).toMatchObject({ status: 400, body: { code: 'kind_not_supported' } });
    expect(answer.body?.detail).toContain('filter');
  });

  test('of an unknown group is 404', async () => {
    expect(await list({}, 'nobody@contoso.com')).toMatchObject({ status: 404, body: { code: 'group_not_found' } });
  });

  test('of a name that two groups have is 409, naming both', async () => {
    const answer = await list({}, cast.twins[0].displayName);
    expect(answer).toMatchObject({ status: 409, body: { code: 'ambiguous_group' } });
    for (const { mail, id } of cast.twins) {
      expect(answer.body?.detail).toContain(mail);
      expect(answer.body?.detail).toContain(id);
    }
  });

  test.each([
    ['0', 'limit'],
    ['1000', 'limit'],
    ['ten', 'limit'],
    ['2.5', 'limit'],
  ])('with limit %s is refused', async (limit) => {
    const answer = await list({ limit });
    expect(answer).toMatchObject({ status: 400, body: { code: 'invalid_request' } });
    expect(rowsOf(answer, 'errors')).toMatchObject([{ pointer: '/query/limit' }]);
  });
});

describe('a cursor', () => {
  /** As the app makes it, for a path that the app would never put in. */
  const encode = async (path: string): Promise<string> => {
    const { id } = await groupAt(control, address);
    return encodeCursor(`members of ${id}`, path.replace('{id}', id));
  };
  const refused = async (cursor: string): Promise<void> => {
    await control.clearCalls();
    const answer = await list({ cursor });
    expect(answer).toMatchObject({ status: 400, body: { code: 'invalid_request' } });
    expect(rowsOf(answer, 'errors')).toMatchObject([{ pointer: '/query/cursor' }]);
  };
  const asked = async (): Promise<string[]> => (await control.calls({ upstream: 'graph' })).map(({ path }) => path);

  test('that is no cursor is refused', () => refused('nonsense'));

  test('of another group is refused, and not followed', async () => {
    const { body } = await list({ limit: '5' }, 'quay-news@contoso.com');
    await refused(String(body?.nextCursor));
    const other = await groupAt(control, 'quay-news@contoso.com');
    expect((await asked()).filter((path) => path.includes(other.id))).toEqual([]);
  });

  test.each([
    '/users?$select=id',
    'https://elsewhere.example/v1.0/groups',
    '/groups/{id}/owners?$top=1',
    '/groups/{id}/members/../../../users?$top=1',
  ])('that leads to %s is refused, and not followed', async (path) => {
    await refused(await encode(path));
    expect((await asked()).filter((each) => /\/(users|owners)|\/members/.test(each))).toEqual([]);
  });

  test('that Graph does not know any more is refused as such', async () => {
    await refused(await encode('/groups/{id}/members?$top=5&$skiptoken=expired'));
    expect((await asked()).filter((path) => path.includes('expired'))).toHaveLength(1);
  });

  test('is good with the group under another of its names', async () => {
    const { body } = await list({ limit: '20' });
    const answer = await list({ limit: '20', cursor: String(body?.nextCursor) }, 'Harbour Crew');
    expect(answer.body).toMatchObject({ count: 5, hasMore: false });
  });
});

describe('a link that leads elsewhere', () => {
  test('among the pages of members ends the listing', async () => {
    await control.fault({ upstream: 'graph', match: { path: '/members' }, fault: { kind: 'foreignLink' } });
    expect(await list({ limit: '10' })).toMatchObject({
      status: 502,
      body: { code: 'foreign_link', upstream: 'graph', retryable: false },
    });
  });

  test.each([
    ['graph', { path: '$filter' }, '/v1.0/groups?$skiptoken=1'],
    ['exchange', { cmdlet: 'Get-DistributionGroup' }, '/adminapi/beta/tenant/InvokeCommand?$skiptoken=1'],
  ] as const)('to another host of %s is not followed: no token goes there', async (upstream, match, path) => {
    const elsewhere = await startCounter();
    const body = { value: [], '@odata.nextLink': `${elsewhere.url}${path}` };
    await control.fault({ upstream, match, fault: { kind: 'status', status: 200, body } });
    expect(await list()).toMatchObject({ status: 502, body: { code: 'foreign_link', upstream } });
    // The counter answers with the number of calls before this one.
    expect(await takeNumber(elsewhere.url)).toBe(0);
    await elsewhere.close();
  });

  test.each([
    ['graph', { path: '$filter' }, '/beta/groups?$skiptoken=1'],
    ['exchange', { cmdlet: 'Get-DistributionGroup' }, '/other?$skiptoken=1'],
  ] as const)('to another API of %s is not followed either', async (upstream, match, path) => {
    const body = { value: [], '@odata.nextLink': `${world.simulator.urls[upstream]}${path}` };
    await control.fault({ upstream, match, fault: { kind: 'status', status: 200, body } });
    expect(await list()).toMatchObject({ status: 502, body: { code: 'foreign_link', upstream } });
    expect(await control.calls({ upstream, path })).toEqual([]);
  });
});

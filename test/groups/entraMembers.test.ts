import { afterAll, afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { createGraph } from '../../shared/graph/client.ts';
import { createGraphDirectoryObjects } from '../../shared/graph/directoryObjects.ts';
import { createGraphUsers } from '../../shared/graph/users.ts';
import { createEntraMembers, type EntraMembers } from '../../shared/groups/membership/entraMembers.ts';
import { createProtectedUsers } from '../../shared/groups/protectedUsers.ts';
import { quickClock, type QuickClock, type TestCall, testCall, testUpstream } from '../support/rooms.ts';
import { startScriptedServer } from '../support/scriptedServer.ts';

/** Against a directory of a few rows, for what a whole tenant would not show. */

const server = await startScriptedServer();
let call: TestCall;
let clock: QuickClock;

const id = (last: string) => `0a1b2c3d-0000-4000-8000-${last.padStart(12, '0')}`;
const ann = { id: id('a1'), userPrincipalName: 'ann@contoso.com', mail: 'ann.b@contoso.com', displayName: 'Ann' };
const bob = {
  id: id('b2'),
  userPrincipalName: 'bob@contoso.com',
  mail: null,
  proxyAddresses: ['SMTP:ann@contoso.com'],
};
const crew = { id: id('c3'), mail: null, displayName: 'Crew', securityEnabled: true, groupTypes: [] };
const unified = { id: id('d4'), mail: 'team@contoso.com', securityEnabled: true, groupTypes: ['Unified'] };
const list = { id: id('e5'), mail: 'list@contoso.com', securityEnabled: false, groupTypes: [] };

interface Asked {
  id: string;
  url: string;
}
type Reply = { status: number; headers?: object; body?: object } | null;

/** Every part that was asked, in order. */
let asked: string[] = [];
/** What the directory has under the words of a part's url; nothing is a 404, or an empty list. */
let rows: Record<string, object[]> = {};
let spoil: (url: string) => Reply = () => null;

function answerOf(url: string): Exclude<Reply, null> {
  const spoilt = spoil(url);
  if (spoilt !== null) return spoilt;
  const [path = '', query = ''] = url.split('?');
  const wanted = new URLSearchParams(query).get('$filter') ?? '';
  const collection = path.split('/')[1] ?? '';
  const found = Object.entries(rows).filter(
    ([key]) => key.startsWith(`${collection} `) && (wanted === '' ? path : wanted).includes(key.split(' ')[1] ?? '-'),
  );
  const objects = found.flatMap(([, each]) => each);
  if (wanted !== '') return { status: 200, body: { value: objects } };
  const [object] = objects;
  const missing = { error: { code: 'Request_ResourceNotFound', message: 'Resource does not exist.' } };
  return object === undefined ? { status: 404, body: missing } : { status: 200, body: object };
}

function members(protectedUsers: readonly string[] = []): EntraMembers {
  const graph = createGraph(testUpstream('graph', server.url, { clock }));
  return createEntraMembers({
    directoryObjects: createGraphDirectoryObjects(graph),
    protectedUsers: createProtectedUsers(protectedUsers, createGraphUsers(graph)),
  });
}

beforeEach(() => {
  call = testCall();
  clock = quickClock();
  asked = [];
  server.heard.length = 0;
  spoil = () => null;
  rows = {
    'users ann@contoso.com': [ann],
    [`users ${ann.id}`]: [ann],
    [`groups ${crew.id}`]: [crew],
    [`groups ${unified.id}`]: [unified],
    'groups list@contoso.com': [list],
  };
  server.respond(({ body, path }) => {
    if (!path.endsWith('/$batch')) return { status: 404, body: {} };
    const { requests } = JSON.parse(body) as { requests: Asked[] };
    asked.push(...requests.map(({ url }) => decodeURIComponent(url)));
    return { body: { responses: requests.map((part) => ({ id: part.id, ...answerOf(part.url) })) } };
  });
});
afterEach(() => call.end());
afterAll(() => server.close());

describe('an entry', () => {
  test('is looked up by all that a user may be called, and as a group only when it is no user', async () => {
    const resolutions = await members().resolve('security', 'add', ['ann@contoso.com', crew.id], call);
    expect(resolutions).toMatchObject([
      { type: 'found', object: { id: ann.id, type: 'user', userPrincipalName: 'ann@contoso.com' } },
      { type: 'found', object: { id: crew.id, type: 'group', displayName: 'Crew' } },
    ]);
    expect(asked.map((url) => url.replace(/&?\$select=.*/, ''))).toEqual([
      "/users?$filter=userPrincipalName eq 'ann@contoso.com' or mail eq 'ann@contoso.com' or proxyAddresses/any(p:p eq 'smtp:ann@contoso.com')",
      `/users/${crew.id}?`,
      `/groups/${crew.id}?`,
    ]);
    expect(server.heard).toHaveLength(2);
  });

  test('that means two people means nobody', async () => {
    rows['users ann@contoso.com'] = [ann, bob];
    expect(await members().resolve('security', 'add', ['ann@contoso.com'], call)).toMatchObject([
      { type: 'failed', code: 'ambiguous_member', message: expect.stringContaining('2 objects') },
    ]);
  });

  test("with a quote in it is that text, and one that Graph cannot read is nobody's", async () => {
    spoil = (url) =>
      url.includes('odd') ? { status: 400, body: { error: { code: 'x', message: 'Invalid.' } } } : null;
    expect(await members().resolve('security', 'add', ["o'neil@contoso.com", 'odd@contoso.com'], call)).toMatchObject([
      { code: 'member_not_found' },
      { code: 'member_not_found' },
    ]);
    expect(asked[0]).toContain("userPrincipalName eq 'o''neil@contoso.com'");
  });

  test.each([
    ['security', unified.id, 'member_kind_not_allowed'],
    ['security', 'list@contoso.com', 'member_kind_not_allowed'],
    ['microsoft365', crew.id, 'member_kind_not_allowed'],
    ['microsoft365', ann.id, null],
    ['security', crew.id, null],
  ] as const)('for %s: %s is %s', async (kind, entry, code) => {
    const [resolution] = await members().resolve(kind, 'add', [entry], call);
    expect(resolution).toMatchObject(code === null ? { type: 'found' } : { type: 'failed', code });
    expect(await members().resolve(kind, 'remove', [entry], call)).toMatchObject([{ type: 'found' }]);
  });

  test('that is an id of neither user nor group can be removed, not added', async () => {
    const device = id('FF').toUpperCase();
    expect(await members().resolve('security', 'remove', [device, 'gone@contoso.com'], call)).toMatchObject([
      { type: 'found', object: { id: device.toLowerCase(), type: 'directoryObject' } },
      { type: 'failed', code: 'member_not_found' },
    ]);
    expect(await members().resolve('security', 'add', [device], call)).toMatchObject([{ code: 'member_not_found' }]);
  });

  test.each(['ann.b@contoso.com', ann.id, 'ANN@contoso.com', '*@contoso.com'])(
    'of a person protected as %s is refused, added or removed',
    async (listed) => {
      for (const change of ['add', 'remove'] as const) {
        expect(await members([listed]).resolve('security', change, ['ann@contoso.com'], call)).toMatchObject([
          { type: 'failed', code: 'protected_object' },
        ]);
      }
    },
  );

  test('by an id that is no user or group is refused where the list has it', async () => {
    const device = id('d');
    expect(await members([device]).resolve('security', 'remove', [device], call)).toMatchObject([
      { type: 'failed', code: 'protected_object' },
    ]);
  });

  test('of an owner must be a user', async () => {
    expect(await members().resolveOwners([ann.id, crew.id], call)).toMatchObject([
      { type: 'found', object: { id: ann.id } },
      { type: 'failed', code: 'owner_not_valid' },
    ]);
  });
});

describe('many entries', () => {
  test('are looked up twenty a call', async () => {
    const ids = Array.from({ length: 45 }, (_, index) => id(String(index)));
    for (const each of ids) rows[`users ${each}`] = [{ ...ann, id: each }];
    const resolutions = await members().resolve('security', 'add', ids, call);
    expect(resolutions.map((each) => each.type === 'found' && each.object.id)).toEqual(ids);
    expect(server.heard).toHaveLength(3);
  });

  test('throttled in parts are looked up again, those alone, after the wait', async () => {
    let times = 0;
    spoil = (url) => {
      if (!url.includes(ann.id)) return null;
      times += 1;
      return times > 2 ? null : { status: 429, headers: { 'Retry-After': '2' } };
    };
    const entries = ['ann@contoso.com', ann.id];
    expect(await members().resolve('security', 'add', entries, call)).toMatchObject([
      { type: 'found' },
      { type: 'found' },
    ]);
    expect(asked).toHaveLength(4);
    expect(Math.max(...clock.waits)).toBeGreaterThanOrEqual(1_900);
  });

  test('that fail for good say with what', async () => {
    spoil = (url) => {
      if (url.includes(ann.id)) return { status: 503 };
      return url.includes(crew.id) ? { status: 403, body: { error: { code: 'x', message: 'no' } } } : null;
    };
    const resolutions = await members().resolve('security', 'remove', [ann.id, crew.id, 'ann@contoso.com'], call);
    expect(resolutions).toMatchObject([
      { type: 'failed', code: 'upstream_failed' },
      { type: 'failed', code: 'graph_permission_missing' },
      { type: 'found' },
    ]);
    expect(asked).toHaveLength(5);
  });
});

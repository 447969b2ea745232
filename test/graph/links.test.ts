import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import type { GraphPart } from '../../shared/graph/batch.ts';
import { createGraph, type Graph } from '../../shared/graph/client.ts';
import { GraphFault } from '../../shared/graph/errors.ts';
import { createGraphGroups, type GraphGroups } from '../../shared/graph/groups.ts';
import { createGraphGroupWrites } from '../../shared/graph/groupWrites.ts';
import { createGraphLinks, type GraphLinks } from '../../shared/graph/links.ts';
import { createTokenSource } from '../../shared/upstream/tokens.ts';
import { readCast, type Cast } from '../support/directory.ts';
import { faultOf, type TestCall, testCall, testUpstream } from '../support/rooms.ts';
import { startWorld, type World } from '../support/world.ts';

/** Against the simulated tenant, which refuses as graph.md §1.4 has it. */

let world: World;
let cast: Cast;
let graph: Graph;
let groups: GraphGroups;
let links: GraphLinks;
let call: TestCall;
let id: string;

beforeAll(async () => {
  world = await startWorld();
  cast = await readCast(world.control);
  const { urls, tenantId, clientId, clientSecret } = world.simulator;
  const tokens = createTokenSource('https://graph.microsoft.com/.default', async () => {
    const { ClientSecretCredential } = await import('@azure/identity');
    const options = { authorityHost: urls.login, disableInstanceDiscovery: true };
    return new ClientSecretCredential(tenantId, clientId, clientSecret, options);
  });
  graph = createGraph(testUpstream('graph', urls.graph, { tokens }));
  groups = createGraphGroups(graph);
  links = createGraphLinks(graph);
});
beforeEach(async () => {
  await world.control.reset();
  call = testCall();
  id = await newGroup('microsoft365');
  await world.control.clearCalls();
});
afterEach(() => call.end());
afterAll(() => world.close());

const people = () => cast.staff.slice(0, 6).map(cast.idOf);
const nobody = '00000000-0000-4000-8000-00000000dead';

async function newGroup(kind: 'security' | 'microsoft365'): Promise<string> {
  const owners = people().slice(0, 1);
  const group = { kind, displayName: 'Crew', mailNickname: 'crew', description: null, visibility: null, owners };
  return (await createGraphGroupWrites(graph).create({ ...group, members: [] }, call)).group.id;
}

const told = (parts: readonly GraphPart[]) =>
  parts.map((part) => (part.ok ? 'ok' : part.fault instanceof GraphFault ? part.fault.kind : part.fault.code));
const memberIds = async () =>
  (await groups.members(id, { size: 999, from: null }, call)).members.map((member) => member.id).sort();
const sent = async () => (await world.control.writes()).map(({ method }) => method);

describe('members', () => {
  test('are added together, in one call', async () => {
    expect(told(await links.change('members', 'add', id, people(), call))).toEqual(people().map(() => 'ok'));
    expect(await memberIds()).toEqual(people().sort());
    expect(await sent()).toEqual(['PATCH']);
  });

  test('are added one by one where some are members already, are not there, or are no users', async () => {
    const [ann = '', bob = '', cleo = ''] = people();
    await links.change('members', 'add', id, [bob], call);
    const asked = [ann, bob, nobody, cast.security.id, cleo];
    expect(told(await links.change('members', 'add', id, asked, call))).toEqual([
      'ok',
      'alreadyLinked',
      'objectMissing',
      'objectKindNotAllowed',
      'ok',
    ]);
    expect(await memberIds()).toEqual([ann, bob, cleo].sort());
  });

  test.each([404, 400])('are removed, and a stranger answered with %i is none already', async (status) => {
    await world.control.tenant({ settings: { nonMemberRemovalStatus: status } });
    const [ann = '', bob = '', cleo = ''] = people();
    await links.change('members', 'add', id, [ann, bob], call);
    expect(told(await links.change('members', 'remove', id, [ann, cleo], call))).toEqual(['ok', 'notLinked']);
    expect(await memberIds()).toEqual([bob]);
    const { users } = await world.control.state();
    expect((users as { id: string }[]).filter((user) => [ann, bob, cleo].includes(user.id))).toHaveLength(3);
  });

  test('of a group that is not there are refused for the group', async () => {
    expect(await faultOf(links.change('members', 'add', nobody, people(), call))).toMatchObject({
      kind: 'groupMissing',
    });
    expect(told(await links.change('members', 'remove', nobody, people().slice(0, 2), call))).toEqual([
      'groupMissing',
      'groupMissing',
    ]);
  });

  test.each([
    ['dynamic', 'dynamicMembership'],
    ['restricted', 'managementRestricted'],
    ['syncedList', 'mailEnabledGroup'],
  ] as const)('of the %s group are refused as %s', async (which, kind) => {
    expect(await faultOf(links.change('members', 'add', cast[which].id, people(), call))).toMatchObject({ kind });
  });

  test('removed with a part that was lost: that one is open, and a repeat tells', async () => {
    const asked = people().slice(0, 3);
    await links.change('members', 'add', id, asked, call);
    await world.control.fault({
      upstream: 'graph',
      match: { path: '$batch' },
      fault: { kind: 'batchParts', status: 503, indexes: [1], commit: true },
      times: 1,
    });
    expect(told(await links.change('members', 'remove', id, asked, call))).toEqual(['ok', 'outcome_unknown', 'ok']);
    expect(await memberIds()).toEqual([]);
    expect(told(await links.change('members', 'remove', id, asked, call))).toEqual(asked.map(() => 'notLinked'));
  });
});

describe('owners', () => {
  test('are added and removed, but for the last', async () => {
    const [first = '', second = ''] = people();
    expect(told(await links.change('owners', 'add', id, [second], call))).toEqual(['ok']);
    expect(told(await links.change('owners', 'remove', id, [first], call))).toEqual(['ok']);
    expect(told(await links.change('owners', 'remove', id, [second], call))).toEqual(['lastOwner']);
    expect((await groups.owners(id, call)).map((owner) => owner.id)).toEqual([second]);
  });

  test('are no more than a hundred, and who is one already counts after the quota', async () => {
    const crowd = Array.from({ length: 100 }, (_, index) => `owner${index}@corp.contoso.com`);
    await world.control.tenant({
      users: crowd.map((userPrincipalName) => ({ userPrincipalName })),
      groups: [{ id, owners: crowd }],
    });
    const [first = ''] = (await groups.owners(id, call)).map((owner) => owner.id);
    expect(told(await links.change('owners', 'add', id, [first, cast.idOf(cast.shared)], call))).toEqual([
      'quotaExceeded',
      'quotaExceeded',
    ]);
  });
});

describe('a group', () => {
  test('is changed, deleted, found in the bin and restored', async () => {
    const writes = createGraphGroupWrites(graph);
    await writes.update(id, { displayName: 'New Crew', description: 'x', visibility: 'Private' }, call);
    await writes.update(id, { description: null }, call);
    expect(await groups.get(id, call)).toMatchObject({
      displayName: 'New Crew',
      description: null,
      visibility: 'Private',
    });
    expect(await writes.deleted(id, call)).toBeNull();
    await writes.remove(id, call);
    expect(await groups.get(id, call)).toBeNull();
    expect(await writes.deleted(id, call)).toMatchObject({ id, displayName: 'New Crew', isUnified: true });
    await writes.restore(id, call);
    expect(await groups.get(id, call)).toMatchObject({ id, displayName: 'New Crew' });
    expect(await faultOf(writes.restore(id, call))).toMatchObject({ kind: 'groupMissing' });
  });
});

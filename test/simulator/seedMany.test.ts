import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { Bench, type State } from './harness.ts';

let bench: Bench;
beforeAll(async () => {
  bench = await Bench.start();
});
beforeEach(async () => {
  await bench.control('POST', 'reset');
});
afterAll(() => bench.sim.close());

const groupOf = async (ref: string) => {
  const { status, body } = await bench.control('GET', `groups/${encodeURIComponent(ref)}`);
  return { ...(body as unknown as State['groups'][number]), status };
};

test('many people and groups are put in at once, and groups filled with them', async () => {
  const before = await groupOf('Sales Nordics');
  const seeded = await bench.control('POST', 'seed', { users: 3000, groups: 40, members: { 'Sales Nordics': 2500 } });
  expect(seeded.status).toBe(200);
  const after = await groupOf('Sales Nordics');
  expect(after.members.slice(0, before.members.length)).toEqual(before.members);
  expect(after.members).toHaveLength(before.members.length + 2500);
  expect((await bench.graph('GET', '/users/person003000@contoso.com')).body).toMatchObject({
    displayName: 'Person 003000',
  });
  expect((await bench.invoke('Get-Recipient', { Identity: 'person000001@contoso.com' })).status).toBe(200);
  expect(await groupOf('Numbered Group 0040')).toMatchObject({ status: 200, mail: null });
  await bench.control('POST', 'seed', { users: 3000, groups: 40 });
  expect((await bench.state()).users).toHaveLength(3040);
});

test.each([
  ['microsoft365', 'GroupMailbox'],
  ['mailEnabledSecurity', 'MailUniversalSecurityGroup'],
  ['distributionList', 'MailUniversalDistributionGroup'],
])('groups of the kind %s are %s in Exchange', async (kind, RecipientTypeDetails) => {
  await bench.control('POST', 'seed', { groups: 2, kind });
  const found = await bench.invoke('Get-Recipient', { Identity: 'numbered-group-0002@contoso.com' });
  expect(found.body.value).toEqual([expect.objectContaining({ RecipientTypeDetails })]);
});

test.each([
  [{ users: -1 }, 'users is not a count'],
  [{ groups: 'many' }, 'groups is not a count'],
  [{ kind: 'room' }, 'kind is none of'],
  [{ users: 3, members: { 'Sales Nordics': 4 } }, 'members.Sales Nordics is not a count'],
  [{ users: 3, members: { 'No Such Group': 3 } }, 'No Such Group is no group'],
  [{ colour: 'red' }, 'colour is not known'],
  [{ members: [] }, 'members is not an object'],
  [[], 'the body is not an object'],
])('the seed %j is refused and makes nothing', async (body, words) => {
  const refused = await bench.control('POST', 'seed', body);
  expect(refused.status).toBe(400);
  expect(refused.text).toContain(words);
  expect((await bench.state()).users).toHaveLength(40);
});

test('membership is edited from outside, on both sides, under any name', async () => {
  const { id } = await groupOf('sales-nordics@contoso.com');
  const vera = await bench.userId('vera.kovac@contoso.com');
  const edit = (method: string, member: string) => bench.control(method, `groups/${id}/members/${member}`);
  expect((await edit('PUT', 'vera.kovac@contoso.com')).status).toBe(204);
  expect((await edit('PUT', vera)).status).toBe(204);
  expect((await groupOf('Sales Nordics')).members.filter((each) => each === vera)).toHaveLength(1);
  const inGraph = async () => (await bench.graph('GET', `/groups/${id}/members?$select=id`)).body.value;
  expect(await inGraph()).toContainEqual(expect.objectContaining({ id: vera }));
  expect((await edit('DELETE', vera)).status).toBe(204);
  expect(await inGraph()).not.toContainEqual(expect.objectContaining({ id: vera }));
  expect((await edit('PUT', 'nobody@contoso.com')).status).toBe(404);
  expect((await bench.control('PUT', `groups/nothing/members/${vera}`)).status).toBe(404);
  expect((await groupOf('nothing')).status).toBe(404);
});

test('a read that is stale sees a large tenant as it was, in its order', async () => {
  await bench.control('POST', 'seed', { users: 500, members: { 'Engineering Access': 500 } });
  const { id, members } = await groupOf('Engineering Access');
  await bench.graph('DELETE', `/groups/${id}/members/${members[3] ?? ''}/$ref`);
  await bench.control('POST', 'faults', { upstream: 'graph', fault: { kind: 'staleReads' }, times: 2 });
  const list = async () =>
    (await bench.graph('GET', `/groups/${id}/members?$top=999&$select=id`)).body.value.map((row) => row.id);
  expect(await list()).toEqual(members);
  expect((await bench.graph('GET', '/users/person000400@contoso.com')).status).toBe(200);
  expect(await list()).toEqual(members.filter((_, index) => index !== 3));
});

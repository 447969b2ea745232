import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { Bench } from './harness.ts';

let bench: Bench;
beforeAll(async () => {
  bench = await Bench.start();
});
beforeEach(async () => {
  await bench.control('POST', 'reset');
});
afterAll(() => bench.sim.close());

const eventual = { ConsistencyLevel: 'eventual' };

/** Ids of all pages, with something done between each page and the next. */
async function listed(path: string, between: (page: number) => Promise<unknown>, headers = {}): Promise<string[]> {
  const ids: string[] = [];
  let next: string | undefined = path;
  for (let page = 0; next !== undefined; page++) {
    const { body } = await bench.graph('GET', next, { headers });
    ids.push(...body.value.map(({ id }) => String(id)));
    await between(page);
    next = body['@odata.nextLink']?.replace(/^.*\/v1\.0/, '');
  }
  return ids;
}

const groupBody = (name: string) => ({
  displayName: name,
  mailNickname: name.replaceAll(' ', '-'),
  mailEnabled: false,
  securityEnabled: true,
});

test('groups that are there throughout come exactly once while others come and go', async () => {
  const groups = Array.from({ length: 60 }, (_, index) => ({ displayName: `Crowd ${String(index)}` }));
  await bench.control('PUT', 'tenant', { groups });
  const present = (await bench.state()).groups.filter(({ displayName }) => displayName.startsWith('Crowd'));
  const victims = present.filter((_, index) => index % 10 === 0).map(({ id }) => id);
  const ids = await listed("/groups?$top=7&$filter=startsWith(displayName,'Crowd')", async (page) => {
    const victim = victims.shift();
    if (victim !== undefined) await bench.graph('DELETE', `/groups/${victim}`);
    if (page < 4) await bench.graph('POST', '/groups', { body: groupBody(`Crowd late ${String(page)}`) });
  });
  expect(new Set(ids).size).toBe(ids.length);
  const left = new Set((await bench.state()).groups.map(({ id }) => id));
  for (const { id } of present.filter((group) => left.has(group.id))) expect(ids).toContain(id);
});

test('members that stay come exactly once while others are added and removed', async () => {
  const { id } = await bench.group('Engineering Access');
  const people = (await bench.state()).users.map((user) => user.id);
  await bench.control('PUT', 'tenant', {
    groups: [{ displayName: 'Engineering Access', members: people.slice(0, 30) }],
  });
  const gone = [people[0], people[5], people[20]];
  const ids = await listed(`/groups/${id}/members?$top=6&$select=id`, async (page) => {
    const [out, late] = [gone[page], people[31 + page]];
    if (out === undefined || late === undefined) return;
    await bench.graph('DELETE', `/groups/${id}/members/${out}/$ref`);
    const body = { '@odata.id': `https://graph.microsoft.com/v1.0/directoryObjects/${late}` };
    await bench.graph('POST', `/groups/${id}/members/$ref`, { body });
  });
  const stayed = people.slice(0, 30).filter((each) => !gone.includes(each));
  expect(ids.filter((each) => stayed.includes(each)).sort()).toEqual([...stayed].sort());
});

test('who stays when a list is replaced from outside comes once', async () => {
  const { id } = await bench.group('Engineering Access');
  const people = (await bench.state()).users.map((user) => user.id);
  const put = (members: string[]) =>
    bench.control('PUT', 'tenant', { groups: [{ displayName: 'Engineering Access', members }] });
  await put(people.slice(0, 12));
  const ids = await listed(`/groups/${id}/members?$top=5`, (page) => put(people.slice(page + 1, 14).reverse()));
  const stayed = people.slice(3, 12);
  expect(ids.filter((each) => stayed.includes(each)).sort()).toEqual([...stayed].sort());
});

test.each(['/groups', '/users'])('a page of %s holds up to 999', async (path) => {
  expect((await bench.graph('GET', `${path}?$top=999`)).status).toBe(200);
  expect((await bench.graph('GET', `${path}?$top=1000`)).status).toBe(400);
});

test.each([
  ["displayName eq 'social club'", false, ['Social Club']],
  ["startsWith(displayName,'Announce')", false, ['Announcements', 'Announcements']],
  ["mail eq 'finance-approvers@contoso.com'", false, ['Finance Approvers']],
  ['mailEnabled eq true and securityEnabled eq true', false, ['Finance Approvers', 'Plant Safety']],
  ["groupTypes/any(c:c eq 'Unified')", false, ['Project Aurora', 'Social Club']],
  ["NOT groupTypes/any(c:c eq 'Unified') and startsWith(displayName,'S')", true, ['Synced Security', 'Sales Nordics']],
  [
    "not(groupTypes/any(c:c eq 'Unified')) and onPremisesSyncEnabled eq true",
    true,
    ['Synced Security', 'Plant Safety', 'Plant News'],
  ],
  ['onPremisesSyncEnabled eq true', false, ['Synced Security', 'Plant Safety', 'Plant News']],
  ["resourceProvisioningOptions/Any(x:x eq 'Team')", false, ['Project Aurora']],
])('groups where %s', async (text, isAdvanced, names) => {
  const path = `/groups?$filter=${encodeURIComponent(text)}`;
  const plain = await bench.graph('GET', path);
  expect(plain.status).toBe(isAdvanced ? 400 : 200);
  const found = isAdvanced ? await bench.graph('GET', `${path}&$count=true`, { headers: eventual }) : plain;
  expect(found.body.value.map(({ displayName }) => displayName)).toEqual(names);
});

test('$search finds by the beginnings of words, pages, and needs its header on each page', async () => {
  const search = (text: string) => `/groups?$top=1&$search=${encodeURIComponent(`"${text}"`)}`;
  const refused = await bench.graph('GET', search('displayName:announce'));
  expect(refused).toMatchObject({ status: 400, body: { error: { code: 'Request_UnsupportedQuery' } } });
  expect(refused.body.error.message).toContain("'ConsistencyLevel: eventual'");
  const none = () => Promise.resolve();
  expect(await listed(search('displayName:announce'), none, eventual)).toHaveLength(2);
  expect(await listed(search('displayName:acc eng'), none, eventual)).toEqual([
    (await bench.group('Engineering Access')).id,
  ]);
  expect(await listed(search('displayName:gineering'), none, eventual)).toEqual([]);
  expect(await listed(search('mail:plant-'), none, eventual)).toHaveLength(2);
  const first = await bench.graph('GET', search('displayName:announce'), { headers: eventual });
  const next = first.body['@odata.nextLink']?.replace(/^.*\/v1\.0/, '') ?? '';
  expect((await bench.graph('GET', next)).status).toBe(400);
  expect((await bench.graph('GET', search('colour:red'), { headers: eventual })).status).toBe(400);
  expect((await bench.graph('GET', `${search('displayName:x')} OR "mail:y"`, { headers: eventual })).status).toBe(501);
});

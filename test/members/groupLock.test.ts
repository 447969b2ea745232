import { afterAll, beforeEach, describe, expect, test } from '@jest/globals';
import { readCast } from '../support/directory.ts';
import { type Answer, startWorld } from '../support/world.ts';
import { endOf, newId, putGroup, setMembers, settableKinds } from './setting.ts';

const world = await startWorld();
const { control } = world;
const app = await world.startApp();
const cast = await readCast(control);
const [owner = '', ada = ''] = cast.staff;
const crew = settableKinds.mailEnabledSecurity.name;
const name = 'harbour-crew';
const hands = Array.from({ length: 240 }, (_, index) => `hand${index}@contoso.com`);

beforeEach(async () => {
  await control.reset();
  await control.tenant({ users: hands.map((upn) => ({ userPrincipalName: upn, mail: upn })) });
  await putGroup(control, 'mailEnabledSecurity', { owners: [owner], members: [ada] }, newId());
  await control.clearCalls();
});
afterAll(() => world.close());

const change = (verb: 'add' | 'remove', members: readonly string[]): Promise<Answer> =>
  app.call('POST', `groups/${crew}/members${verb === 'add' ? '' : '/remove'}`, { body: { members } });

/** UPN of each member now, without the one who was there from the beginning. */
async function namesNow(): Promise<string[]> {
  const { users } = (await control.state()) as { users: { id: string; userPrincipalName: string }[] };
  const names = new Map(users.map(({ id, userPrincipalName }) => [id, userPrincipalName]));
  return (await control.membersOf(name)).map((id) => names.get(id) ?? id).sort();
}

/** Slow enough that requests meet. */
const slowWrites = (ms: number): Promise<void> =>
  control.tenant({ settings: { latencyMs: { graph: 0, exchange: ms } } });

/** Who is written about by each batch of the journal, in the order sent. */
async function writtenInOrder(): Promise<string[][]> {
  const batches = await control.calls({ path: '/$batch' });
  return batches
    .map(({ requestBody }) => JSON.stringify(requestBody))
    .filter((text) => /(Add|Remove)-DistributionGroupMember/.test(text))
    .map((text) => [...text.matchAll(/"Member":"([^"]+)"/g)].map(([, member]) => member ?? ''));
}

describe('two requests that want different members of one group', () => {
  test('at once: one is done, the other is told 409 group_busy and has written nothing', async () => {
    await slowWrites(300);
    const wishes = [hands.slice(0, 20), hands.slice(20, 40)];
    const answers = await Promise.all(wishes.map((wish) => setMembers(app, crew, [ada, ...wish])));
    const done = answers.findIndex(({ status }) => status === 200);
    expect(answers[done]?.body).toMatchObject({ ok: true, addedCount: 20 });
    expect(answers[1 - done]).toMatchObject({
      status: 409,
      body: { code: 'group_busy', retryable: true },
    });
    expect(await namesNow()).toEqual([ada, ...(wishes[done] ?? [])].sort());
  });

  test('one of which is an operation: the other is told which, and may go on when it has ended', async () => {
    await slowWrites(100);
    const first = await setMembers(app, crew, [ada, ...hands]);
    expect(first).toMatchObject({ status: 202, body: { outcome: 'running', done: false, plannedCount: 240 } });
    const busy = await setMembers(app, crew, [ada]);
    expect(busy).toMatchObject({ status: 409, body: { code: 'group_busy' } });
    expect(busy.body?.detail).toContain(String(first.body?.operationId));
    expect(busy.body?.fix).toContain(`operations/${String(first.body?.operationId)}/cancel`);
    // Who adds and removes single members is told as well, at once, rather than kept waiting.
    expect(await change('add', [cast.staff[5] ?? ''])).toMatchObject({ status: 409, body: { code: 'group_busy' } });
    expect(await change('remove', [ada])).toMatchObject({ status: 409, body: { code: 'group_busy' } });

    expect((await endOf(app, first)).body).toMatchObject({ state: 'succeeded', addedCount: 240 });
    expect(await namesNow()).toEqual([ada, ...hands].sort());
    expect((await setMembers(app, crew, [ada, ...hands.slice(1)])).body).toMatchObject({ ok: true, removedCount: 1 });
  });
});

describe('one request that comes twice', () => {
  test('while it is an operation is answered with that operation, in whatever words', async () => {
    await slowWrites(100);
    const first = await setMembers(app, crew, [ada, ...hands]);
    const again = await setMembers(
      app,
      crew,
      [...hands]
        .reverse()
        .map((each) => each.toUpperCase())
        .concat(ada),
    );
    expect(again).toMatchObject({ status: 202, body: { operationId: first.body?.operationId, outcome: 'running' } });
    expect(again.headers.get('operation-location')).toBe(first.headers.get('operation-location'));
    await endOf(app, first);
    expect((await setMembers(app, crew, [ada, ...hands])).body).toMatchObject({
      outcome: 'unchanged',
      operationId: null,
    });
    const list = await app.call('GET', 'operations');
    const ofThisGroup = (list.body?.operations as { operationId: string }[]).filter(
      ({ operationId }) => operationId === first.body?.operationId,
    );
    expect(ofThisGroup).toHaveLength(1);
  });

  test('at once and is short ends well both times, written once', async () => {
    await slowWrites(200);
    const desired = [ada, ...hands.slice(0, 30)];
    const answers = await Promise.all([setMembers(app, crew, desired), setMembers(app, crew, [...desired].reverse())]);
    expect(answers.map(({ status }) => status)).toEqual([200, 200]);
    expect(answers.map(({ body }) => body?.addedCount).sort()).toEqual([0, 30]);
    expect(await writtenInOrder()).toHaveLength(3);
  });

  test('at once and is long is one operation', async () => {
    const desired = [ada, ...hands];
    const answers = await Promise.all([1, 2, 3].map(() => setMembers(app, crew, desired)));
    const ids = new Set(answers.flatMap(({ status, body }) => (status === 202 ? [body?.operationId] : [])));
    expect(ids.size).toBe(1);
    const running = answers.find(({ status }) => status === 202);
    if (running === undefined) throw new Error('none of them became an operation');
    expect((await endOf(app, running)).body).toMatchObject({ state: 'succeeded', addedCount: 240 });
    expect(await namesNow()).toEqual([...desired].sort());
  });
});

describe('a burst of writers on one group', () => {
  test('of ten that add is served one after the other: all succeed, none between another’s batches', async () => {
    await slowWrites(20);
    const shares = Array.from({ length: 10 }, (_, at) => hands.slice(at * 20, at * 20 + 20));
    const answers = await Promise.all(shares.map((share) => change('add', share)));
    for (const answer of answers) expect(answer.body).toMatchObject({ ok: true, addedCount: 20 });
    expect(await namesNow()).toEqual([ada, ...hands.slice(0, 200)].sort());
    expect(await isInterleaved(shares)).toBe(false);
  });

  test('of callers and workers never interleaves; who is refused has written nothing', async () => {
    await slowWrites(20);
    const exact = [ada, ...hands.slice(0, 120)];
    const long = await setMembers(app, crew, exact);
    expect(long.status).toBe(202);
    const message = { operationId: String(long.body?.operationId) };
    const share = hands.slice(200, 220);
    const answers = await Promise.all([
      change('add', share),
      app.fire('runOperation', message).then(() => null),
      setMembers(app, crew, [ada, ...hands.slice(120, 200)]),
      app.fire('runOperation', message).then(() => null),
      change('remove', [ada]),
    ]);
    for (const answer of answers) {
      if (answer !== null) expect(answer).toMatchObject({ status: 409, body: { code: 'group_busy' } });
    }
    expect((await endOf(app, long)).body).toMatchObject({ state: 'succeeded', addedCount: 120 });
    expect(await namesNow()).toEqual([...exact].sort());
    // Each of the 120 is written about once, however many workers were told of the operation.
    const written = (await writtenInOrder()).flat();
    expect(written).toHaveLength(120);
    expect(new Set(written).size).toBe(120);
  });
});

/** Whether a batch of one share comes between two of another. */
async function isInterleaved(shares: readonly (readonly string[])[]): Promise<boolean> {
  const addresses = new Map<string, string>();
  for (const { responseBody } of await control.calls({ cmdlet: 'Get-Recipient' })) {
    const { value = [] } = (responseBody ?? {}) as { value?: { Guid?: string; PrimarySmtpAddress?: string }[] };
    for (const { Guid = '', PrimarySmtpAddress = '' } of value) addresses.set(Guid, PrimarySmtpAddress);
  }
  const shareOf = (member: string): number => {
    const at = shares.findIndex((share) => share.includes(addresses.get(member) ?? ''));
    if (at === -1) throw new Error(`nobody asked for ${member}`);
    return at;
  };
  const order = (await writtenInOrder()).flat().map(shareOf);
  const turns = order.filter((share, index) => share !== order[index - 1]);
  expect(new Set(turns).size).toBe(shares.length);
  return turns.length > shares.length;
}

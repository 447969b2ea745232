import { afterAll, beforeEach, describe, expect, test } from '@jest/globals';
import { connectionString } from '../../local/processes/azurite.ts';
import { type Clock, systemClock } from '../../shared/clock.ts';
import { readCast } from '../support/directory.ts';
import { takeNumber } from '../support/counter.ts';
import { testAzurite } from '../support/environment.ts';
import { startProxy } from '../support/proxy.ts';
import { type Answer, type App, rowsOf, startWorld } from '../support/world.ts';
import { endOf, newId, outcomesOf, putGroup, setMembers, settableKinds, type SettableKind } from './setting.ts';

const world = await startWorld();
const { control } = world;
const { endpoints, accounts, counter } = testAzurite();
const proxy = await startProxy(endpoints.blob);
const queueProxy = await startProxy(endpoints.queue);
const urls = { ...endpoints, blob: proxy.url, queue: queueProxy.url };
const storage = connectionString(urls, accounts, await takeNumber(counter));
let app: App;
const cast = await readCast(control);
const [owner = '', ada = '', ben = '', cem = ''] = cast.staff;
const deckhands = Array.from({ length: 30 }, (_, index) => `deckhand${index}@contoso.com`);
/** Half of whom stay, the other half goes. */
const before = deckhands.slice(0, 10);
const desired = deckhands.slice(5);

beforeEach(async () => {
  proxy.onRequest = () => {
    proxy.mode = 'forward';
  };
  await control.reset();
  await control.tenant({ users: deckhands.map((upn) => ({ userPrincipalName: upn, mail: upn })) });
  // An app remembers how long an upstream asked it to wait; the one after it does not.
  aheadMs = 0;
  app = await world.startApp({ AzureWebJobsStorage: storage }, { clock });
});
afterAll(async () => {
  await world.close();
  await Promise.all([proxy.close(), queueProxy.close()]);
});

/** Lets who sleeps in the app wake when the test says that time has gone by. */
let aheadMs = 0;
const clock: Clock = {
  ...systemClock,
  now: () => systemClock.now() + aheadMs,
  sleep: async (ms, signal) => {
    const endMs = clock.now() + ms;
    while (clock.now() < endMs && !signal.aborted) await systemClock.sleep(Math.min(20, endMs - clock.now()), signal);
  },
};

type Fault = Parameters<typeof control.fault>[0]['fault'];
const nameIn = (kind: SettableKind): string => settableKinds[kind].name.split('@')[0] ?? '';

async function namesNow(kind: SettableKind): Promise<string[]> {
  const { users } = (await control.state()) as { users: { id: string; userPrincipalName: string }[] };
  const names = new Map(users.map(({ id, userPrincipalName }) => [id, userPrincipalName]));
  return (await control.membersOf(nameIn(kind))).map((id) => names.get(id) ?? id).sort();
}

describe.each<[SettableKind, 'exchange' | 'graph', { cmdlet?: string; path?: string; method?: string }[]]>([
  [
    'mailEnabledSecurity',
    'exchange',
    [{ cmdlet: 'Add-DistributionGroupMember' }, { cmdlet: 'Remove-DistributionGroupMember' }],
  ],
  ['security', 'graph', [{ method: 'PATCH' }, { path: '/$batch' }]],
])('members of a group of kind %s that are made exact', (kind, upstream, [addition = {}, removal = {}]) => {
  const { name } = settableKinds[kind];
  const makeExact = () => setMembers(app, name, desired, { maxRemovals: 5 });

  beforeEach(() => putGroup(control, kind, { owners: [owner], members: before }, newId()));

  async function isExactAtOnceOrLater(): Promise<void> {
    const answer = await makeExact();
    expect([200, 202]).toContain(answer.status);
    const end = answer.status === 202 ? await endOf(app, answer) : answer;
    expect(end.body).toMatchObject({ ok: true, addedCount: 20, removedCount: 5, failedCount: 0 });
    expect(await namesNow(kind)).toEqual([...desired].sort());
    await control.clearCalls();
    expect((await makeExact()).body).toMatchObject({ outcome: 'unchanged', unchangedCount: 25 });
    expect(await control.writes()).toEqual([]);
  }

  test.each<[string, Fault]>([
    ['cut off before the write', { kind: 'reset' }],
    ['cut off after the write', { kind: 'commitThenReset' }],
    ['a 503 before the write', { kind: 'status', status: 503 }],
    ['a 503 after the write', { kind: 'status', status: 503, commit: true }],
    ['an empty answer after the write', { kind: 'empty', commit: true }],
    ['a throttling of a second', { kind: 'throttle', seconds: 1 }],
    ['a page of HTML', { kind: 'status', status: 502 }],
  ])('in spite of %s, when adding and when removing', async (_what, fault) => {
    await control.fault({ upstream, match: addition, fault });
    await control.fault({ upstream, match: removal, fault, skip: upstream === 'graph' ? 2 : 0 });
    await isExactAtOnceOrLater();
  });

  test('in spite of pages of members that are refused for a while', async () => {
    await control.fault({ upstream: 'graph', match: { path: '/members?' }, fault: { kind: 'status', status: 503 } });
    await control.fault({ upstream: 'graph', match: { path: '/members?' }, fault: { kind: 'throttle', seconds: 1 } });
    await isExactAtOnceOrLater();
  });

  test('are not planned within a request that is throttled for long: an operation waits for it', async () => {
    await control.fault({ upstream: 'graph', match: { path: '/members?' }, fault: { kind: 'throttle', seconds: 90 } });
    const answer = await makeExact();
    expect(answer).toMatchObject({ status: 202, body: { outcome: 'running', planId: null, done: false } });
    expect(await control.writes()).toEqual([]);
    await endsLater(answer, { addedCount: 20, removedCount: 5 });
  });

  test('go on as an operation when writing is throttled for long in between; nobody is removed before all are added', async () => {
    const others = Array.from({ length: 30 }, (_, index) => `stoker${index}@contoso.com`);
    await control.tenant({ users: others.map((upn) => ({ userPrincipalName: upn, mail: upn })) });
    await control.fault({ upstream, match: addition, fault: { kind: 'throttle', seconds: 90 }, skip: 1 });
    const answer = await setMembers(app, name, [...desired, ...others], { maxRemovals: 5 });
    const first = upstream === 'exchange' ? 10 : 20;
    expect(answer).toMatchObject({ status: 202, body: { outcome: 'running', addedCount: first, removedCount: 0 } });
    const between = await namesNow(kind);
    expect(between).toHaveLength(10 + first);
    expect(between).toEqual(expect.arrayContaining(before));
    await endsLater(answer, { addedCount: 50, removedCount: 5 });
    expect(await namesNow(kind)).toEqual([...desired, ...others].sort());
  });

  /** The wait is over, for the simulator and for the worker. */
  async function endsLater(answer: Answer, counts: object): Promise<void> {
    await control.clearFaults();
    await control.clock({ advanceMs: 100_000 });
    aheadMs += 100_000;
    const end = await endOf(app, answer);
    expect(end.body).toMatchObject({ ok: true, state: 'succeeded', failedCount: 0, ...counts });
  }

  test('are told as they are when the write is refused: nothing is done, nobody is missing', async () => {
    await control.fault({ upstream, match: addition, fault: { kind: 'status', status: 403 }, times: 3 });
    const answer = await makeExact();
    expect(answer.status).toBe(403);
    expect(await namesNow(kind)).toEqual([...before].sort());
    await control.clearFaults();
    await isExactAtOnceOrLater();
  });
});

test('Members that may not be read are no empty group: nothing is planned or written', async () => {
  await putGroup(control, 'security', { owners: [owner], members: [ada] }, newId());
  await control.fault({
    upstream: 'graph',
    match: { path: '/members?' },
    fault: { kind: 'status', status: 403 },
    times: 5,
  });
  const answer = await setMembers(app, settableKinds.security.name, [ben]);
  expect(answer).toMatchObject({ status: 403, body: { upstream: 'graph' } });
  expect(await control.writes()).toEqual([]);
});

describe('adding to a group in Graph', () => {
  const { name } = settableKinds.security;

  beforeEach(() => putGroup(control, 'security', { owners: [owner], members: [ada] }, newId()));

  test('falls back from one PATCH to single references when one of the twenty is refused', async () => {
    // Ben has come in meanwhile, unseen: the whole PATCH is refused for him.
    await control.fault({
      upstream: 'graph',
      match: { method: 'PATCH' },
      fault: {
        kind: 'status',
        status: 400,
        body: {
          error: {
            code: 'Request_BadRequest',
            message:
              "One or more added object references already exist for the following modified properties: 'members'.",
          },
        },
      },
    });
    const answer = await setMembers(app, name, [ada, ben, cem]);
    expect(answer.body).toMatchObject({ ok: true, addedCount: 2 });
    const writes = (await control.writes()).map(({ method, path }) => [method, path.split('/').slice(-2).join('/')]);
    expect(writes.map(([method]) => method)).toEqual(['PATCH', 'POST', 'POST']);
    expect(writes.slice(1).map(([, path]) => path)).toEqual(['members/$ref', 'members/$ref']);
    expect(await namesNow('security')).toEqual([ada, ben, cem].sort());
  });
});

describe('storage that fails once something has been written', () => {
  const { name } = settableKinds.mailEnabledSecurity;

  beforeEach(() => putGroup(control, 'mailEnabledSecurity', { owners: [owner], members: [ada, ben] }, newId()));

  test('so that no operation can be stored: what was done is told, and what is left', async () => {
    await control.fault({
      upstream: 'exchange',
      match: { cmdlet: 'Add-DistributionGroupMember' },
      fault: { kind: 'throttle', seconds: 90 },
      skip: 1,
    });
    proxy.onRequest = (line) => {
      proxy.mode = line.includes('/operations/') ? 'refuse' : 'forward';
    };
    const answer = await setMembers(app, name, [ada, ...deckhands.slice(0, 25)]);
    expect(answer).toMatchObject({ status: 200, body: { ok: false, outcome: 'partial', changed: true, done: true } });
    expect(answer.body).toMatchObject({ operationId: null, addedCount: 10, removedCount: 0, failedCount: 16 });
    expect(outcomesOf(answer).slice(10)).toEqual([
      ...deckhands.slice(10, 25).map((each) => [each, 'not_attempted', 'storage_unavailable']),
      [ben, 'not_attempted', 'storage_unavailable'],
    ]);
  });

  test('so that nothing can go on although nothing was written is the fault itself', async () => {
    proxy.onRequest = (line) => {
      proxy.mode = line.includes('/operations/') ? 'refuse' : 'forward';
    };
    const many = Array.from({ length: 101 }, (_, index) => `stoker${index}@contoso.com`);
    await control.tenant({ users: many.map((upn) => ({ userPrincipalName: upn, mail: upn })) });
    const answer = await setMembers(app, name, [ada, ben, ...many]);
    expect(answer.body).toMatchObject({ code: 'storage_unavailable', retryable: true });
    expect(await control.writes()).toEqual([]);
  });

  test('so that an operation cannot be queued: it is stored, and the sweep finds it', async () => {
    const many = Array.from({ length: 101 }, (_, index) => `stoker${index}@contoso.com`);
    await control.tenant({ users: many.map((upn) => ({ userPrincipalName: upn, mail: upn })) });
    queueProxy.mode = 'refuse';
    const answer = await setMembers(app, name, [ada, ben, ...many]);
    queueProxy.mode = 'forward';
    expect(answer).toMatchObject({ status: 202, body: { outcome: 'running' } });
    expect(answer.body?.warnings).toEqual([expect.stringContaining('begins with the next sweep')]);
    await control.clearFaults();
    aheadMs += 300_000;
    await app.fire('sweep');
    expect((await endOf(app, answer)).body).toMatchObject({ state: 'succeeded', addedCount: 101 });
  });

  test('so that removals cannot be counted: the request is done, and says so', async () => {
    let notes = 0;
    proxy.onRequest = (line) => {
      if (/^PUT .*\/groups\/(?!.*comp=lease)/.test(line)) notes += 1;
      // The blob is made and the claim written; what comes after the members were written is not.
      proxy.mode = notes > 2 && line.startsWith('PUT') && !line.includes('comp=lease') ? 'refuse' : 'forward';
    };
    const answer = await setMembers(app, name, [ada]);
    expect(answer).toMatchObject({ status: 200, body: { ok: true, outcome: 'updated', removedCount: 1 } });
    expect(answer.body?.warnings).toEqual([expect.stringContaining('could not be counted')]);
    expect(rowsOf(answer, 'results')).toHaveLength(1);
    expect(await namesNow('mailEnabledSecurity')).toEqual([ada]);
  });
});

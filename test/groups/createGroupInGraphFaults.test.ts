import { afterAll, beforeEach, describe, expect, test } from '@jest/globals';
import { auditRows } from '../support/auditRows.ts';
import { directoryOf, groupsNamed, readCast } from '../support/directory.ts';
import { createFakeClock } from '../support/fakeClock.ts';
import { type Answer, rowsOf, startWorld } from '../support/world.ts';

const world = await startWorld();
const { control } = world;
/** Waits take no time on this clock, and 25 s of them end a request all the same. */
const clock = () => createFakeClock(Date.now());
let app = await world.startApp({}, { clock: clock() });
const { storage } = app;
const cast = await readCast(control);
const [owner = '', ada = ''] = cast.staff;
const crew = {
  kind: 'security',
  displayName: 'Harbour Crew',
  alias: 'harbour-crew',
  description: 'Everyone on the quay',
  owners: [owner],
  members: [ada],
};

beforeEach(async () => {
  await control.reset();
  await startAnew();
});
afterAll(() => world.close());

type Fault = Parameters<typeof control.fault>[0]['fault'];
const create = (body: object = crew): Promise<Answer> => app.call('POST', 'groups', { body });
const play = (method: string, path: string, fault: Fault, times = 1, skip = 0): Promise<void> =>
  control.fault({ upstream: 'graph', match: { method, path }, fault, times, skip });
const creations = async (): Promise<number> =>
  (await control.calls({ upstream: 'graph', method: 'POST' })).filter((row) => row.path === '/v1.0/groups').length;
const refusal = (status: number, code: string, message: string): Fault => ({
  kind: 'status',
  status,
  body: { error: { code, message } },
});

/** An app remembers how long an upstream asked it to wait; the one after it does not. */
async function startAnew(): Promise<void> {
  await app.close();
  app = await world.startApp({ AzureWebJobsStorage: storage }, { clock: clock() });
}

async function isExactlyTheGroup(): Promise<void> {
  expect(await groupsNamed(control, 'Harbour Crew')).toMatchObject([
    { mailNickname: 'harbour-crew', owners: [cast.idOf(owner)], members: [cast.idOf(ada)] },
  ]);
}

/** Whatever went before, one repeat ends in the group as asked for; another finds nothing left to do. */
async function isSettledByOneRepeat(): Promise<void> {
  await control.clearFaults();
  await startAnew();
  expect((await create()).body).toMatchObject({ ok: true, failedCount: 0 });
  await isExactlyTheGroup();
  expect(await create()).toMatchObject({ status: 200, body: { outcome: 'already_exists', changed: false } });
}

describe('POST /groups', () => {
  const path = '/\\/v1.0\\/groups$/';

  test.each<[string, Fault]>([
    ['is cut off after it was carried out', { kind: 'commitThenReset' }],
    ['answers 503 after it was carried out', { kind: 'status', status: 503, commit: true }],
    ['answers an empty 200 after it was carried out', { kind: 'empty', commit: true }],
    ['answers NULs after it was carried out', { kind: 'nul', status: 200, commit: true }],
  ])('%s: the group is created all the same, once', async (_, fault) => {
    await play('POST', path, fault);
    expect(await create()).toMatchObject({ status: 201, body: { ok: true, outcome: 'created', addedCount: 1 } });
    expect(await creations()).toBe(1);
    await isExactlyTheGroup();
    await isSettledByOneRepeat();
  });

  test.each<[string, Fault]>([
    ['is cut off before it was carried out', { kind: 'reset' }],
    ['answers a page of HTML', { kind: 'status', status: 502 }],
    ['answers an empty 200 without being carried out', { kind: 'empty' }],
  ])('%s: the outcome is open, and nothing is sent twice', async (_, fault) => {
    await play('POST', path, fault);
    const answer = await create();
    expect(answer).toMatchObject({
      status: 504,
      body: { code: 'outcome_unknown', retryable: true, upstream: 'graph' },
    });
    expect(await creations()).toBe(1);
    expect(await groupsNamed(control, 'Harbour Crew')).toEqual([]);
    const [row] = await auditRows(storage, String(answer.body?.requestId));
    expect(row).toMatchObject({ operation: 'POST /groups', state: 'unknown' });
    await isSettledByOneRepeat();
  });

  test.each<[string, Fault]>([
    ['lags behind', { kind: 'staleReads' }],
    ['refuses to be read', refusal(403, 'Authorization_RequestDenied', 'Not now.')],
  ])('is looked for as often as it takes after a lost answer, where the directory %s', async (_, lag) => {
    await play('POST', path, { kind: 'commitThenReset' });
    // The first look is the one before the creation.
    await play('GET', 'mailNickname', lag, 2, 1);
    expect(await create()).toMatchObject({ status: 201, body: { ok: true, outcome: 'created' } });
    expect(await creations()).toBe(1);
    await isExactlyTheGroup();
  });

  test('that is throttled for a second is sent again', async () => {
    const patient = await world.startApp({ AzureWebJobsStorage: storage });
    await play('POST', path, { kind: 'throttle', seconds: 1 });
    expect(await patient.call('POST', 'groups', { body: crew })).toMatchObject({ status: 201, body: { ok: true } });
    await patient.close();
    expect(await creations()).toBe(2);
    await isExactlyTheGroup();
  });

  test('that was lost is not taken for a group that somebody else has made meanwhile', async () => {
    const theirs = { displayName: 'Harbour Crew', mailNickname: 'harbour-crew', securityEnabled: true };
    await control.tenant({ groups: [{ ...theirs, mailEnabled: false, owners: [ada] }] });
    await play('GET', 'mailNickname', { kind: 'status', status: 200, body: { value: [] } });
    await play('POST', path, { kind: 'reset' });
    expect(await create()).toMatchObject({ status: 504, body: { code: 'outcome_unknown' } });
    expect(await create()).toMatchObject({ status: 409, body: { code: 'exists_with_differences' } });
    expect(await creations()).toBe(1);
  });

  test('that is refused because another was faster is judged by what is there now', async () => {
    expect(await create({ ...crew, kind: 'microsoft365' })).toMatchObject({ status: 201 });
    await play('GET', 'mailNickname', { kind: 'status', status: 200, body: { value: [] } });
    expect(await create({ ...crew, kind: 'microsoft365' })).toMatchObject({
      status: 200,
      body: { outcome: 'already_exists' },
    });
    expect(await creations()).toBe(2);
  });

  test('that is refused because of something else in its way says so', async () => {
    const message = 'Another object with the same value for property mailNickname already exists.';
    await play('POST', path, refusal(400, 'Request_BadRequest', message));
    expect(await create()).toMatchObject({ status: 409, body: { code: 'address_in_use', upstream: 'graph' } });
  });

  test('without the permission says which one is missing', async () => {
    await play('POST', path, refusal(403, 'Authorization_RequestDenied', 'Insufficient privileges.'));
    const answer = await create();
    expect(answer).toMatchObject({ status: 403, body: { code: 'graph_permission_missing' } });
    expect(answer.body?.fix).toContain('Group.ReadWrite.All');
  });

  test('that is throttled past the deadline is not sent, and the caller told when', async () => {
    await play('POST', path, { kind: 'throttle', seconds: 120 });
    const answer = await create();
    expect(answer).toMatchObject({ status: 429, body: { code: 'throttled' } });
    expect(Number(answer.headers.get('retry-after'))).toBeGreaterThanOrEqual(119);
    expect(await groupsNamed(control, 'Harbour Crew')).toEqual([]);
  });
});

describe('a group that Graph does not show yet', () => {
  const byId = '/\\/v1.0\\/groups\\/[0-9a-f-]+\\?/';

  test('is pending, with its id, and its members are left for a repeat', async () => {
    await play('GET', byId, { kind: 'staleReads' }, 20);
    const answer = await create();
    const [group] = await groupsNamed(control, 'Harbour Crew');
    expect(answer).toMatchObject({
      status: 201,
      body: { ok: false, outcome: 'pending', changed: true, isNew: true, id: group?.id, failedCount: 1 },
    });
    expect(rowsOf(answer, 'results')).toMatchObject([{ outcome: 'not_attempted', code: 'group_not_ready' }]);
    expect(group?.members).toEqual([]);
    await isSettledByOneRepeat();
  });

  test('is created all the same once it is seen', async () => {
    await play('GET', byId, { kind: 'staleReads' }, 2);
    expect(await create()).toMatchObject({ status: 201, body: { ok: true, outcome: 'created', addedCount: 1 } });
    await isExactlyTheGroup();
  });
});

describe('what is missing of a group that exists', () => {
  const plain = { kind: 'security', displayName: 'Harbour Crew', alias: 'harbour-crew', owners: [owner] };

  test.each<[string, Fault]>([
    ['lost after it was carried out', { kind: 'commitThenReset' }],
    ['lost before it was carried out', { kind: 'reset' }],
  ])('is set by a PATCH that was %s', async (_, fault) => {
    expect(await create(plain)).toMatchObject({ status: 201 });
    await play('PATCH', '/v1.0/groups/', fault);
    expect(await create({ ...plain, description: 'The quay' })).toMatchObject({
      status: 200,
      body: { ok: true, outcome: 'completed', description: 'The quay' },
    });
    expect(await groupsNamed(control, 'Harbour Crew')).toMatchObject([{ description: 'The quay' }]);
  });

  test('and cannot be added ends the request with the reason', async () => {
    const crowd = Array.from({ length: 22 }, (_, index) => `owner${index}@corp.contoso.com`);
    await control.tenant({ users: crowd.map((userPrincipalName) => ({ userPrincipalName })) });
    const many = { ...plain, owners: crowd };
    const denied = refusal(403, 'Authorization_RequestDenied', 'Insufficient privileges.');
    await play('PATCH', '/v1.0/groups/', denied, 2);
    expect(await create(many)).toMatchObject({ status: 201, body: { outcome: 'partial' } });
    expect(await create(many)).toMatchObject({ status: 403, body: { code: 'graph_permission_missing' } });
    expect(await create(many)).toMatchObject({ status: 200, body: { outcome: 'completed' } });
    expect((await groupsNamed(control, 'Harbour Crew'))[0]?.owners).toHaveLength(22);
  });

  test('is told owner by owner where the directory refuses but one of them', async () => {
    const crowd = Array.from({ length: 23 }, (_, index) => `owner${index}@corp.contoso.com`);
    await control.tenant({ users: crowd.map((userPrincipalName) => ({ userPrincipalName })) });
    await play('PATCH', '/v1.0/groups/', refusal(400, 'Request_BadRequest', 'Not together.'), 2);
    const error = { code: 'Request_BadRequest', message: 'Not this one.' };
    const alone: Fault = { kind: 'batchParts', path: '/owners/$ref', indexes: [1], status: 400, error };
    await play('POST', '$batch', alone, 20);
    const answer = await create({ ...plain, owners: crowd });
    expect(answer).toMatchObject({ status: 201, body: { ok: false, outcome: 'partial' } });
    expect(answer.body?.warnings).toEqual([expect.stringContaining('Not this one.')]);
    expect((await groupsNamed(control, 'Harbour Crew'))[0]?.owners).toHaveLength(22);
  });

  test('is not looked for where the first look fails', async () => {
    await play('GET', 'mailNickname', { kind: 'status', status: 503 }, 10);
    const before = (await directoryOf(control)).groups.length;
    expect(await create(plain)).toMatchObject({ status: 502, body: { code: 'upstream_failed' } });
    expect((await directoryOf(control)).groups).toHaveLength(before);
  });
});

describe('members and owners that cannot be looked up', () => {
  test('for a moment are looked up again', async () => {
    const part = (status: number): Fault => ({ kind: 'batchParts', indexes: [0], status });
    await play('POST', '$batch', part(503), 2);
    expect(await create()).toMatchObject({ status: 201, body: { ok: true, outcome: 'created' } });
  });

  test('at all are told apart from those who are not there', async () => {
    await play('POST', '$batch', { kind: 'batchParts', status: 503 }, 20);
    const answer = await create();
    expect(answer).toMatchObject({ status: 502, body: { code: 'upstream_failed' } });
    expect(await creations()).toBe(0);
  });
});

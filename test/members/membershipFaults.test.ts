import { afterAll, beforeEach, describe, expect, test } from '@jest/globals';
import { groupAt, readCast } from '../support/directory.ts';
import { type Answer, rowsOf, startWorld } from '../support/world.ts';

const world = await startWorld();
const { control } = world;
let app = await world.startApp();
const { storage } = app;
const cast = await readCast(control);
const [owner = '', ada = '', ben = '', cem = ''] = cast.staff;
const address = 'harbour-crew@contoso.com';
const deckhands = Array.from({ length: 25 }, (_, index) => `deckhand${index}@contoso.com`);

beforeEach(async () => {
  await control.reset();
  await startAnew();
  await control.tenant({
    users: deckhands.map((upn) => ({ userPrincipalName: upn, mail: upn })),
    groups: [
      {
        mail: address,
        displayName: 'Harbour Crew',
        mailEnabled: true,
        securityEnabled: true,
        owners: [owner],
        members: [owner],
      },
    ],
  });
});
afterAll(() => world.close());

type Fault = Parameters<typeof control.fault>[0]['fault'];
const cmdlets = { add: 'Add-DistributionGroupMember', remove: 'Remove-DistributionGroupMember' };
type Change = keyof typeof cmdlets;

const change = (what: Change, members: readonly string[]): Promise<Answer> =>
  app.call('POST', `groups/${address}/members${what === 'add' ? '' : '/remove'}`, { body: { members } });
const play = (cmdlet: string, fault: Fault, more: { times?: number; skip?: number } = {}): Promise<void> =>
  control.fault({ upstream: 'exchange', match: { cmdlet }, fault, ...more });
const outcomes = (answer: Answer): unknown[] => rowsOf(answer, 'results').map(({ outcome, code }) => [outcome, code]);
const sent = async (cmdlet: string): Promise<number> => (await control.calls({ cmdlet })).length;

/** Everybody asked for, once, and who was there before. */
async function isExactly(what: Change, members: readonly string[]): Promise<void> {
  const ids = [...(await groupAt(control, address)).members];
  const { users } = (await control.state()) as { users: { id: string; userPrincipalName: string }[] };
  const names = ids.map((id) => users.find((user) => user.id === id)?.userPrincipalName);
  expect(names.sort()).toEqual([owner, ...(what === 'add' ? members : [])].sort());
}

/** An app remembers how long an upstream asked it to wait; the one after it does not. */
async function startAnew(): Promise<void> {
  await app.close();
  app = await world.startApp({ AzureWebJobsStorage: storage });
}

async function isSettledByOneRepeat(what: Change, members: readonly string[]): Promise<void> {
  await control.clearFaults();
  await startAnew();
  expect(await change(what, members)).toMatchObject({ status: 200, body: { ok: true, failedCount: 0 } });
  await isExactly(what, members);
  expect(await change(what, members)).toMatchObject({ status: 200, body: { outcome: 'unchanged', changed: false } });
}

const crew = [ada, ben, cem];
const cmdletError = (type: string, text: string) => ({
  code: 'BadRequest',
  message: 'Error executing cmdlet',
  details: [{ message: `Ex000000|Microsoft.Exchange.Management.Tasks.${type}|${text}` }],
});

describe.each<Change>(['add', 'remove'])('a batch to %s whose answer is lost', (what) => {
  const done = what === 'add' ? 'added' : 'removed';
  const cmdlet = cmdlets[what];

  beforeEach(async () => {
    if (what === 'remove') await control.tenant({ groups: [{ mail: address, members: [owner, ...crew] }] });
  });

  test.each<[string, Fault, number]>([
    ['whole, after it was carried out', { kind: 'commitThenReset' }, 6],
    ['as a 503, after it was carried out', { kind: 'status', status: 503, commit: true }, 6],
    ['as an empty 200, after it was carried out', { kind: 'empty', commit: true }, 6],
    ['in two parts, after they were carried out', { kind: 'batchParts', count: 2, status: 500, commit: true }, 5],
    ['in two parts, before they were carried out', { kind: 'batchParts', count: 2, status: 500 }, 5],
    ['as a page of HTML', { kind: 'status', status: 502 }, 3],
    ['as an empty 200', { kind: 'empty' }, 3],
    ['whole, before it was carried out', { kind: 'reset' }, 3],
    ['by the cap on concurrent requests', { kind: 'concurrency' }, 3],
    ['by throttling for a second', { kind: 'throttle', seconds: 1 }, 3],
    ['with no parts in it', { kind: 'status', status: 200, body: { responses: [] } }, 3],
    ['with nonsense in it', { kind: 'status', status: 200, body: { value: 1 } }, 3],
  ])('%s: what was done is told, and what is open is sent once more', async (_when, fault, times) => {
    await play(cmdlet, fault);
    const answer = await change(what, crew);
    expect(answer).toMatchObject({ status: 200, body: { ok: true, outcome: 'updated', changed: true } });
    expect(outcomes(answer)).toEqual(crew.map(() => [done, done]));
    // Parts that were carried out or answered have rows of their own in the journal.
    expect(await sent(cmdlet)).toBe(times);
    await isExactly(what, crew);
    await isSettledByOneRepeat(what, crew);
  });

  test('time after time is an open outcome for those alone, which one repeat closes', async () => {
    await play(cmdlet, { kind: 'batchParts', indexes: [0], status: 500 }, { times: 3 });
    const answer = await change(what, crew);
    expect(answer).toMatchObject({ status: 200, body: { ok: false, outcome: 'partial', failedCount: 1 } });
    expect(outcomes(answer)).toEqual([
      ['failed', 'outcome_unknown'],
      [done, done],
      [done, done],
    ]);
    await isSettledByOneRepeat(what, crew);
  });

  test('for good, whole, is told row by row: never an empty 500', async () => {
    await play(cmdlet, { kind: 'reset' }, { times: 10 });
    const answer = await change(what, crew);
    expect(answer).toMatchObject({ status: 200, body: { ok: false, outcome: 'failed', changed: true } });
    expect(outcomes(answer)).toEqual(crew.map(() => ['failed', 'outcome_unknown']));
    await isSettledByOneRepeat(what, crew);
  });

  test('to a refused token is told once, and nothing is done', async () => {
    await play(cmdlet, { kind: 'nul' });
    expect(await change(what, crew)).toMatchObject({ status: 403, body: { code: 'exchange_forbidden' } });
    await isSettledByOneRepeat(what, crew);
  });

  test('to long throttling is told at once, with when to come again', async () => {
    await play(cmdlet, { kind: 'throttle', seconds: 90 });
    const answer = await change(what, crew);
    expect(answer).toMatchObject({ status: 429, body: { code: 'throttled', retryAfterSeconds: 90 } });
    expect(answer.headers.get('retry-after')).toBe('90');
    await isSettledByOneRepeat(what, crew);
  });
});

describe('a part of a batch', () => {
  const answered = (...responses: object[]): Fault => ({
    kind: 'status',
    status: 200,
    body: { responses },
    commit: false,
  });
  const throttled = (id: number, seconds: string) => ({
    id: String(id),
    status: 429,
    headers: { 'Retry-After': seconds },
    body: { error: { code: 'TooManyRequests', message: 'Slow down.' } },
  });
  const fine = (id: number) => ({ id: String(id), status: 200, headers: {}, body: { value: [] } });

  test('that is throttled for a moment is sent again after it, alone', async () => {
    await play(cmdlets.add, answered(fine(0), throttled(1, '1'), fine(2)));
    const startedAtMs = Date.now();
    const answer = await change('add', crew);
    expect(outcomes(answer)).toEqual(crew.map(() => ['added', 'added']));
    expect(Date.now() - startedAtMs).toBeGreaterThanOrEqual(1_000);
    // The answer was made up: only the part that was sent again has reached the tenant.
    expect((await groupAt(control, address)).members).toEqual([cast.idOf(owner), cast.idOf(ben)]);
    expect(await sent(cmdlets.add)).toBe(1);
  });

  test('that is throttled for long is not attempted any more, and says so', async () => {
    await play(cmdlets.add, answered(fine(0), throttled(1, '60'), fine(2)));
    const answer = await change('add', crew);
    expect(answer).toMatchObject({ status: 200, body: { ok: false, outcome: 'partial', failedCount: 1 } });
    expect(outcomes(answer)).toEqual([
      ['added', 'added'],
      ['not_attempted', 'throttled'],
      ['added', 'added'],
    ]);
    expect(rowsOf(answer, 'results')[1]?.message).toContain('60 s');
  });

  test('whose answer is lost beside one that is throttled for long is never reported as done', async () => {
    const lost = { id: '0', status: 500, headers: {}, body: null };
    await play(cmdlets.add, answered(lost, throttled(1, '60'), fine(2)));
    const answer = await change('add', crew);
    expect(outcomes(answer)).toEqual([
      ['failed', 'outcome_unknown'],
      ['not_attempted', 'throttled'],
      ['added', 'added'],
    ]);
    await startAnew();
    expect(await change('add', [ada, ben])).toMatchObject({ body: { ok: true, addedCount: 2 } });
  });

  test('that is throttled without a time is sent again after ten seconds', async () => {
    await play(cmdlets.add, { kind: 'batchParts', indexes: [1], status: 429 });
    const startedAtMs = Date.now();
    const answer = await change('add', crew);
    expect(outcomes(answer)).toEqual(crew.map(() => ['added', 'added']));
    expect(Date.now() - startedAtMs).toBeGreaterThanOrEqual(10_000);
    await isExactly('add', crew);
  });

  test.each([
    ['MemberAlreadyExistsException', 'It is a member.', 'already_member', 'already_member'],
    ['InsufficientPermissionsException', 'No.', 'failed', 'exchange_forbidden'],
    ['RecipientTaskException', 'It cannot be.', 'failed', 'upstream_rejected'],
    ['WhateverException', 'You are not allowed: write scope.', 'failed', 'exchange_forbidden'],
  ])(
    'that Exchange refuses with %s has that as its row, and the others are added',
    async (type, text, outcome, code) => {
      await play(cmdlets.add, { kind: 'batchParts', indexes: [1], status: 400, error: cmdletError(type, text) });
      const answer = await change('add', crew);
      expect(outcomes(answer)).toEqual([
        ['added', 'added'],
        [outcome, code],
        ['added', 'added'],
      ]);
      expect(await sent(cmdlets.add)).toBe(3);
      await isSettledByOneRepeat('add', crew);
    },
  );

  test('whose member is gone meanwhile is not ready', async () => {
    const error = cmdletError('ManagementObjectNotFoundException', 'It is not there.');
    await play(cmdlets.add, { kind: 'batchParts', indexes: [0], status: 404, error });
    expect(outcomes(await change('add', crew))[0]).toEqual(['not_ready', 'not_replicated']);
  });

  test('that is refused as unauthorized is told for itself', async () => {
    await play(cmdlets.add, { kind: 'batchParts', indexes: [0], status: 403 });
    expect(outcomes(await change('add', crew))).toEqual([
      ['failed', 'exchange_forbidden'],
      ['added', 'added'],
      ['added', 'added'],
    ]);
  });

  test('may come in any order', async () => {
    const answers = [fine(2), throttled(0, '60'), fine(1)];
    await play(cmdlets.add, answered(...answers));
    expect(outcomes(await change('add', crew))).toEqual([
      ['not_attempted', 'throttled'],
      ['added', 'added'],
      ['added', 'added'],
    ]);
  });
});

describe('many members', () => {
  test('of whom the second batch is throttled for long: what was done is kept, the rest has its rows', async () => {
    await play(cmdlets.add, { kind: 'throttle', seconds: 90 }, { skip: 1 });
    const answer = await change('add', deckhands);
    expect(answer).toMatchObject({ status: 200, body: { ok: false, outcome: 'partial', addedCount: 10 } });
    expect(outcomes(answer).slice(0, 10)).toEqual(Array(10).fill(['added', 'added']));
    expect(outcomes(answer).slice(10)).toEqual(Array(15).fill(['not_attempted', 'throttled']));
    await isSettledByOneRepeat('add', deckhands);
  });

  test('of whom one batch is lost whole and the next throttled: no row is lost', async () => {
    await play(cmdlets.add, { kind: 'commitThenReset' });
    await play(cmdlets.add, { kind: 'throttle', seconds: 90 });
    const answer = await change('add', deckhands);
    // The first ten are in: a fault that says "nothing was written" would be a lie.
    expect((await groupAt(control, address)).members).toHaveLength(11);
    expect(answer).toMatchObject({ status: 200, body: { ok: false, outcome: 'failed', changed: true } });
    expect(outcomes(answer).slice(0, 10)).toEqual(Array(10).fill(['failed', 'outcome_unknown']));
    expect(outcomes(answer).slice(10)).toEqual(Array(15).fill(['not_attempted', 'throttled']));
    await isSettledByOneRepeat('add', deckhands);
  });

  test('of whom the second batch is refused whole: the first is kept, the third is not sent', async () => {
    await play(cmdlets.add, { kind: 'nul' }, { skip: 1, times: 2 });
    const answer = await change('add', deckhands);
    expect(answer).toMatchObject({ status: 200, body: { ok: false, outcome: 'partial', addedCount: 10 } });
    const codes = rowsOf(answer, 'results').map(({ code }) => code);
    expect(codes).toEqual([...Array<string>(10).fill('added'), ...Array<string>(15).fill('exchange_forbidden')]);
    const refused = await control.calls({ path: '/$batch' });
    expect(refused.filter(({ status }) => status === 403)).toHaveLength(1);
    await isSettledByOneRepeat('add', deckhands);
  });

  test('of whom the later ones cannot be looked up any more: what was done before is kept', async () => {
    const all = Array.from({ length: 60 }, (_, index) => `stoker${index}@contoso.com`);
    await control.tenant({ users: all.map((upn) => ({ userPrincipalName: upn, mail: upn })) });
    // Five lookups of ten, whose members are written before the next are looked up.
    await play('Get-Recipient', { kind: 'nul' }, { skip: 5, times: 5 });
    const answer = await change('add', all);
    expect(answer).toMatchObject({ status: 200, body: { ok: false, outcome: 'partial', addedCount: 50 } });
    expect(outcomes(answer).slice(50)).toEqual(Array(10).fill(['not_attempted', 'exchange_forbidden']));
    await isSettledByOneRepeat('add', all);
  });

  test('of whom one is named again much later has one write', async () => {
    const all = Array.from({ length: 60 }, (_, index) => `stoker${index}@contoso.com`);
    await control.tenant({ users: all.map((upn) => ({ userPrincipalName: upn, mail: upn })) });
    const answer = await change('add', [...all, 'stoker0@contoso.com']);
    expect(answer.body).toMatchObject({ ok: true, addedCount: 60, unchangedCount: 1 });
    expect(outcomes(answer).at(-1)).toEqual(['already_member', 'already_member']);
    expect(await sent(cmdlets.add)).toBe(60);
  });

  test('are looked up in part only: who could not be looked up has a row, the others are added', async () => {
    await play('Get-Recipient', { kind: 'batchParts', count: 2, status: 503 });
    const answer = await change('add', deckhands);
    expect(answer).toMatchObject({ status: 200, body: { ok: false, outcome: 'partial', addedCount: 23 } });
    expect(outcomes(answer).slice(0, 2)).toEqual(Array(2).fill(['failed', 'upstream_failed']));
    await isSettledByOneRepeat('add', deckhands);
  });

  test.each<[string, Fault]>([
    ['cut off', { kind: 'reset' }],
    ['a page of HTML', { kind: 'status', status: 502 }],
    ['the cap on concurrent requests', { kind: 'concurrency' }],
    ['throttling for a second', { kind: 'throttle', seconds: 1 }],
  ])('whose lookup meets %s are looked up again', async (_what, fault) => {
    await play('Get-Recipient', fault);
    expect(await change('add', deckhands)).toMatchObject({ status: 200, body: { ok: true, addedCount: 25 } });
    await isExactly('add', deckhands);
  });

  test('for whom the time is up are not attempted, never left out', async () => {
    await play(cmdlets.add, { kind: 'slow', delayMs: 18_600 });
    const answer = await change('add', deckhands);
    expect(answer).toMatchObject({ status: 200, body: { ok: false, outcome: 'partial', addedCount: 10 } });
    expect(outcomes(answer).slice(10)).toEqual(Array(15).fill(['not_attempted', 'not_attempted']));
    await isSettledByOneRepeat('add', deckhands);
  });
});

describe('a read-back after a lost answer that fails itself', () => {
  test('does not undo what is known: the batch is told row by row', async () => {
    await play(cmdlets.add, { kind: 'batchParts', indexes: [0], status: 500 });
    await control.fault({
      upstream: 'graph',
      match: { path: '/members' },
      fault: { kind: 'status', status: 403 },
      times: 50,
    });
    const answer = await change('add', crew);
    expect(answer).toMatchObject({ status: 200, body: { outcome: expect.stringMatching(/updated|partial/) } });
    expect(outcomes(answer).slice(1)).toEqual(Array(2).fill(['added', 'added']));
    await isSettledByOneRepeat('add', crew);
  });
});

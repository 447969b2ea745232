import { afterAll, beforeEach, expect, test } from '@jest/globals';
import { auditRows } from '../support/auditRows.ts';
import { groupAt, readCast } from '../support/directory.ts';
import { type Answer, rowsOf, startWorld } from '../support/world.ts';

const world = await startWorld();
const { control } = world;
let app = await world.startApp();
const { storage } = app;
const cast = await readCast(control);
const [owner = ''] = cast.staff;
const address = 'harbour-crew@contoso.com';
const deckhands = Array.from({ length: 25 }, (_, index) => `deckhand${index}@contoso.com`);
const cmdlet = 'Add-DistributionGroupMember';

beforeEach(async () => {
  await control.reset();
  // An app remembers how long an upstream asked it to wait; the one after it does not.
  await app.close();
  app = await world.startApp({ AzureWebJobsStorage: storage });
  await control.tenant({
    users: deckhands.map((upn) => ({ userPrincipalName: upn, mail: upn })),
    groups: [{ mail: address, displayName: 'Harbour Crew', mailEnabled: true, securityEnabled: true, owners: [owner] }],
  });
});
afterAll(() => world.close());

type Fault = Parameters<typeof control.fault>[0]['fault'];
const play = (fault: Fault, more: { times?: number; skip?: number } = {}): Promise<void> =>
  control.fault({ upstream: 'exchange', match: { cmdlet }, fault, ...more });
const add = (members: readonly string[]): Promise<Answer> =>
  app.call('POST', `groups/${address}/members`, { body: { members } });
const codes = (answer: Answer): unknown[] => rowsOf(answer, 'results').map(({ outcome, code }) => [outcome, code]);
const batches = async (): Promise<unknown[]> =>
  (await control.calls({ path: '/$batch' }))
    .filter(({ requestBody }) => JSON.stringify(requestBody).includes(cmdlet))
    .map(({ status }) => status);

test('a second try that is refused says nothing of the first: who was tried stays open', async () => {
  await play({ kind: 'reset' }, { times: 3 });
  await play({ kind: 'nul' }, { times: 10 });
  const answer = await add(deckhands);
  expect(answer).toMatchObject({ status: 200, body: { ok: false, outcome: 'failed', changed: true, failedCount: 25 } });
  expect(codes(answer)).toEqual(Array(25).fill(['failed', 'outcome_unknown']));
  // Three that were lost; then one refusal for each pass, since the next batch would be refused as well.
  expect(await batches()).toEqual([null, null, null, 403, 403]);
  expect((await groupAt(control, address)).members).toEqual([]);
});

test('a second try that is refused for some leaves the others to be tried again', async () => {
  await play({ kind: 'reset' }, { times: 3 });
  await play({ kind: 'nul' });
  const answer = await add(deckhands);
  expect(codes(answer).slice(0, 10)).toEqual(Array(10).fill(['failed', 'outcome_unknown']));
  expect(codes(answer).slice(10)).toEqual(Array(15).fill(['added', 'added']));
});

test('a batch whose parts are all throttled for long holds for the next ones, which are not sent', async () => {
  const throttled = Array.from({ length: 10 }, (_, id) => ({
    id: String(id),
    status: 429,
    headers: { 'Retry-After': '60' },
    body: { error: { code: 'TooManyRequests', message: 'Slow down.' } },
  }));
  await play({ kind: 'status', status: 200, body: { responses: throttled } });
  const answer = await add(deckhands);
  expect(answer).toMatchObject({
    status: 200,
    body: { ok: false, outcome: 'failed', changed: false, failedCount: 25 },
  });
  expect(codes(answer)).toEqual(Array(25).fill(['not_attempted', 'throttled']));
  expect(await batches()).toEqual([200]);
  expect(await auditRows(storage, String(answer.body?.requestId))).toMatchObject([
    { operation: cmdlet, state: 'failed' },
  ]);
});

import { afterAll, beforeEach, describe, expect, test } from '@jest/globals';
import { auditRows } from '../support/auditRows.ts';
import { groupAt, parametersOf, readCast } from '../support/directory.ts';
import { type Answer, rowsOf, startWorld } from '../support/world.ts';

const world = await startWorld();
const { control } = world;
let app = await world.startApp();
const { storage } = app;
const cast = await readCast(control);
const [owner = '', ada = '', ben = ''] = cast.staff;
const list = 'harbour-crew@contoso.com';
const { id: securityId } = cast.security;

beforeEach(async () => {
  await control.reset();
  // An app remembers how long an upstream asked it to wait; the one after it does not.
  await app.close();
  app = await world.startApp({ AzureWebJobsStorage: storage });
  await control.tenant({
    groups: [
      {
        mail: list,
        displayName: 'Harbour Crew',
        mailNickname: 'harbour-crew',
        mailEnabled: true,
        securityEnabled: false,
        owners: [owner],
        proxyAddresses: [`SMTP:${list}`, 'smtp:quay@contoso.com'],
        exchange: { RecipientTypeDetails: 'MailUniversalDistributionGroup', Name: 'Harbour Crew' },
      },
      { id: securityId, description: 'Old', owners: [owner] },
    ],
  });
});
afterAll(() => world.close());

type Fault = Parameters<typeof control.fault>[0]['fault'];
const patch = (group: string, body: object): Promise<Answer> => app.call('PATCH', `groups/${group}`, { body });
const atExchange = (fault: Fault, more: { times?: number; skip?: number; cmdlet?: string } = {}): Promise<void> => {
  const { cmdlet = 'Set-DistributionGroup', ...rest } = more;
  return control.fault({ upstream: 'exchange', match: { cmdlet }, fault, ...rest });
};
const atGraph = (path: string, method: string, fault: Fault, more: { times?: number; skip?: number } = {}) =>
  control.fault({ upstream: 'graph', match: { path, method }, fault, ...more });
const sent = async () => (await control.calls({ cmdlet: 'Set-DistributionGroup' })).map(parametersOf);
const outcomes = (answer: Answer) =>
  rowsOf(answer, 'changes').map(({ field, outcome, code }) => [field, outcome, code]);

/** Takes one write in Exchange. */
const one = { displayName: 'Pier Crew', hideFromAddressLists: true, owners: [ada] };
/** Takes two. */
const two = { primarySmtpAddress: 'pier@contoso.com', addresses: ['jetty@contoso.com'] };

async function isSettledByOneRepeat(group: string, body: object): Promise<void> {
  await control.clearFaults();
  await app.close();
  app = await world.startApp({ AzureWebJobsStorage: storage });
  const again = await patch(group, body);
  expect(again).toMatchObject({ status: 200, body: { ok: true } });
  await control.clearCalls();
  expect((await patch(group, body)).body).toMatchObject({ outcome: 'unchanged', changed: false });
  expect(await control.writes()).toEqual([]);
}

describe('Set-DistributionGroup', () => {
  test.each<[string, Fault, number]>([
    ['is cut off after it was carried out', { kind: 'commitThenReset' }, 1],
    ['answers 503 after it was carried out', { kind: 'status', status: 503, commit: true }, 1],
    ['is cut off before it was carried out', { kind: 'reset' }, 2],
    ['answers a page of HTML', { kind: 'status', status: 502 }, 2],
    ['meets the cap on concurrent requests', { kind: 'concurrency' }, 2],
    ['is throttled for a second', { kind: 'throttle', seconds: 1 }, 2],
    ['answers a second late', { kind: 'slow', delayMs: 1_000, where: 'body' }, 1],
  ])('%s: the group is changed all the same', async (_what, fault, times) => {
    await atExchange(fault);
    const answer = await patch(list, one);
    expect(answer).toMatchObject({ status: 200, body: { ok: true, outcome: 'updated', displayName: 'Pier Crew' } });
    expect(await sent()).toHaveLength(times);
    expect(await groupAt(control, list)).toMatchObject({
      displayName: 'Pier Crew',
      owners: [cast.idOf(ada)],
      exchange: { HiddenFromAddressListsEnabled: true },
    });
    await isSettledByOneRepeat(list, one);
  });

  test('is lost twice: the outcome is open, the audit says so, and a repeat ends it', async () => {
    await atExchange({ kind: 'reset' }, { times: 2 });
    const answer = await patch(list, one);
    expect(answer).toMatchObject({ status: 504, body: { code: 'outcome_unknown', retryable: true } });
    expect(await sent()).toHaveLength(2);
    const rows = await auditRows(storage, String(answer.body?.requestId));
    expect(rows.map(({ state }) => state)).toEqual(['unknown', 'unknown']);
    await isSettledByOneRepeat(list, one);
  });

  test('is lost, and the read-back shows the state before it: it is sent once more, which changes nothing', async () => {
    await atExchange({ kind: 'commitThenReset' });
    // The reads before the write are not stale; the proof is.
    await atExchange({ kind: 'staleReads' }, { cmdlet: 'Get-DistributionGroup', skip: 1 });
    expect((await patch(list, one)).body).toMatchObject({ ok: true, outcome: 'updated' });
    expect(await sent()).toHaveLength(2);
    expect(await groupAt(control, list)).toMatchObject({ displayName: 'Pier Crew', owners: [cast.idOf(ada)] });
  });

  test('is answered, and the read-back lags: what was set is told as set', async () => {
    const body = { ...one, primarySmtpAddress: 'pier@contoso.com' };
    await atExchange({ kind: 'staleReads' }, { cmdlet: 'Get-DistributionGroup', skip: 1 });
    const answer = await patch(list, body);
    expect(answer.body).toMatchObject({
      outcome: 'updated',
      displayName: 'Pier Crew',
      primarySmtpAddress: 'pier@contoso.com',
      addresses: ['pier@contoso.com', list, 'quay@contoso.com'],
      owners: [ada],
    });
    expect(await sent()).toHaveLength(1);
  });

  test('is answered, and the read-back fails: the write stands', async () => {
    await atExchange({ kind: 'status', status: 400, body: {} }, { cmdlet: 'Get-DistributionGroup', skip: 1 });
    expect((await patch(list, one)).body).toMatchObject({ ok: true, outcome: 'updated', displayName: 'Pier Crew' });
  });

  test('is refused: nothing was changed, and the fault says why', async () => {
    await atExchange({ kind: 'nul' });
    expect(await patch(list, one)).toMatchObject({ status: 403, body: { code: 'exchange_forbidden' } });
    expect(await groupAt(control, list)).toMatchObject({ displayName: 'Harbour Crew' });
    await isSettledByOneRepeat(list, one);
  });

  test('is throttled for long: told at once when to come again', async () => {
    await atExchange({ kind: 'throttle', seconds: 90 });
    const answer = await patch(list, one);
    expect(answer).toMatchObject({ status: 429, body: { code: 'throttled', retryAfterSeconds: 90 } });
    await isSettledByOneRepeat(list, one);
  });

  test.each<[string, Fault, number, string, unknown[]]>([
    ['refused', { kind: 'nul' }, 1, 'partial', ['failed', 'exchange_forbidden']],
    ['throttled for long', { kind: 'throttle', seconds: 90 }, 1, 'partial', ['failed', 'throttled']],
    ['lost twice', { kind: 'reset' }, 2, 'pending', ['unknown', 'outcome_unknown']],
  ])('is %s in its second call: the first is told as done', async (_what, fault, times, outcome, second) => {
    await atExchange(fault, { skip: 1, times });
    const answer = await patch(list, two);
    expect(answer).toMatchObject({
      status: 200,
      body: { ok: false, outcome, changed: true, failedCount: 1, primarySmtpAddress: 'pier@contoso.com' },
    });
    expect(String(answer.body?.firstError)).toMatch(/^addresses: /);
    expect(outcomes(answer)).toEqual([
      ['primarySmtpAddress', 'set', 'set'],
      ['addresses', ...second],
    ]);
    expect(await groupAt(control, 'pier@contoso.com')).toMatchObject({ displayName: 'Harbour Crew' });
    await isSettledByOneRepeat('pier@contoso.com', two);
    expect(await groupAt(control, 'pier@contoso.com')).toMatchObject({
      proxyAddresses: ['SMTP:pier@contoso.com', 'smtp:jetty@contoso.com'],
    });
  });

  test('under a naming policy, is lost and read back under the name that the policy made', async () => {
    await control.tenant({ settings: { namingPolicy: 'GRP_<GroupName>' } });
    await atExchange({ kind: 'commitThenReset' });
    const answer = await patch(list, { displayName: 'Pier' });
    expect(answer.body).toMatchObject({ ok: true, outcome: 'updated', displayName: 'GRP_Pier' });
    expect(await sent()).toHaveLength(1);
  });
});

describe('what is read before a change', () => {
  test.each([['a lookup of the owners that are there', 1]])('%s fails: nothing is written', async (_what, skip) => {
    await control.fault({
      upstream: 'exchange',
      match: { cmdlet: 'Get-Recipient' },
      fault: { kind: 'batchParts', cmdlet: 'Get-Recipient', status: 400, error: { message: 'Broken' } },
      skip,
    });
    const answer = await patch(list, one);
    expect(answer.status).toBe(502);
    expect(await sent()).toEqual([]);
  });
});

describe('an entry of ManagedBy that leads nowhere', () => {
  test('is shown as it is', async () => {
    await control.fault({
      upstream: 'exchange',
      match: { cmdlet: 'Get-Recipient' },
      fault: {
        kind: 'batchParts',
        cmdlet: 'Get-Recipient',
        status: 404,
        error: {
          details: [{ message: 'Ex1|Microsoft.Exchange.Configuration.Tasks.ManagementObjectNotFoundException|Gone' }],
        },
      },
    });
    const answer = await patch(list, { hideFromAddressLists: true });
    expect(answer.body).toMatchObject({ outcome: 'updated', owners: [cast.idOf(owner)] });
  });
});

describe('a group that Graph writes', () => {
  const body = { displayName: 'Pier', owners: [ada, ben] };
  const group = `/groups/${securityId}`;

  test.each<[string, Fault]>([
    ['is cut off after it was carried out', { kind: 'commitThenReset' }],
    ['is cut off before it was carried out', { kind: 'reset' }],
    ['answers 503', { kind: 'status', status: 503 }],
    ['is throttled for a second', { kind: 'throttle', seconds: 1 }],
  ])('%s: it is changed all the same', async (_what, fault) => {
    await atGraph(group, 'PATCH', fault);
    expect(await patch(securityId, body)).toMatchObject({
      status: 200,
      body: { ok: true, outcome: 'updated', displayName: 'Pier', owners: [ada, ben] },
    });
    await isSettledByOneRepeat(securityId, body);
  });

  test('takes no owner more: what was set before is told, and no owner goes', async () => {
    const error = { error: { code: 'Forbidden', message: 'It would exceed the maximum quota count for owners.' } };
    await atGraph(group, 'PATCH', { kind: 'status', status: 403, body: error }, { skip: 1 });
    await control.fault({
      upstream: 'graph',
      match: { path: '$batch' },
      fault: { kind: 'batchParts', method: 'POST', path: '/owners/$ref', status: 403, error: error.error },
      // The first one looks the owners up.
      skip: 1,
    });
    const answer = await patch(securityId, body);
    expect(answer).toMatchObject({ status: 200, body: { ok: false, outcome: 'partial', owners: [owner] } });
    expect(outcomes(answer)).toEqual([
      ['displayName', 'set', 'set'],
      ['owners', 'failed', 'quota_exceeded'],
    ]);
    expect(await control.calls({ method: 'DELETE' })).toEqual([]);
  });

  test('has its first write refused: the fault is the answer', async () => {
    await atGraph(group, 'PATCH', { kind: 'throttle', seconds: 90 });
    expect(await patch(securityId, body)).toMatchObject({ status: 429, body: { code: 'throttled' } });
    await isSettledByOneRepeat(securityId, body);
  });

  test('has all its owners refused, and nothing else to do: the fault is the answer', async () => {
    await atGraph(group, 'PATCH', { kind: 'throttle', seconds: 90 });
    const answer = await patch(securityId, { owners: [ada] });
    expect(answer).toMatchObject({ status: 429, body: { code: 'throttled', retryAfterSeconds: 90 } });
  });
});

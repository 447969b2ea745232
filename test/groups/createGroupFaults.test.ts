import { afterAll, beforeEach, describe, expect, test } from '@jest/globals';
import { directoryOf, groupAt, groupsNamed, isGone, readCast } from '../support/directory.ts';
import { type Answer, startWorld } from '../support/world.ts';

const world = await startWorld();
const { control } = world;
let app = await world.startApp();
const { storage } = app;
const cast = await readCast(control);
const [owner = '', ada = '', ben = ''] = cast.staff;
const address = 'harbour-crew@contoso.com';
/** Takes three writes: New-, Set- and a batch of Add-. */
const crew = {
  kind: 'mailEnabledSecurity',
  displayName: 'Harbour Crew',
  alias: 'harbour-crew',
  primarySmtpAddress: address,
  description: 'Everyone on the quay',
  owners: [owner],
  members: [ada, ben],
  hideFromAddressLists: true,
  addresses: ['quay@contoso.com'],
};
const seeded = (await directoryOf(control)).groups.length;

beforeEach(async () => {
  await control.reset();
  await startAnew();
});
afterAll(() => world.close());

type Fault = Parameters<typeof control.fault>[0]['fault'];
const create = (): Promise<Answer> => app.call('POST', 'groups', { body: crew });
const play = (cmdlet: string, fault: Fault, times = 1): Promise<void> =>
  control.fault({ upstream: 'exchange', match: { cmdlet }, fault, times });
const sent = async (cmdlet: string): Promise<number> => (await control.calls({ cmdlet })).length;

/** A cmdlet's refusal as exchange.md §1.7 has it. */
const cmdletError = (type: string, text: string) => ({
  error: { code: 'BadRequest', message: 'Error executing cmdlet', details: [{ message: `Ex000000|${type}|${text}` }] },
});
const alreadyExists = cmdletError('Microsoft.Exchange.Data.Directory.ADObjectAlreadyExistsException', 'It is used.');
const notWritten = cmdletError('Microsoft.Exchange.Management.Tasks.UnableToWriteToAadException', 'Try again.');

async function isExactlyTheGroup(): Promise<void> {
  expect((await directoryOf(control)).groups).toHaveLength(seeded + 1);
  expect(await groupsNamed(control, 'Harbour Crew')).toHaveLength(1);
  expect(await groupAt(control, address)).toMatchObject({
    mailNickname: 'harbour-crew',
    description: 'Everyone on the quay',
    securityEnabled: true,
    owners: [cast.idOf(owner)],
    members: [cast.idOf(ada), cast.idOf(ben)],
    proxyAddresses: [`SMTP:${address}`, 'smtp:quay@contoso.com'],
    exchange: { RecipientTypeDetails: 'MailUniversalSecurityGroup', HiddenFromAddressListsEnabled: true },
  });
}

/** An app remembers how long an upstream asked it to wait; the one after it does not. */
async function startAnew(): Promise<void> {
  await app.close();
  app = await world.startApp({ AzureWebJobsStorage: storage });
}

/** Whatever went before, one repeat ends in the group as asked for; another finds nothing left to do. */
async function isSettledByOneRepeat(): Promise<void> {
  await control.clearFaults();
  await startAnew();
  const again = await create();
  expect([200, 201]).toContain(again.status);
  expect(again.body).toMatchObject({ ok: true, failedCount: 0, displayName: 'Harbour Crew' });
  await isExactlyTheGroup();
  expect(await create()).toMatchObject({ status: 200, body: { outcome: 'already_exists', changed: false } });
  expect(await sent('New-DistributionGroup')).toBeLessThanOrEqual(3);
  await isExactlyTheGroup();
}

describe('New-DistributionGroup', () => {
  test.each<[string, Fault, number]>([
    ['is cut off after it was carried out', { kind: 'commitThenReset' }, 1],
    ['answers 503 after it was carried out', { kind: 'status', status: 503, commit: true }, 1],
    ['answers an empty 200 after it was carried out', { kind: 'empty', commit: true }, 1],
    ['answers 200 with NULs after it was carried out', { kind: 'nul', status: 200, commit: true }, 1],
    ['fails to write to Entra after all', { kind: 'status', status: 400, body: notWritten, commit: true }, 1],
    ['meets the cap on concurrent requests', { kind: 'concurrency' }, 2],
    ['is throttled for a second', { kind: 'throttle', seconds: 1 }, 2],
    ['answers a second late', { kind: 'slow', delayMs: 1_000, where: 'body' }, 1],
  ])('%s: the group is created all the same', async (_what, fault, times) => {
    await play('New-DistributionGroup', fault);
    expect(await create()).toMatchObject({ status: 201, body: { ok: true, outcome: 'created', addedCount: 2 } });
    expect(await sent('New-DistributionGroup')).toBe(times);
    await isExactlyTheGroup();
    await isSettledByOneRepeat();
  });

  test.each<[string, Fault]>([
    ['is cut off before it was carried out', { kind: 'reset' }],
    ['answers a page of HTML', { kind: 'status', status: 502 }],
    ['answers an empty 200 without being carried out', { kind: 'empty' }],
  ])('%s: the outcome is open, and nothing is sent twice', async (_what, fault) => {
    await play('New-DistributionGroup', fault);
    const answer = await create();
    expect(answer).toMatchObject({
      status: 504,
      body: { code: 'outcome_unknown', retryable: true, upstream: 'exchange' },
    });
    expect(await sent('New-DistributionGroup')).toBe(1);
    expect(await isGone(control, address)).toBe(true);
    await isSettledByOneRepeat();
  });

  test.each([false, true])('is forbidden, carried out: %s', async (commit) => {
    await play('New-DistributionGroup', { kind: 'nul', commit });
    expect(await create()).toMatchObject({ status: 403, body: { code: 'exchange_forbidden' } });
    await isSettledByOneRepeat();
  });

  test('is throttled for long: told at once when to come again', async () => {
    await play('New-DistributionGroup', { kind: 'throttle', seconds: 90 });
    const startedAtMs = Date.now();
    const answer = await create();
    expect(answer).toMatchObject({ status: 429, body: { code: 'throttled', retryAfterSeconds: 90 } });
    expect(answer.headers.get('retry-after')).toBe('90');
    expect(Date.now() - startedAtMs).toBeLessThan(3_000);
    await isSettledByOneRepeat();
  });

  test('says that the name is taken, by our own lost try: the group that is there is completed', async () => {
    await play('New-DistributionGroup', { kind: 'status', status: 400, body: alreadyExists, commit: true });
    expect(await create()).toMatchObject({
      status: 200,
      body: { ok: true, outcome: 'completed', isNew: false, changed: true, addedCount: 2 },
    });
    await isExactlyTheGroup();
  });

  test('says that the name is taken, by nobody who can be seen: 409', async () => {
    await play('New-DistributionGroup', { kind: 'status', status: 400, body: alreadyExists });
    expect(await create()).toMatchObject({ status: 409, body: { code: 'address_in_use', upstream: 'exchange' } });
    await isSettledByOneRepeat();
  });

  test('is lost, and another group is there since: it is not taken for ours', async () => {
    await play('New-DistributionGroup', { kind: 'reset' });
    const answer = create();
    while ((await sent('New-DistributionGroup')) === 0) await new Promise((resolve) => setTimeout(resolve, 20));
    await control.tenant({
      groups: [
        {
          mail: address,
          displayName: 'Harbour Crew',
          mailNickname: 'harbour-crew',
          mailEnabled: true,
          securityEnabled: true,
          owners: [ada],
        },
      ],
    });
    expect(await answer).toMatchObject({
      status: 409,
      body: { code: 'exists_with_differences', errors: [{ pointer: '/owners' }] },
    });
    expect(await groupAt(control, address)).toMatchObject({ owners: [cast.idOf(ada)], members: [] });
    expect(await sent('Set-DistributionGroup')).toBe(0);
  });

  test('makes another kind: never reported as created', async () => {
    await play('New-DistributionGroup', { kind: 'slow', delayMs: 1_500 });
    const answer = create();
    while (await isGone(control, address)) await new Promise((resolve) => setTimeout(resolve, 20));
    const exchange = { RecipientTypeDetails: 'MailUniversalDistributionGroup' };
    await control.tenant({ groups: [{ mail: address, securityEnabled: false, exchange }] });
    expect(await answer).toMatchObject({ status: 502, body: { code: 'kind_mismatch' } });
    expect(await sent('Set-DistributionGroup')).toBe(0);
    expect(await create()).toMatchObject({ status: 409, body: { code: 'exists_with_differences' } });
  });
});

describe('Set-DistributionGroup after New-DistributionGroup', () => {
  test.each<[string, Fault, number]>([
    ['is cut off after it was carried out', { kind: 'commitThenReset' }, 1],
    ['is cut off before it was carried out', { kind: 'reset' }, 2],
    ['answers 503', { kind: 'status', status: 503 }, 2],
    ['answers 503 after it was carried out', { kind: 'status', status: 503, commit: true }, 1],
    ['answers a page of HTML', { kind: 'status', status: 502 }, 2],
    ['answers an empty 200 after it was carried out', { kind: 'empty', commit: true }, 1],
    ['meets the cap on concurrent requests', { kind: 'concurrency' }, 2],
    ['is throttled for a second', { kind: 'throttle', seconds: 1 }, 2],
  ])('%s: the settings are complete all the same', async (_what, fault, times) => {
    await play('Set-DistributionGroup', fault);
    expect(await create()).toMatchObject({ status: 201, body: { ok: true, outcome: 'created' } });
    expect(await sent('Set-DistributionGroup')).toBe(times);
    await isExactlyTheGroup();
    await isSettledByOneRepeat();
  });

  test.each<[string, Fault, string]>([
    ['answers 503 twice', { kind: 'status', status: 503 }, 'may have been carried out'],
    ['is cut off twice', { kind: 'reset' }, 'may have been carried out'],
    ['is forbidden', { kind: 'nul' }, 'Exchange answered 403'],
  ])(
    '%s: the reply says that the group is there and what is missing, and the repeat completes it',
    async (_what, fault, said) => {
      await play('Set-DistributionGroup', fault, 2);
      const answer = await create();
      const { id } = await groupAt(control, address);
      expect(answer).toMatchObject({
        status: 201,
        body: { ok: false, outcome: 'partial', changed: true, isNew: true, id, addedCount: 2, failedCount: 0 },
      });
      expect(answer.body?.warnings).toContainEqual(expect.stringMatching(`^Not all settings could be set.*${said}`));
      await control.clearFaults();
      await startAnew();
      expect(await create()).toMatchObject({ status: 200, body: { ok: true, outcome: 'completed', isNew: false } });
      await isExactlyTheGroup();
    },
  );

  test('is throttled for long: the reply says that the group is there and how long to wait', async () => {
    await play('Set-DistributionGroup', { kind: 'throttle', seconds: 90 });
    const answer = await create();
    const { id } = await groupAt(control, address);
    // Whether the members still went out depends on whom the throttling is taken to concern.
    expect(answer).toMatchObject({
      status: 201,
      body: { ok: false, outcome: 'partial', changed: true, isNew: true, id },
    });
    expect(answer.body?.warnings).toContainEqual(expect.stringContaining('asks to wait 90 s'));
    await isSettledByOneRepeat();
  });

  test('is carried out and cannot be read back: its own answer is the proof', async () => {
    await control.fault({
      upstream: 'exchange',
      match: { cmdlet: 'Get-DistributionGroup' },
      fault: { kind: 'status', status: 503 },
      skip: 1,
      times: 50,
    });
    expect(await create()).toMatchObject({ status: 201, body: { ok: true, outcome: 'created', addedCount: 2 } });
    expect(await sent('Set-DistributionGroup')).toBe(1);
    await isSettledByOneRepeat();
  });

  test('answers an empty 200 without being carried out: the repeat completes it', async () => {
    await play('Set-DistributionGroup', { kind: 'empty' });
    expect((await create()).body).not.toBeNull();
    await isSettledByOneRepeat();
  });
});

describe('the batch of first members', () => {
  test.each<[string, Fault]>([
    ['is cut off after it was carried out', { kind: 'commitThenReset' }],
    ['is cut off before it was carried out', { kind: 'reset' }],
    ['answers a page of HTML', { kind: 'status', status: 502 }],
    ['answers an empty 200', { kind: 'empty' }],
    ['has two failed parts', { kind: 'batchParts', count: 2, status: 500 }],
  ])('%s: they are members all the same', async (_what, fault) => {
    await play('Add-DistributionGroupMember', fault);
    expect(await create()).toMatchObject({ status: 201, body: { ok: true, outcome: 'created', addedCount: 2 } });
    await isExactlyTheGroup();
    await isSettledByOneRepeat();
  });

  test('is throttled for long after the group was created: the reply still says that it was', async () => {
    await play('Add-DistributionGroupMember', { kind: 'throttle', seconds: 90 });
    const answer = await create();
    const { id } = await groupAt(control, address);
    // Either as an outcome with its rows, or as a fault that says when to come again and what exists already.
    expect([201, 429]).toContain(answer.status);
    expect(answer.text).toContain(id);
    await isSettledByOneRepeat();
  });
});

describe('reading before a creation', () => {
  test.each<[string, Fault]>([
    ['Get-Recipient', { kind: 'reset' }],
    ['Get-Recipient', { kind: 'status', status: 502 }],
    ['Get-Recipient', { kind: 'commitThenReset' }],
    ['Get-Recipient', { kind: 'concurrency' }],
  ])('%s that fails once (%j) is tried again', async (cmdlet, fault) => {
    await play(cmdlet, fault);
    expect(await create()).toMatchObject({ status: 201, body: { ok: true } });
    await isExactlyTheGroup();
  });

  test.each<[string, Fault]>([
    ['an empty 200', { kind: 'empty' }],
    ['a 200 with a page of HTML', { kind: 'status', status: 200, body: '<html>Sign in</html>' }],
    ['a 200 without a list', { kind: 'status', status: 200, body: {} }],
  ])('that gets %s is never taken for "nobody holds the address"', async (_what, fault) => {
    await play('Get-Recipient', fault);
    expect(await create()).toMatchObject({ status: 502, body: { code: 'upstream_failed', retryable: true } });
    expect(await control.writes()).toEqual([]);
  });

  test('that fails all the time is told as such, and nothing is written', async () => {
    await play('Get-Recipient', { kind: 'status', status: 503 }, 50);
    expect(await create()).toMatchObject({ status: 502, body: { code: 'upstream_failed', upstream: 'exchange' } });
    expect(await control.writes()).toEqual([]);
    await isSettledByOneRepeat();
  });
});

test('a creation whose answer comes after its time is not taken for one without audit', async () => {
  await play('New-DistributionGroup', { kind: 'slow', delayMs: 20_500 });
  const answer = await create();
  // The group is there; for its settings and members time did not suffice.
  expect(answer).toMatchObject({ status: 201, body: { ok: false, outcome: 'partial', changed: true, isNew: true } });
  expect(answer.text).toContain((await groupAt(control, address)).id);
  await isSettledByOneRepeat();
}, 45_000);

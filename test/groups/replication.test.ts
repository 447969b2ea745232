import { afterAll, beforeEach, describe, expect, test } from '@jest/globals';
import { directoryOf, groupAt, groupsNamed, isGone, readCast } from '../support/directory.ts';
import { type Answer, rowsOf, startWorld } from '../support/world.ts';

const world = await startWorld();
const { control } = world;
const app = await world.startApp();
const cast = await readCast(control);
const [owner = '', ada = '', ben = ''] = cast.staff;
const address = 'harbour-crew@contoso.com';
const crew = {
  kind: 'mailEnabledSecurity',
  displayName: 'Harbour Crew',
  alias: 'harbour-crew',
  primarySmtpAddress: address,
  owners: [owner],
};

beforeEach(() => control.reset());
afterAll(() => world.close());

const lag = (exchangeToEntra: number) =>
  control.tenant({ settings: { replicationLagMs: { entraToExchange: 0, exchangeToEntra } } });
const create = (more: object = {}): Promise<Answer> => app.call('POST', 'groups', { body: { ...crew, ...more } });
const add = (members: string[]): Promise<Answer> =>
  app.call('POST', `groups/${address}/members`, { body: { members } });
const remove = (members: string[]): Promise<Answer> =>
  app.call('POST', `groups/${address}/members/remove`, { body: { members } });
const outcomes = (answer: Answer): unknown[] => rowsOf(answer, 'results').map(({ outcome }) => outcome);

async function notReady(answer: Answer): Promise<void> {
  expect(answer).toMatchObject({ status: 429, body: { code: 'group_not_ready', retryable: true } });
  expect(Number(answer.headers.get('retry-after'))).toBeGreaterThan(0);
  expect(answer.body?.detail).toContain('Exchange but not in Entra');
  expect(await control.writes()).toEqual([]);
}

describe('a group that Entra does not show yet', () => {
  test('is created with its members all the same, and the repeat finds it', async () => {
    await lag(60_000);
    const first = await create({ members: [ada], hideFromAddressLists: true });
    expect(first).toMatchObject({ status: 201, body: { ok: true, addedCount: 1 } });
    await control.clearCalls();
    expect(await create()).toMatchObject({ status: 200, body: { outcome: 'already_exists', id: first.body?.id } });
    expect(await control.writes()).toEqual([]);
    expect(await groupsNamed(control, 'Harbour Crew')).toHaveLength(1);
  });

  test('is readable, without its members', async () => {
    await lag(60_000);
    const { body } = await create({ members: [ada] });
    for (const name of [address, String(body?.id), 'Harbour Crew'])
      expect((await app.call('GET', `groups/${encodeURIComponent(name)}`)).body).toMatchObject({ id: body?.id });
    await control.clearCalls();
    await notReady(await app.call('GET', `groups/${address}/members`));
  });

  test('is not written to: whether it may be cannot be judged', async () => {
    await lag(60_000);
    await create();
    await control.clearCalls();
    const answers = await Promise.all([
      add([ada]),
      remove([ada]),
      app.call('DELETE', `groups/${address}`, { query: { confirm: address } }),
      create({ hideFromAddressLists: true }),
    ]);
    for (const answer of answers) await notReady(answer);
    expect(await isGone(control, address)).toBe(false);
  });

  test('is waited for when it comes soon', async () => {
    await lag(2_000);
    await create();
    expect(await add([ada])).toMatchObject({ status: 200, body: { ok: true, addedCount: 1 } });
  });

  test('may be asked for again as a dry run with members', async () => {
    await lag(60_000);
    await create();
    const answer = await create({ members: [ada], dryRun: true });
    expect([200, 429]).toContain(answer.status);
    expect(answer.body).not.toMatchObject({ code: 'upstream_rejected' });
  });

  test('gets its first members although the answer of their batch is lost', async () => {
    await lag(60_000);
    await control.fault({
      upstream: 'exchange',
      match: { cmdlet: 'Add-DistributionGroupMember' },
      fault: { kind: 'commitThenReset' },
    });
    const answer = await create({ members: [ada, ben] });
    expect(answer.body).not.toMatchObject({ code: 'upstream_rejected' });
    expect((await groupAt(control, address)).members).toEqual([cast.idOf(ada), cast.idOf(ben)]);
    await control.clock({ advanceMs: 60_000 });
    expect((await create({ members: [ada, ben] })).body).toMatchObject({ ok: true, failedCount: 0 });
    expect((await groupAt(control, address)).members).toEqual([cast.idOf(ada), cast.idOf(ben)]);
  });
});

describe('members that Entra does not show yet', () => {
  beforeEach(async () => {
    await create({ members: [ada] });
    await lag(60_000);
  });

  test('are members already when added again: Exchange is asked, not the copy', async () => {
    expect(outcomes(await add([ben]))).toEqual(['added']);
    expect(outcomes(await add([ben]))).toEqual(['already_member']);
    expect(outcomes(await remove([ben]))).toEqual(['removed']);
    expect(outcomes(await remove([ben]))).toEqual(['not_member']);
  });

  test.each([
    ['carried out', true],
    ['not carried out', false],
  ])('are added although a lost answer, %s, cannot be read back', async (_what, commit) => {
    const fault = { kind: 'batchParts', status: 500, commit } as const;
    await control.fault({ upstream: 'exchange', match: { cmdlet: 'Add-DistributionGroupMember' }, fault });
    expect(outcomes(await add([ben]))).toEqual(['added']);
    expect((await groupAt(control, address)).members).toEqual([cast.idOf(ada), cast.idOf(ben)]);
  });

  test('are never reported as added on the word of a copy that still shows them', async () => {
    expect(outcomes(await remove([ada]))).toEqual(['removed']);
    await control.fault({
      upstream: 'exchange',
      match: { cmdlet: 'Add-DistributionGroupMember' },
      fault: { kind: 'batchParts', status: 500 },
    });
    const answer = await add([ada]);
    const isMember = (await groupAt(control, address)).members.includes(cast.idOf(ada));
    expect([outcomes(answer), isMember]).toEqual([['added'], true]);
  });

  test('are never reported as removed on the word of a copy that does not show them yet', async () => {
    expect(outcomes(await add([ben]))).toEqual(['added']);
    await control.fault({
      upstream: 'exchange',
      match: { cmdlet: 'Remove-DistributionGroupMember' },
      fault: { kind: 'batchParts', status: 500 },
    });
    const answer = await remove([ben]);
    const isMember = (await groupAt(control, address)).members.includes(cast.idOf(ben));
    expect([outcomes(answer), isMember]).toEqual([['removed'], false]);
  });
});

describe('a deletion that Entra does not show yet', () => {
  test('leaves a group that is not written to, and whose name is free', async () => {
    const { body } = await create();
    await lag(60_000);
    expect((await app.call('DELETE', `groups/${address}`, { query: { confirm: address } })).status).toBe(200);
    await control.clearCalls();
    const answer = await add([ada]);
    expect(answer).toMatchObject({ status: 429, body: { code: 'group_not_ready' } });
    expect(answer.body?.detail).toContain('Entra but not in Exchange');
    expect(await control.writes()).toEqual([]);
    const again = await create();
    expect(again).toMatchObject({ status: 201, body: { outcome: 'created' } });
    expect(again.body?.id).not.toBe(body?.id);
  });
});

describe('what Exchange itself does not show yet', () => {
  test('after its creation is read again until it does', async () => {
    await control.fault({
      upstream: 'exchange',
      match: { cmdlet: 'Get-Recipient' },
      fault: { kind: 'staleReads' },
      skip: 2,
      times: 2,
    });
    expect(await create()).toMatchObject({ status: 201, body: { outcome: 'created' } });
    expect(await control.calls({ cmdlet: 'New-DistributionGroup' })).toHaveLength(1);
  });

  test('until the end is created all the same, by the word of the creation itself; the repeat finds the group', async () => {
    await control.fault({
      upstream: 'exchange',
      match: { cmdlet: 'Get-Recipient' },
      fault: { kind: 'staleReads' },
      skip: 2,
      times: 50,
    });
    expect(await create()).toMatchObject({ status: 201, body: { ok: true, outcome: 'created', isNew: true } });
    await control.clearFaults();
    expect(await create()).toMatchObject({ status: 200, body: { outcome: 'already_exists' } });
    expect(await groupsNamed(control, 'Harbour Crew')).toHaveLength(1);
  });

  test('as Entra id makes the creation pending, never created', async () => {
    await control.fault({
      upstream: 'exchange',
      match: { cmdlet: 'Get-DistributionGroup' },
      fault: {
        kind: 'status',
        status: 200,
        body: {
          value: [
            {
              Name: 'Harbour Crew',
              DisplayName: 'Harbour Crew',
              Alias: 'harbour-crew',
              PrimarySmtpAddress: address,
              EmailAddresses: [`SMTP:${address}`],
              RecipientTypeDetails: 'MailUniversalSecurityGroup',
              ExternalDirectoryObjectId: '',
              Guid: await guidAfterCreation(),
              ManagedBy: [cast.idOf(owner)],
              RequireSenderAuthenticationEnabled: true,
            },
          ],
        },
      },
      times: 50,
    });
    expect(await create()).toMatchObject({
      status: 201,
      body: { ok: false, outcome: 'pending', changed: true, isNew: true, id: null },
    });
    await control.clearFaults();
    const again = await create();
    expect(again).toMatchObject({ status: 200, body: { ok: true, outcome: 'already_exists' } });
    expect(again.body?.id).toEqual(expect.stringMatching(/-/));
  });

  /** Exchange's own GUID of the group that will be made: the simulator makes the same one after each reset. */
  async function guidAfterCreation(): Promise<string> {
    await create();
    const [row] = await control.calls({ cmdlet: 'New-DistributionGroup' });
    await control.reset();
    return (row?.responseBody as { value: { Guid: string }[] }).value[0]?.Guid ?? '';
  }
});

test('a user that has come to Entra only is not ready, and is added once Exchange has them', async () => {
  await create();
  await control.tenant({ settings: { replicationLagMs: { entraToExchange: 60_000, exchangeToEntra: 0 } } });
  await control.tenant({ users: [{ userPrincipalName: 'stoker@contoso.com', mail: 'stoker@contoso.com' }] });
  expect(outcomes(await add(['stoker@contoso.com']))).toEqual(['not_ready']);
  await control.clock({ advanceMs: 60_000 });
  expect(outcomes(await add(['stoker@contoso.com']))).toEqual(['added']);
  const stoker = (await directoryOf(control)).users.find(({ mail }) => mail === 'stoker@contoso.com');
  expect((await groupAt(control, address)).members).toEqual([stoker?.id]);
});

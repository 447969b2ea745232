import { afterAll, beforeEach, describe, expect, test } from '@jest/globals';
import { auditRows } from '../support/auditRows.ts';
import { groupAt, isGone, readCast } from '../support/directory.ts';
import { createFakeClock, type FakeClock } from '../support/fakeClock.ts';
import { type Answer, startWorld } from '../support/world.ts';
import { createWire } from './wire.ts';

const world = await startWorld();
const { control } = world;
const wire = createWire();
let clock: FakeClock;
let isBroken = false;
let app = await world.startApp();
const { storage } = app;
const cast = await readCast(control);
const [owner = '', ada = ''] = cast.staff;
const address = 'harbour-crew@contoso.com';
const crew = {
  kind: 'mailEnabledSecurity',
  displayName: 'Harbour Crew',
  alias: 'harbour-crew',
  primarySmtpAddress: address,
  owners: [owner],
  hideFromAddressLists: true,
};
const existing = {
  mail: address,
  displayName: 'Harbour Crew',
  mailNickname: 'harbour-crew',
  mailEnabled: true,
  securityEnabled: true,
  owners: [owner],
};

beforeEach(async () => {
  await control.reset();
  await app.close();
  isBroken = false;
  clock = createFakeClock(Date.now());
  const random = () => {
    if (isBroken) throw new TypeError('a defect of ours');
    return 0.5;
  };
  app = await world.startApp({ AzureWebJobsStorage: storage }, { fetch: wire.fetch, clock, random });
  wire.onAnswer(({ text }) => text);
});
afterAll(() => world.close());

const create = (more: object = {}): Promise<Answer> => app.call('POST', 'groups', { body: { ...crew, ...more } });
const remove = (): Promise<Answer> => app.call('DELETE', `groups/${address}`, { query: { confirm: address } });
const sent = async (cmdlet: string): Promise<number> => (await control.calls({ cmdlet })).length;

/** Exchange's answer comes, and what shall be done with it breaks. */
function breakAt(wanted: string, wantedNth = 1): void {
  wire.onAnswer(({ cmdlet, nth, text }) => {
    isBroken ||= cmdlet === wanted && nth === wantedNth;
    return text;
  });
}

function isDefect(answer: Answer): void {
  expect(answer).toMatchObject({ status: 500, body: { code: 'internal_error', retryable: false } });
  expect(answer.text).not.toContain('a defect of ours');
  expect(app.host.logs.map(({ message }) => message).join('\n')).toContain('a defect of ours');
}

describe('a defect of ours is told as one, and never taken for an upstream that fails', () => {
  test('in the read-back of a creation', async () => {
    // Two come before it: who holds the address, and the owner.
    breakAt('Get-Recipient', 3);
    const answer = await create();
    isDefect(answer);
    expect(await auditRows(storage, String(answer.body?.requestId))).toMatchObject([
      { operation: 'New-DistributionGroup', state: 'unknown', code: 'internal_error' },
    ]);
    isBroken = false;
    expect(await create()).toMatchObject({ status: 200, body: { ok: true, outcome: 'completed' } });
  });

  test('in the read-back of its settings', async () => {
    breakAt('Get-DistributionGroup', 2);
    isDefect(await create());
    isBroken = false;
    expect(await create()).toMatchObject({ status: 200, body: { ok: true, outcome: 'already_exists' } });
  });

  test('in adding its first members', async () => {
    breakAt('Add-DistributionGroupMember');
    isDefect(await create({ members: [ada] }));
    isBroken = false;
    expect(await create({ members: [ada] })).toMatchObject({ body: { ok: true, unchangedCount: 1 } });
  });

  test('in the read-back of a deletion whose answer was lost: it is not sent again', async () => {
    await control.tenant({ groups: [existing] });
    await control.fault({
      upstream: 'exchange',
      match: { cmdlet: 'Remove-DistributionGroup' },
      fault: { kind: 'reset' },
    });
    breakAt('Get-DistributionGroup', 2);
    isDefect(await remove());
    expect(await sent('Remove-DistributionGroup')).toBe(1);
  });
});

describe('a write whose answer is lost as time runs out', () => {
  /** Of 25 s, the last 5 are kept back for proofs. */
  const loseLateAt = (wanted: string): void => {
    wire.onAnswer(({ cmdlet, text }) => {
      if (cmdlet !== wanted) return text;
      clock.advance(21_000);
      throw new Error('the connection is lost');
    });
  };
  /** It never reaches the tenant. */
  const isNotCarriedOut = (cmdlet: string): Promise<void> =>
    control.fault({
      upstream: 'exchange',
      match: { cmdlet },
      fault: { kind: 'status', status: 200, body: {} },
    });

  test('is not begun again: a deletion stays open', async () => {
    await control.tenant({ groups: [existing] });
    await isNotCarriedOut('Remove-DistributionGroup');
    loseLateAt('Remove-DistributionGroup');
    expect(await remove()).toMatchObject({ status: 504, body: { code: 'outcome_unknown' } });
    expect(await sent('Remove-DistributionGroup')).toBe(1);
    expect(await isGone(control, address)).toBe(false);
  });

  test('is proven in the time that was kept back: a deletion is done', async () => {
    await control.tenant({ groups: [existing] });
    loseLateAt('Remove-DistributionGroup');
    expect(await remove()).toMatchObject({ status: 200, body: { outcome: 'deleted', changed: true } });
    expect(await sent('Remove-DistributionGroup')).toBe(1);
  });

  test('is not begun again: settings are still missing, and the reply says so', async () => {
    await isNotCarriedOut('Set-DistributionGroup');
    loseLateAt('Set-DistributionGroup');
    const answer = await create();
    expect(answer).toMatchObject({ status: 201, body: { ok: false, outcome: 'partial', isNew: true } });
    expect(answer.body?.warnings).toContainEqual(expect.stringMatching(/^Not all settings.*may have been carried out/));
    const rows = await auditRows(storage, String(answer.body?.requestId));
    // On a clock that stands still, they have no order.
    expect(rows.map(({ operation, state }) => [operation, state]).sort()).toEqual([
      ['New-DistributionGroup', 'succeeded'],
      ['Set-DistributionGroup', 'unknown'],
    ]);
  });

  test('waits for no read-back that would come too late', async () => {
    const startedAtMs = clock.now();
    wire.onAnswer(({ cmdlet, nth, text }) => {
      if (cmdlet === 'New-DistributionGroup') clock.advance(23_000);
      return cmdlet === 'Get-Recipient' && nth > 2 ? '{"value":[]}' : text;
    });
    const answer = await create({ hideFromAddressLists: false });
    const { id } = await groupAt(control, address);
    expect(answer).toMatchObject({ status: 201, body: { ok: true, outcome: 'created', id } });
    expect(clock.now() - startedAtMs).toBeLessThan(25_000);
  });
});

import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { TableClient } from '@azure/data-tables';
import { randomUUID } from 'node:crypto';
import { systemClock } from '../../shared/clock.ts';
import { Fault } from '../../shared/errors.ts';
import { type GraphErrorKind, GraphFault } from '../../shared/graph/errors.ts';
import type { OktaPart, Repair, RepairSide, RepairStepRow } from '../../shared/identity/repair/repair.ts';
import { createImmutableIdRepairer } from '../../shared/identity/repair/repairImmutableId.ts';
import { openSession, withStep } from '../../shared/identity/repair/repairSession.ts';
import { createRepairStore, type NewRepair, type StoredRepair } from '../../shared/identity/repair/repairStore.ts';
import { addressRemarks, endOf, undoText } from '../../shared/identity/repair/repairTexts.ts';
import { takeRepairTurn } from '../../shared/identity/repair/repairTurn.ts';
import type { UserDriver } from '../../shared/identity/repair/userDriver.ts';
import { answerOf } from '../../shared/identity/repair/writeAnswer.ts';
import { endRepair, startRepair } from '../../shared/identity/repairMachine.ts';
import { createTables, type Tables } from '../../shared/store/tables.ts';
import { ownStorage } from '../support/environment.ts';
import { preload } from '../support/preload.ts';
import { faultOf, testCall, type TestCall } from '../support/rooms.ts';

const userId = 'a1b2c3d4-e5f6-4789-abcd-1234567890ab';
const before = {
  userPrincipalName: 'somebody@contoso.com',
  immutableId: 'former==',
  mail: 'somebody@contoso.com',
  mailNickname: 'somebody',
  proxyAddresses: ['SMTP:somebody@contoso.com'],
};
const temporaryUpn = 'somebody@contoso.onmicrosoft.com';
const part: OktaPart = { appId: '0oaapp', oktaUserId: '00uuser', togglesFeature: true };

function newRepair(change: Partial<NewRepair> = {}, user = userId): NewRepair {
  const goal = { userId: user, desired: 'desired==', before, isFederated: true, temporaryUpn };
  return {
    userId: user,
    operationId: 'an-operation',
    okta: null,
    phase: 'user',
    record: startRepair(goal, 0),
    seen: null,
    oktaState: null,
    steps: [],
    refusal: null,
    attention: null,
    addresses: null,
    endedAtMs: null,
    lookAgainAtMs: null,
    ...change,
  };
}
const repairOf = (change: Partial<Repair> = {}): Repair => ({
  ...newRepair(),
  repairId: 'a-repair',
  createdAtMs: 0,
  updatedAtMs: 0,
  ...change,
});

let tables: Tables;
let call: TestCall;
beforeAll(async () => {
  await preload();
  tables = createTables({ type: 'connectionString', connectionString: await ownStorage() });
  call = testCall();
});
afterAll(() => call.end());

describe('the answer to a write', () => {
  const refusal = (kind: GraphErrorKind, detail = 'Said so.') =>
    new GraphFault(kind, null, 'upstream_rejected', { detail, fix: 'Mend it.', upstream: 'graph' });

  test.each<[GraphErrorKind, string, object]>([
    ['propertyConflict', '', { type: 'refused', why: 'conflict' }],
    ['onPremisesMastered', '', { type: 'refused', why: 'synced' }],
    ['forbidden', '', { type: 'refused', why: 'forbidden' }],
    ['managementRestricted', '', { type: 'refused', why: 'forbidden' }],
    ['notFound', '', { type: 'refused', why: 'missing' }],
    ['rejected', "Invalid value specified for property 'onPremisesImmutableId'", { type: 'refused', why: 'invalid' }],
    ['rejected', 'Unable to update parameter.', { type: 'refused', why: 'other' }],
    // Nobody has looked at what was to be written.
    ['unauthorized', '', { type: 'throttled', waitMs: 0 }],
  ])('%s "%s" means %j', (kind, words, answer) => {
    expect(answerOf(refusal(kind, words))).toMatchObject(answer);
  });

  test('that was lost, or asks to wait, is no refusal, and a defect is none of them', () => {
    const fault = (code: 'outcome_unknown' | 'throttled', retryAfterSeconds = 0) =>
      new Fault(code, { detail: 'Said so.', fix: 'Wait.', retryAfterSeconds });
    expect(answerOf(fault('outcome_unknown'))).toEqual({ type: 'lost', message: 'Said so.' });
    expect(answerOf(fault('throttled', 7))).toEqual({ type: 'throttled', waitMs: 7_000 });
    expect(() => answerOf(new TypeError('a defect'))).toThrow('a defect');
  });
});

describe('the steps of a repair', () => {
  const row = (step: RepairStepRow['step'], code: string): RepairStepRow => ({
    step,
    code,
    outcome: code === 'done' ? 'done' : 'refused',
    message: '',
  });
  const codes = (rows: readonly RepairStepRow[]) => rows.map(({ step, code }) => `${step} ${code}`);

  test('tell the same again once, and of what was sent how it ended', () => {
    const rows = [
      row('moveUpn', 'outcome_unknown'),
      row('moveUpn', 'done'),
      row('restoreUpn', 'outcome_unknown'),
      row('restoreUpn', 'forbidden'),
      row('restoreUpn', 'outcome_unknown'),
      row('restoreUpn', 'forbidden'),
      row('restoreUpn', 'outcome_unknown'),
      row('restoreUpn', 'done'),
    ];
    expect(codes(rows.reduce<readonly RepairStepRow[]>(withStep, []))).toEqual([
      'moveUpn done',
      'restoreUpn forbidden',
      'restoreUpn done',
    ]);
  });

  test('stay few, the first and the latest of them', () => {
    const rows = Array.from({ length: 100 }, (_, index) => row(index % 2 === 0 ? 'moveUpn' : 'restoreUpn', `${index}`));
    const kept = rows.reduce<readonly RepairStepRow[]>(withStep, []);
    expect(kept).toHaveLength(40);
    expect([kept[0]?.code, kept[9]?.code, kept.at(-1)?.code]).toEqual(['0', '9', '99']);
  });
});

describe('what a repair says', () => {
  test('at its end is what became of it', () => {
    const end = (change: Partial<Repair>) => endOf(repairOf(change));
    const { record } = repairOf();
    expect(end({ record: endRepair(record, 'gone') })).toMatchObject({
      isOk: false,
      code: 'user_deleted',
      fix: expect.stringContaining(temporaryUpn),
    });
    expect(end({ record: endRepair({ ...record, temporaryUpn: null }, 'gone') }).fix).toContain('somebody@contoso.com');
    expect(end({ record: endRepair({ ...record, desired: null }, 'repaired') }).message).toContain('none');
    expect(end({ record: endRepair(record, 'overtaken') })).toMatchObject({ code: 'user_changed' });
    const refusal = { code: 'assigned_by_group', message: 'A group assigns.', fix: 'Take it out.' } as const;
    expect(end({ refusal })).toMatchObject({
      isOk: false,
      ...refusal,
      message: expect.stringContaining('not changed'),
    });
    const taken = { step: 'moveUpn', reason: 'conflict', message: 'Taken.' } as const;
    const turnedBack = { step: 'setImmutableId', reason: 'no_managed_domain', message: 'Refused.' } as const;
    expect(end({ record: endRepair({ ...record, turnedBack }, 'refused') })).toMatchObject({
      code: 'domain_not_accepted',
      message: 'somebody@contoso.com was not changed: Refused.',
      fix: expect.stringContaining('Verify a domain'),
    });
    const unread = endRepair({ ...record, isFederated: null, turnedBack }, 'refused');
    expect(end({ record: unread })).toMatchObject({
      code: 'domain_not_accepted',
      fix: expect.stringContaining('Domain.Read.All'),
    });
    expect(end({ record: endRepair({ ...record, isFederated: null, turnedBack: taken }, 'refused') }).code).toBe(
      'address_in_use',
    );
    expect(end({ record: endRepair({ ...record, turnedBack: taken }, 'rolled_back') })).toMatchObject({
      code: 'address_in_use',
      fix: expect.stringContaining('temporary user principal name'),
    });
    const held = endRepair({ ...record, turnedBack: { ...taken, step: 'setImmutableId' } }, 'rolled_back');
    expect(end({ record: held }).code).toBe('immutable_id_in_use');
    expect(end({ record: endRepair(record, 'rolled_back') }).message).toContain('is as it was before');
  });

  test('of undoing it goes by where the user was seen last, or may be at worst', () => {
    const { record } = repairOf();
    const home = `PATCH /users/${userId} {"userPrincipalName":"somebody@contoso.com"}`;
    expect(undoText(repairOf())).toBe(home);
    expect(undoText(repairOf({ record: { ...record, temporaryUpn: null } }))).toBe('');
    const seen = { userPrincipalName: temporaryUpn, immutableId: 'desired==' };
    expect(undoText(repairOf({ seen }))).toBe(
      `PATCH /users/${userId} {"onPremisesImmutableId":"former=="}; then ${home}`,
    );
  });

  test('of addresses is nothing where nothing is known', () => {
    expect(addressRemarks(repairOf())).toEqual([]);
    const addresses = { added: [], removed: [], leftover: null, isMailChanged: true };
    const record = { ...repairOf().record, before: { ...before, mail: null } };
    expect(addressRemarks(repairOf({ addresses, record }))).toEqual([expect.stringContaining('than before, none')]);
  });
});

describe('a repair in the store', () => {
  const store = (within = tables) => createRepairStore({ tables: within, clock: systemClock });

  test('is found by its names, one open at a time', async () => {
    const user = randomUUID();
    const first = await store().create(newRepair({}, user), call);
    expect(first.type).toBe('created');
    expect((await store().create(newRepair({}, user), call)).type).toBe('open');
    const { repairId } = first.stored.repair;
    for (const name of [user, user.toUpperCase(), before.userPrincipalName.toUpperCase(), temporaryUpn]) {
      expect((await store().find(name, call))?.repair.repairId).toBe(repairId);
    }
    expect(await store().find('nobody@contoso.com', call)).toBeNull();
    expect(await store().find(randomUUID(), call)).toBeNull();
    await store().save(first.stored, { phase: 'ended' }, call);
    const { record } = first.stored.repair;
    const renamed = { ...record, before: { ...before, userPrincipalName: 'renamed@contoso.com' } };
    const second = await store().create(newRepair({ record: renamed }, user), call);
    expect(second.type).toBe('created');
    // The name of the first leads to a repair that does not have it.
    expect(await store().find(before.userPrincipalName, call)).toBeNull();
    await store().remove(second.stored.repair, call);
    expect(await store().find(user, call)).toBeNull();
  });

  test('is saved by whoever read it last alone', async () => {
    const { stored } = await store().create(newRepair({}, randomUUID()), call);
    await store().save(stored, { attention: 'first' }, call);
    expect(await faultOf(store().save(stored, { attention: 'second' }, call))).toMatchObject({ code: 'user_busy' });
  });

  test('knows its own save again when the answer was lost', async () => {
    const { stored } = await store().create(newRepair({}, randomUUID()), call);
    // As the SDK repeats a request that was carried out and not answered.
    const twice: Tables = {
      forget: (name) => tables.forget(name),
      open: async (name, signal) => {
        const client = await tables.open(name, signal);
        return new Proxy(client, {
          get: (target, property) =>
            property === 'updateEntity'
              ? async (...update: Parameters<TableClient['updateEntity']>) => {
                  await target.updateEntity(...update);
                  return target.updateEntity(...update);
                }
              : (Reflect.get(target, property) as unknown),
        });
      },
    };
    const saved = await store(twice).save(stored, { attention: 'once' }, call);
    expect(saved.repair.attention).toBe('once');
    expect((await store().save(saved, { attention: 'again' }, call)).repair.attention).toBe('again');
  });
});

describe('a turn of a repair', () => {
  const untouched: UserDriver = {
    drive: ({ repair }) =>
      Promise.resolve({ type: 'ended', change: { record: endRepair(repair.record, 'refused'), attention: null } }),
  };
  /** Takes a turn with a repair as it is kept nowhere. */
  async function turn(repair: Repair, oktaSideOfRepair: RepairSide | null, userDriver = untouched) {
    const session = openSession(
      {
        save: ({ repair: current }: StoredRepair, change: Partial<Repair>) =>
          Promise.resolve({ repair: { ...current, ...change }, etag: '' }),
      } as never,
      { repair, etag: '' },
      new AbortController().signal,
      call,
    );
    return takeRepairTurn(session, { userDriver, oktaSideOfRepair, clock: systemClock });
  }
  const done: RepairSide = {
    check: () => Promise.resolve(part),
    before: () => Promise.resolve({ type: 'done' }),
    after: () => Promise.resolve({ type: 'done' }),
  };

  test('calls a person where Okta is a part of it and not configured any more', async () => {
    const waiting = await turn(repairOf({ okta: part, phase: 'before' }), null);
    expect(waiting).toMatchObject({ type: 'waiting', repair: { phase: 'before' } });
    expect(waiting.repair.attention).toContain('00uuser');
  });

  test('takes each phase once, with Okta before and after', async () => {
    const phases: string[] = [];
    const told: RepairSide = {
      ...done,
      before: async (_repair, _part, save) => {
        phases.push('before');
        await save({ former: null }, { step: 'unassignFromOkta', outcome: 'done', code: 'done', message: '' });
        return { type: 'done' };
      },
      after: (repair) => {
        phases.push('after');
        expect(repair).toMatchObject({ oktaState: { former: null }, steps: [{ step: 'unassignFromOkta' }] });
        return Promise.resolve({ type: 'done' });
      },
    };
    const driver: UserDriver = {
      drive: (session) => {
        phases.push('user');
        return untouched.drive(session);
      },
    };
    const ended = await turn(repairOf({ okta: part, phase: 'before' }), told, driver);
    expect(ended).toMatchObject({ type: 'ended', repair: { phase: 'ended', lookAgainAtMs: expect.any(Number) } });
    expect(phases).toEqual(['before', 'user', 'after']);
  });

  test('writes nothing in Entra where Okta refuses, also when it is looked at again', async () => {
    const driver: UserDriver = { drive: () => Promise.reject(new Error('nothing is to be written')) };
    const refusal = { code: 'assigned_by_group', message: 'A group assigns.', fix: 'Take it out.' } as const;
    const refusing: RepairSide = { ...done, before: () => Promise.resolve({ type: 'refused', refusal }) };
    const { type, repair } = await turn(repairOf({ okta: part, phase: 'before' }), refusing, driver);
    expect({ type, repair }).toMatchObject({ type: 'ended', repair: { phase: 'ended', refusal } });
    expect(await turn(repair, refusing, driver)).toMatchObject({ type: 'ended', repair: { refusal } });
  });

  test('calls a person where Entra keeps somebody waiting who is not assigned in Okta', async () => {
    const driver: UserDriver = {
      drive: () => Promise.resolve({ type: 'waiting', change: { attention: null }, untilMs: 5 }),
    };
    const unassigned = { step: 'unassignFromOkta', outcome: 'done', code: 'done', message: '' } as const;
    const attentionOf = async (change: Partial<Repair>) =>
      (await turn(repairOf(change), done, driver)).repair.attention;
    const long = { okta: part, steps: [unassigned] };
    expect(await attentionOf(long)).toMatch(/00uuser is not assigned to the app 0oaapp/);
    expect(call.lines.at(-1)?.fields).toMatchObject({ event: 'repair_needs_attention' });
    expect(await attentionOf({ ...long, createdAtMs: systemClock.now() })).toBeNull();
    expect(await attentionOf({ okta: part })).toBeNull();
    expect(await attentionOf({ steps: [unassigned] })).toBeNull();
  });

  test('that cannot be stored is told where somebody may be unassigned in Okta, and not where nothing was begun', async () => {
    const fault = new Fault('storage_unavailable', { detail: 'No storage.', fix: 'Wait.' });
    const told = async (change: Partial<Repair>) => {
      const before = call.lines.length;
      const stored = { repair: repairOf(change), etag: '' };
      const session = openSession(
        { save: () => Promise.reject(fault) } as never,
        stored,
        new AbortController().signal,
        call,
      );
      expect(await faultOf(session.save({}))).toBe(fault);
      return call.lines.slice(before).map(({ fields }) => fields.event);
    };
    const begun = { okta: part, oktaState: { unassignment: 'sent' } };
    expect(await told({ ...begun, phase: 'after' })).toEqual(['repair_needs_attention']);
    expect(await told({ ...begun, phase: 'ended' })).toEqual([]);
    expect(await told({ ...begun, oktaState: null, phase: 'before' })).toEqual([]);
    expect(await told({})).toEqual([]);
  });

  test('waits as Okta asks for, and says whom it calls', async () => {
    const attention = 'Somebody must look at Okta.';
    const waiting: RepairSide = { ...done, after: () => Promise.resolve({ type: 'wait', untilMs: 5, attention }) };
    const turned = await turn(repairOf({ okta: part, phase: 'after' }), waiting);
    expect(turned).toMatchObject({ type: 'waiting', untilMs: 5, repair: { attention, phase: 'after' } });
    expect(call.lines.at(-1)?.fields).toMatchObject({ event: 'repair_needs_attention', reason: attention });
  });
});

describe('a request that another one has overtaken', () => {
  test('ends its operation, and says what is under way', async () => {
    const changes: object[] = [];
    const running = new Fault('repair_running', { detail: 'Another is under way.', fix: 'Wait.' });
    const held = { call, lost: new AbortController().signal, begin: () => Promise.reject(running) };
    const { record } = repairOf();
    const repairer = createImmutableIdRepairer({
      repairEngine: {
        findOpen: () => Promise.resolve(null),
        check: () => Promise.resolve({ goal: record, okta: null, description: { findings: [], plan: [] } }),
        hold: (_user: string, _waitMs: number, _call: object, work: (given: object) => Promise<unknown>) => work(held),
      } as never,
      operations: {
        create: () => Promise.resolve({ operationId: 'mine' }),
        update: (_id: string, change: object) => Promise.resolve(changes.push(change)),
      } as never,
      operationSender: { enqueue: () => Promise.resolve() },
      audit: { probe: () => Promise.resolve() } as never,
      clock: systemClock,
    });
    const question = { user: userId, given: null, oktaAppId: null };
    expect(await faultOf(repairer.repair(question, false, call))).toBe(running);
    expect(changes.at(-1)).toMatchObject({ state: 'failed', code: 'repair_running' });
  });
});

import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import type { Call } from '../../shared/call.ts';
import { createPhoneTaker } from '../../shared/dirsync/phoneTaker.ts';
import { createRefusals } from '../../shared/dirsync/refusals.ts';
import { featureRows } from '../../shared/dirsync/features.ts';
import { createOktaPhones } from '../../shared/dirsync/oktaPhones.ts';
import { createBypassSwitcher } from '../../shared/dirsync/setBypass.ts';
import { createSwitchCarrier } from '../../shared/dirsync/switchCarrier.ts';
import { createSwitchLock } from '../../shared/dirsync/switchLock.ts';
import { confirmationOf, refuseUnconfirmed, switchPlanIdOf } from '../../shared/dirsync/switchPlan.ts';
import {
  maxListedUsers,
  newPhoneDraft,
  newSwitchId,
  type PhoneDraft,
  type SwitchRecord,
  withPage,
} from '../../shared/dirsync/switchRecord.ts';
import { createSwitchRecords } from '../../shared/dirsync/switchRecords.ts';
import { usersOfSwitch, usersOfTenant } from '../../shared/dirsync/userSources.ts';
import { Fault } from '../../shared/errors.ts';
import type { Graph } from '../../shared/graph/client.ts';
import { GraphFault } from '../../shared/graph/errors.ts';
import { createGraphSyncedUsers, type GraphSyncedUsers, type PhonedUser } from '../../shared/graph/syncedUsers.ts';
import { createGraphSynchronization, type Organization } from '../../shared/graph/synchronization.ts';
import { createOktaSideReader } from '../../shared/identity/oktaSide.ts';
import type { OktaApp, OktaApps } from '../../shared/okta/apps.ts';
import type { OktaUsers } from '../../shared/okta/users.ts';
import { createFakeClock } from '../support/fakeClock.ts';
import { memoryBlobs } from '../support/memoryBlobs.ts';
import { faultOf, quickClock, testCall } from '../support/rooms.ts';

const minuteMs = 60_000;
const dayMs = 24 * 60 * minuteMs;
const retentionDays = 90;
const call = testCall();

const user = (id: string, mobilePhone: string | null = `+1 ${id}`): PhonedUser => ({
  id,
  userPrincipalName: `${id}@contoso.com`,
  displayName: null,
  mobilePhone,
  isSynced: true,
});

/** Pages by their paths, the first under ''; what is no page is thrown. */
function graphWith(pages: Record<string, PhonedUser[] | Error>): GraphSyncedUsers & { readonly asked: string[] } {
  const asked: string[] = [];
  const paths = Object.keys(pages);
  return {
    asked,
    page: ({ from }) => {
      const path = from ?? '';
      asked.push(path);
      const users = pages[path];
      if (!Array.isArray(users)) return Promise.reject(users ?? new Error(`no page ${path}`));
      return Promise.resolve({ users, nextPath: paths[paths.indexOf(path) + 1] ?? null });
    },
    byIds: (ids) => Promise.resolve(ids.map((id) => user(id))),
  };
}

function storeOf(nowMs = Date.UTC(2026, 0, 1)) {
  const blobs = memoryBlobs();
  const clock = createFakeClock(nowMs);
  const switchRecords = createSwitchRecords({ blobs, clock, retentionDays });
  const take = (syncedUsers: GraphSyncedUsers, by: Call = call): Promise<PhoneDraft> =>
    createPhoneTaker({ syncedUsers, switchRecords, clock }).take(by);
  return { blobs, clock, switchRecords, take };
}

const recordAt = (ms: number): SwitchRecord => ({
  version: 1,
  switchId: newSwitchId(ms),
  at: new Date(ms).toISOString(),
  requestId: 'r',
  former: false,
  enabled: true,
  state: 'switched',
  syncedUserCount: 1,
  phoneCount: 1,
  pages: 1,
  restoredAt: null,
});

const deadline = () => new Fault('deadline_exceeded', { detail: 'Time is up.', fix: 'Repeat.', upstream: 'graph' });
const rejected = () => new GraphFault('rejected', null, 'upstream_rejected', { detail: 'Bad token.', fix: 'None.' });

describe('the phones before a switch', () => {
  test('are gone on with where the deadline cut a request off, for ten minutes', async () => {
    const { clock, take, switchRecords } = storeOf();
    const cut = graphWith({ '': [user('a'), user('b', null)], two: deadline() });
    const fault = await faultOf(take(cut));
    expect(fault).toMatchObject({ code: 'deadline_exceeded', upstream: 'graph' });
    expect(fault.message).toContain('nothing was switched');
    expect(fault.fix).toContain('within ten minutes');

    clock.advance(9 * minuteMs);
    const rest = graphWith({ '': [user('a')], two: [user('c')] });
    const draft = await take(rest);
    expect(rest.asked).toEqual(['two']);
    expect(draft).toMatchObject({ syncedUserCount: 3, phoneCount: 2, pages: 2, isRead: true });
    expect((await switchRecords.users(draft.switchId, 1, call)).map(({ id }) => id)).toEqual(['a', 'b']);
    expect((await switchRecords.users(draft.switchId, 2, call)).map(({ id }) => id)).toEqual(['c']);
    expect((await take(rest)).switchId).toBe(draft.switchId);

    clock.advance(2 * minuteMs);
    const late = graphWith({ '': [user('a')], two: [user('c')] });
    expect((await take(late)).switchId).not.toBe(draft.switchId);
    expect(late.asked).toEqual(['', 'two']);
  });

  test('are begun anew where Graph has forgotten its place', async () => {
    const { take } = storeOf();
    await faultOf(take(graphWith({ '': [user('a')], two: deadline() })));
    const moved = graphWith({ '': [user('a'), user('d')] });
    expect(
      await take({
        ...moved,
        page: (page, by) => (page.from === 'two' ? Promise.reject(rejected()) : moved.page(page, by)),
      }),
    ).toMatchObject({ syncedUserCount: 2, pages: 1 });
  });

  test('are not begun anew for ever', async () => {
    const { take } = storeOf();
    await faultOf(take(graphWith({ '': [user('a')], two: deadline() })));
    const lost = graphWith({ '': [user('a')], two: rejected() });
    expect((await faultOf(take(lost))).code).toBe('upstream_rejected');
    expect(lost.asked).toEqual(['two', '', 'two']);
  });

  test('that one page holds are always read anew', async () => {
    const { take } = storeOf();
    const first = await take(graphWith({ '': [user('a')] }));
    const second = await take(graphWith({ '': [user('a', '+1 other')] }));
    expect(second.digest).not.toBe(first.digest);
  });

  test('that cannot be stored hinder the switch, and what is no fault passes', async () => {
    const { take } = storeOf();
    const unstorable = new Fault('storage_unavailable', { detail: 'No blobs.', fix: 'Look.', upstream: 'storage' });
    const fault = await faultOf(take(graphWith({ '': unstorable })));
    expect(fault).toMatchObject({ code: 'storage_unavailable', upstream: 'storage' });
    expect(fault.message).toContain('nothing is switched');
    const plain = new Fault('deadline_exceeded', { detail: 'Time is up.', fix: 'Repeat.' });
    expect((await faultOf(take(graphWith({ '': plain })))).upstream).toBeNull();
    await expect(take(graphWith({ '': new TypeError('a defect') }))).rejects.toThrow(TypeError);
  });

  test('make the same plan in whatever order and pages Graph gives them, and another where one differs', () => {
    const users = fc.uniqueArray(fc.tuple(fc.uuid(), fc.option(fc.stringMatching(/^\+1 \d{3}$/))), {
      minLength: 1,
      maxLength: 30,
      selector: ([id]) => id,
    });
    const organization = { id: 'tenant' } as Organization;
    const planOf = (pages: readonly (readonly PhonedUser[])[]) => {
      const draft = pages.reduce((so, page) => withPage(so, { users: page, nextPath: null }), newPhoneDraft(0));
      return { id: switchPlanIdOf({ organization, former: false, enabled: true, draft }), draft };
    };
    fc.assert(
      fc.property(users, fc.nat(), fc.nat(), (rows, cut, changed) => {
        const all = rows.map(([id, phone]) => user(id, phone));
        const at = cut % all.length;
        const whole = planOf([all]);
        expect(planOf([all.slice(at), all.slice(0, at)]).id).toBe(whole.id);
        expect(whole.draft.phoneCount).toBe(all.filter(({ mobilePhone }) => mobilePhone !== null).length);
        expect(whole.draft.listed.length).toBe(Math.min(maxListedUsers, whole.draft.phoneCount));
        const other = all.map((each, index) =>
          index === changed % all.length ? { ...each, mobilePhone: '+2 000' } : each,
        );
        expect(planOf([other]).id).not.toBe(whole.id);
      }),
      { numRuns: 60 },
    );
  });
});

describe('a remembered switch', () => {
  test('is forgotten with its users after SNAPSHOT_RETENTION_DAYS, and removed by the sweep', async () => {
    const { blobs, clock, switchRecords } = storeOf();
    const old = recordAt(clock.now());
    await switchRecords.store(old, call);
    await switchRecords.storeUsers(old.switchId, 1, [user('a')], call);
    clock.advance((retentionDays - 1) * dayMs);
    const young = recordAt(clock.now());
    await switchRecords.store(young, call);
    await switchRecords.storeUsers(young.switchId, 1, [user('b')], call);
    expect(await switchRecords.removeExpired(call)).toBe(0);
    expect(await switchRecords.get(old.switchId, call)).toEqual(old);

    clock.advance(2 * dayMs);
    expect((await faultOf(switchRecords.get(old.switchId, call))).code).toBe('switch_not_found');
    expect(await switchRecords.latest(call)).toEqual(young);
    expect(await switchRecords.removeExpired(call)).toBe(1);
    expect([...blobs.stored.keys()].filter((name) => name.includes(old.switchId))).toEqual([]);
    expect(await switchRecords.users(young.switchId, 1, call)).toHaveLength(1);

    clock.advance(retentionDays * dayMs);
    expect(await switchRecords.latest(call)).toBeNull();
    expect((await faultOf(switchRecords.users(old.switchId, 1, call))).code).toBe('switch_not_found');
  });

  test('goes with what a request that was never ended has read', async () => {
    const { blobs, clock, switchRecords, take } = storeOf();
    await take(graphWith({ '': [user('a')] }));
    clock.advance((retentionDays - 1) * dayMs);
    await switchRecords.removeExpired(call);
    expect(await switchRecords.draft(call)).toMatchObject({ phoneCount: 1 });
    clock.advance(2 * dayMs);
    expect(await switchRecords.removeExpired(call)).toBe(0);
    expect([...blobs.stored.keys()]).toEqual([]);
  });

  test('is the latest, of several', async () => {
    const { clock, switchRecords } = storeOf();
    expect(await switchRecords.latest(call)).toBeNull();
    const records = [recordAt(clock.now()), recordAt(clock.now() + 5), recordAt(clock.now() + 2)];
    for (const record of records) await switchRecords.store(record, call);
    expect(await switchRecords.latest(call)).toEqual(records[1]);
  });
});

describe('the lock', () => {
  test('gives up after some seconds while somebody else switches, and goes on when that one is done', async () => {
    const clock = quickClock();
    let freeAfter = Infinity;
    const lease = { id: 'l', lost: new AbortController().signal, release: () => Promise.resolve() };
    const acquire = () => Promise.resolve(clock.waits.length >= freeAfter ? lease : null);
    const lock = createSwitchLock({ leases: { acquire }, clock, random: () => 0.5 });
    const busy = await faultOf(lock.hold(testCall(), () => Promise.resolve('done')));
    expect(busy.code).toBe('switch_busy');
    expect(clock.waits.reduce((sum, ms) => sum + ms, 0)).toBeGreaterThan(4_000);
    freeAfter = clock.waits.length + 2;
    expect(await lock.hold(testCall(), () => Promise.resolve('done'))).toBe('done');
  });
});

describe('a switch that time or storage hinder', () => {
  const organization: Organization = {
    id: 'T-1',
    displayName: null,
    isSynced: true,
    lastSyncAt: null,
    initialDomain: 'contoso.onmicrosoft.com',
  };
  const plan = { organization, former: false, enabled: true, draft: newPhoneDraft(0) };
  const isOff = { id: 'T-1', isOn: false };
  const unused = () => Promise.reject(new TypeError('not to be called'));
  const request = { confirm: 'contoso.onmicrosoft.com', planId: null, oktaAppId: null, isDryRun: false };

  test('is not begun when its answer could not be awaited', async () => {
    const { switchRecords, clock } = storeOf();
    const switcher = createBypassSwitcher({
      synchronization: { organization: () => Promise.resolve(organization) },
      phoneTaker: { take: () => Promise.resolve({ ...plan.draft, syncedUserCount: 7 }) },
      switchCarrier: { find: () => Promise.resolve(isOff), carryOut: unused, note: unused },
      switchLock: { hold: (held, work) => work(held) },
      oktaPhones: { compare: unused },
      switchRecords,
      clock,
    });
    const short = testCall({ times: { totalMs: 6_000, proofMs: 5_000 } });
    const fault = await faultOf(switcher.set(true, request, short));
    expect(fault.code).toBe('deadline_exceeded');
    expect(fault.message).toContain('7 users');
    // Comparing with Okta may fail; a defect is no failure.
    await expect(switcher.set(true, { ...request, isDryRun: true }, testCall())).rejects.toThrow(TypeError);
    short.end();
  });

  test('is kept where an answer was lost, whatever a second try meets with; what never was is not', async () => {
    const { switchRecords, clock } = storeOf();
    const lost = new Fault('outcome_unknown', { detail: 'No answer.', fix: 'Repeat.', upstream: 'graph' });
    const throttled = new Fault('throttled', { detail: 'Too many.', fix: 'Wait.', upstream: 'graph' });
    const carrierOf = (answers: Fault[]) =>
      createSwitchCarrier({
        // Graph still shows what was before, and not by what id.
        synchronization: {
          organization: unused,
          read: () =>
            Promise.resolve({
              id: '',
              form: 'single',
              features: new Map([['bypassDirSyncOverridesEnabled', false]]),
              deletionPrevention: null,
              deletionThreshold: null,
            }),
          setFeature: () => Promise.reject(answers.shift() ?? new TypeError('one more')),
        },
        switchRecords,
        refusals: { told: (error) => Promise.resolve(error) },
        audit: { record: async (_intent, _call, write) => (await write()).result, probe: unused },
        clock,
        graphBaseUrl: 'https://graph.microsoft.com',
      });
    const carryOut = (answers: Fault[]) =>
      carrierOf(answers).carryOut({ ...plan, draft: newPhoneDraft(clock.now()) }, isOff, testCall());
    expect(await carrierOf([]).find(organization, call)).toEqual(isOff);
    expect((await faultOf(carryOut([lost, throttled]))).code).toBe('throttled');
    const kept = await switchRecords.latest(call);
    expect(kept).toMatchObject({ state: 'open', enabled: true });
    clock.advance(1);
    expect((await faultOf(carryOut([throttled]))).code).toBe('throttled');
    expect(await switchRecords.latest(call)).toEqual(kept);
  });

  test('says what could not be noted of it', async () => {
    const { switchRecords, clock } = storeOf();
    const noting = (error: Error) =>
      createSwitchCarrier({
        synchronization: { organization: unused, read: unused, setFeature: unused },
        switchRecords: { ...switchRecords, store: () => Promise.reject(error) },
        refusals: { told: unused },
        audit: { record: unused, probe: unused },
        clock,
        graphBaseUrl: 'https://graph.microsoft.com',
      });
    const told = testCall();
    const full = new Fault('storage_unavailable', { detail: 'No blobs.', fix: 'Look.', upstream: 'storage' });
    await noting(full).note(recordAt(0), told);
    expect(told.warnings).toEqual([expect.stringContaining('could not be noted. No blobs.')]);
    await expect(noting(new TypeError('a defect')).note(recordAt(0), told)).rejects.toThrow('a defect');
  });
});

describe('what Graph shows', () => {
  const graphSaying = (object: object) =>
    ({
      find: () => Promise.resolve(object),
      page: () => Promise.resolve({ items: [object], nextPath: null }),
    }) as unknown as Graph;

  test('of the settings may lack all but the features', async () => {
    const read = (object: object) => createGraphSynchronization(graphSaying(object)).read(call);
    expect(await read({ features: { oddEnabled: 'true', bypassDirSyncOverridesEnabled: true } })).toEqual({
      id: '',
      form: 'single',
      features: new Map([['bypassDirSyncOverridesEnabled', true]]),
      deletionPrevention: null,
      deletionThreshold: null,
    });
    for (const object of [{}, { features: null }, { value: [] }, { value: [{ id: 'T-1' }] }]) {
      expect((await faultOf(read(object))).code).toBe('upstream_rejected');
    }
  });

  test('of the organization may lack all but the id', async () => {
    const read = (object: object) => createGraphSynchronization(graphSaying(object)).organization(call);
    const nothing = { displayName: null, isSynced: null, lastSyncAt: null, initialDomain: null };
    expect(await read({ id: 'T-1' })).toEqual({ id: 'T-1', ...nothing });
    expect(await read({ id: 'T-1', verifiedDomains: [{ name: 'contoso.com', isInitial: false }] })).toEqual({
      id: 'T-1',
      ...nothing,
    });
    expect((await faultOf(read({ displayName: 'Contoso' }))).code).toBe('upstream_failed');
  });

  test('of one user in a batch may be a fault, which is not taken for nobody', async () => {
    const graph = { batch: () => Promise.resolve([{ ok: false, fault: rejected() }]) } as unknown as Graph;
    expect((await faultOf(createGraphSyncedUsers(graph).byIds(['a'], call))).code).toBe('upstream_rejected');
    const empty = { batch: () => Promise.resolve([{ ok: true, object: null }]) } as unknown as Graph;
    expect(await createGraphSyncedUsers(empty).byIds(['a'], call)).toEqual([null]);
  });
});

describe('a user in two Office 365 apps of Okta', () => {
  const appOf = (id: string, domain: string) =>
    ({ id, name: 'office365', label: null, status: 'ACTIVE', msftTenant: null, domain }) satisfies OktaApp;
  const sideOf = (...apps: OktaApp[]) =>
    createOktaSideReader({
      oktaUsers: { find: () => Promise.resolve({ id: '00u', profile: {} }) } as unknown as OktaUsers,
      oktaApps: {
        ofUser: () => Promise.resolve(apps),
        appUser: () => Promise.resolve({ id: '00u', profile: { mobilePhone: '+1 a' } }),
      } as unknown as OktaApps,
    });
  const compare = async (...apps: OktaApp[]) => {
    const oktaPhones = createOktaPhones({ okta: { isConfigured: true }, oktaSide: sideOf(...apps) });
    const [row] = await oktaPhones.compare([{ ...user('a'), former: undefined, now: user('a') }], null, call);
    return row;
  };

  test('is not compared with one of them, and to be touched, unless one alone is for the domain', async () => {
    const [own, other] = [appOf('0oa1', 'contoso.com'), appOf('0oa2', 'fabrikam.com')];
    expect(await compare(other, { ...other, id: '0oa3' })).toMatchObject({ code: 'not_compared', touch: true });
    expect(await compare(own, other)).toMatchObject({ code: 'equal', touch: false, oktaAppId: '0oa1' });
    expect(await compare()).toMatchObject({ code: 'not_in_okta', touch: false });
  });
});

describe('what is told', () => {
  test('names a feature that only Graph knows', () => {
    const rows = featureRows(new Map([['somethingNewEnabled', true]]));
    expect(rows.at(-1)).toMatchObject({ feature: 'somethingNewEnabled', enabled: true });
    expect(rows.at(-1)?.meaning).toContain('Not known to this app');
    expect(rows.filter(({ enabled }) => enabled === null)).toHaveLength(20);
  });

  test('asks for the tenant id as confirm where Graph names no initial domain', () => {
    const organization = { id: 'T-1', displayName: null, initialDomain: null } as Organization;
    expect(confirmationOf(organization)).toBe('T-1');
    expect(() => refuseUnconfirmed(organization, ' t-1 ')).not.toThrow();
    expect(() => refuseUnconfirmed(organization, '')).toThrow(/nothing was written/);
  });

  test('of a refusal is that of apps where the token cannot be looked at, and a defect stays one', async () => {
    const forbidden = new GraphFault('forbidden', null, 'graph_permission_missing', { detail: 'No.', fix: 'Grant.' });
    const noToken = new Fault('credential_unavailable', { detail: 'None.', fix: 'Look.' });
    const refusals = createRefusals({ graphTokens: { get: () => Promise.reject(noToken) } });
    expect(await refusals.told(forbidden, 'switch', 'by hand', call)).toMatchObject({
      code: 'dirsync_app_refused',
      fix: 'by hand',
    });
    const defective = createRefusals({ graphTokens: { get: () => Promise.reject(new TypeError('a defect')) } });
    await expect(defective.told(forbidden, 'switch', 'by hand', call)).rejects.toThrow(TypeError);
    expect(await refusals.told(noToken, 'read', 'by hand', call)).toBe(noToken);
  });

  test.each([null, 'x', {}, { path: '/groups?', after: null }, { path: null, after: 3 }, { page: 1, index: 0 }])(
    'as a place in the tenant opens nothing else: %j',
    (value) => {
      expect(usersOfTenant(graphWith({})).read(value)).toBeNull();
    },
  );

  test.each([null, { page: 0, index: 0 }, { page: 3, index: 0 }, { page: 1, index: -1 }, { page: 1.5, index: 0 }])(
    'as a place in a switch is one of its pages: %j',
    (value) => {
      const { switchRecords } = storeOf();
      const source = usersOfSwitch({ switchId: 's', pages: 2 }, { syncedUsers: graphWith({}), switchRecords });
      expect(source.read(value)).toBeNull();
      expect(source.read({ page: 2, index: 7 })).toEqual({ page: 2, index: 7 });
    },
  );
});

import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { Fault } from '../../shared/errors.ts';
import { createFeatureKeeper } from '../../shared/identity/oktaAssignment/featureKeeper.ts';
import { type FeatureNotes, noFeatureNotes } from '../../shared/identity/oktaAssignment/featureHold.ts';
import { createFeatureLock } from '../../shared/identity/oktaAssignment/featureLock.ts';
import type { DeactivateUsers } from '../../shared/okta/provisioning.ts';
import type { Lease } from '../../shared/store/leases.ts';
import { faultOf, type QuickClock, quickClock, type TestCall, testCall } from '../support/rooms.ts';

const appId = '0oaOffice';
let call: TestCall;
beforeEach(() => {
  call = testCall();
});
afterEach(() => call.end());

/** How Okta takes one write; `crash…`: nobody is there any more to hear the answer. */
const fates = ['done', 'lost', 'lostButDone', 'late', 'crash', 'crashAfter', 'crashLate'] as const;
type Fate = (typeof fates)[number];

class Crash extends Error {}

/** One app of Okta with "Deactivate Users" as it is, and the lock over blobs in memory. */
function startApp(original: DeactivateUsers | null) {
  const stored = new Map<string, unknown>();
  const app = { feature: original, lateCount: 0, fates: [] as Fate[], isTaken: false, writes: 0, reads: 0 };
  const clock: QuickClock = quickClock();
  const lost = () => new Fault('outcome_unknown', { detail: 'lost', fix: 'look', upstream: 'okta' });
  const lease: Lease = { id: 'lease', lost: new AbortController().signal, release: () => Promise.resolve() };
  const lock = createFeatureLock({
    leases: { acquire: () => Promise.resolve(app.isTaken ? null : lease) },
    blobs: {
      read: (name) => Promise.resolve(stored.get(name) ?? null),
      write: (name, value) => {
        stored.set(name, value);
        return Promise.resolve();
      },
      list: () => Promise.resolve([...stored.keys()]),
      remove: () => Promise.reject(new Error('not asked for')),
      removeAll: () => Promise.reject(new Error('not asked for')),
      use: () => Promise.reject(new Error('not asked for')),
    },
    oktaProvisioning: {
      deactivateUsers: () => {
        app.reads += 1;
        return Promise.resolve(app.feature);
      },
      setDeactivateUsers: (_, status) => {
        const next = app.fates.shift() ?? 'done';
        // What turns it on late is what is wanted then, or is mended before anybody is unassigned.
        const fate = next.toLowerCase().endsWith('late') && status === 'ENABLED' ? 'lost' : next;
        app.writes += 1;
        if (['done', 'lostButDone', 'crashAfter'].includes(fate)) app.feature = status;
        if (fate === 'late' || fate === 'crashLate') app.lateCount += 1;
        if (fate.startsWith('crash')) return Promise.reject(new Crash('killed'));
        return fate === 'done' ? Promise.resolve() : Promise.reject(lost());
      },
      assign: () => Promise.reject(new Error('not asked for')),
      unassign: () => Promise.reject(new Error('not asked for')),
    },
    audit: { record: async (_, __, write) => (await write()).result, probe: () => Promise.resolve() },
    clock,
    random: () => 0,
  });
  const land = () => {
    if (app.lateCount > 0) app.feature = 'DISABLED';
    app.lateCount = 0;
  };
  const holder = (who: number) => ({ id: `h${who}`, type: 'repair', owner: `u${who}`, sinceMs: 0 }) as const;
  return { app, lock, clock, land, holder, stored };
}

describe('"Deactivate Users" of an app', () => {
  const runs = 300;
  const command = fc.oneof(
    {
      weight: 4,
      arbitrary: fc.record({
        type: fc.constantFrom('hold', 'letGo'),
        who: fc.nat({ max: 2 }),
        fates: fc.array(fc.constantFrom(...fates), { maxLength: 3 }),
      }),
    },
    {
      weight: 1,
      arbitrary: fc.record({ type: fc.constantFrom('land', 'watch'), who: fc.constant(0), fates: fc.constant([]) }),
    },
  );

  test('is off while anybody holds it, and in the end as it was, whatever is lost, late or killed', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom('ENABLED', 'DISABLED'),
        fc.array(command, { maxLength: 14 }),
        async (original, commands) => {
          const { app, lock, land, holder } = startApp(original);
          const holding = new Set<number>();
          for (const { type, who, fates: next } of commands) {
            app.fates = [...next];
            try {
              if (type === 'land') land();
              else if (type === 'watch') await lock.watch(appId, call);
              else if (type === 'hold') {
                await lock.hold(appId, holder(who), call);
                holding.add(who);
              } else {
                holding.delete(who);
                await lock.letGo(appId, holder(who).id, call);
              }
            } catch (error) {
              if (!(error instanceof Crash) && !(error instanceof Fault)) throw error;
            }
            if (holding.size > 0) expect(app.feature).toBe('DISABLED');
          }
          app.fates = [];
          for (const who of [0, 1, 2]) await lock.letGo(appId, holder(who).id, call);
          land();
          await lock.watch(appId, call);
          expect(app.feature).toBe(original);
          expect((await lock.notes(appId, call)).holders).toEqual([]);
        },
      ),
      { numRuns: runs },
    );
  });

  test('is nothing to hold where the app provisions nobody', async () => {
    const { app, lock, holder, stored } = startApp(null);
    expect(await lock.hold(appId, holder(0), call)).toBe(false);
    expect(await lock.letGo(appId, holder(0).id, call)).toBe(false);
    expect([app.writes, stored.size]).toEqual([0, 0]);
  });

  test('that an administrator turns on meanwhile is turned off for the next, and left on in the end', async () => {
    const { app, lock, holder } = startApp('DISABLED');
    expect(await lock.hold(appId, holder(0), call)).toBe(false);
    app.feature = 'ENABLED';
    expect(await lock.hold(appId, holder(0), call)).toBe(true);
    expect(app.feature).toBe('DISABLED');
    expect(await lock.letGo(appId, holder(0).id, call)).toBe(true);
    expect(app.feature).toBe('ENABLED');
  });

  test('is told as lagging where it does not show what was written, and as busy while somebody else turns it', async () => {
    const { app, lock, holder, clock } = startApp('ENABLED');
    app.fates = ['lost', 'lost', 'lost', 'lost', 'lost'];
    expect(await faultOf(lock.hold(appId, holder(0), call))).toMatchObject({ code: 'not_replicated' });
    app.isTaken = true;
    const before = clock.waits.length;
    expect(await faultOf(lock.hold(appId, holder(1), call))).toMatchObject({
      code: 'okta_app_busy',
      retryAfterSeconds: null,
    });
    expect(clock.waits.length - before).toBeGreaterThan(10);
  });

  test('that was turned off late is on in the end also where somebody has needed it off meanwhile', async () => {
    const { app, lock, holder, land } = startApp('ENABLED');
    app.fates = ['late'];
    await lock.hold(appId, holder(0), call);
    await lock.letGo(appId, holder(0).id, call);
    land();
    await lock.hold(appId, holder(1), call);
    await lock.letGo(appId, holder(1).id, call);
    expect(app.feature).toBe('ENABLED');
  });

  test('is not watched any more after an hour', async () => {
    const { app, lock, holder, clock, land } = startApp('ENABLED');
    app.fates = ['late'];
    await lock.hold(appId, holder(0), call);
    await lock.letGo(appId, holder(0).id, call);
    expect((await lock.notes(appId, call)).watchUntilMs).not.toBeNull();
    expect(await lock.watch(appId, call)).toBe(false);
    await clock.sleep(61 * 60_000, call.deadline.signal);
    await lock.watch(appId, call);
    expect(await lock.notes(appId, call)).toEqual(noFeatureNotes);
    land();
    expect(await lock.watch(appId, call)).toBe(false);
  });
});

describe('the sweep', () => {
  const over = { repairId: 'r1', phase: 'ended' };
  const open = { repairId: 'r1', phase: 'after' };
  const ended = { state: 'succeeded' };

  function keeperOver(notes: Partial<FeatureNotes>, known: { repair?: object | null; operation?: object | null }) {
    const gone: string[] = [];
    const keeper = createFeatureKeeper({
      featureLock: {
        hold: () => Promise.reject(new Error('not asked for')),
        letGo: (_, id) => {
          gone.push(id);
          return Promise.resolve(true);
        },
        watch: () => Promise.resolve(true),
        notes: (id) =>
          id === 'broken'
            ? Promise.reject(new Fault('storage_unavailable', { detail: 'no', fix: 'wait' }))
            : Promise.resolve({ ...noFeatureNotes, ...notes }),
        appIds: () => Promise.resolve(['broken', appId]),
      },
      repairs: { last: () => Promise.resolve((known.repair ?? null) as never) },
      operations: { get: () => Promise.resolve((known.operation ?? null) as never) },
    });
    return { keeper, gone };
  }
  const holderOf = (type: 'repair' | 'batch') => ({ holders: [{ id: 'r1', type, owner: 'o', sinceMs: 0 }] });

  test.each([
    ['a repair that has ended', holderOf('repair'), { repair: over }, ['r1']],
    ['a repair that another has followed', holderOf('repair'), { repair: { ...open, repairId: 'r2' } }, ['r1']],
    ['a repair that is not kept any more', holderOf('repair'), {}, ['r1']],
    ['no repair that goes on', holderOf('repair'), { repair: open }, []],
    ['a list that has ended', holderOf('batch'), { operation: ended }, ['r1']],
    ['a list that is not kept any more', holderOf('batch'), {}, ['r1']],
    ['no list that goes on', holderOf('batch'), { operation: { state: 'running' } }, []],
  ])('lets go for %s', async (_, notes, known, expected) => {
    const { keeper, gone } = keeperOver(notes, known);
    expect(await keeper.revive(call)).toBe(expected.length);
    expect(gone).toEqual(expected);
    expect(call.lines.map(({ fields }) => fields.event)).toEqual(['okta_feature_not_kept']);
  });

  test('counts what it mended', async () => {
    expect(await keeperOver({ watchUntilMs: 1 }, {}).keeper.revive(call)).toBe(1);
  });
});

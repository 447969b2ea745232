import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { Fault } from '../../shared/errors.ts';
import { createOktaSideOfRepair } from '../../shared/identity/oktaAssignment/oktaSideOfRepair.ts';
import type { Repair, SaveSide } from '../../shared/identity/repair/repair.ts';
import type { OktaAppUser } from '../../shared/okta/apps.ts';
import { quickClock, type TestCall, testCall } from '../support/rooms.ts';
import { factsOf, immutableId, oktaOf, oktaUserId, userId } from './facts.ts';

let call: TestCall;
beforeEach(() => {
  call = testCall();
});
afterEach(() => call.end());

const part = { appId: '0oa1', oktaUserId, togglesFeature: false };
const own: OktaAppUser = {
  id: oktaUserId,
  externalId: null,
  status: 'PROVISIONED',
  syncState: null,
  lastSync: null,
  scope: 'USER',
  group: null,
  userName: null,
  profile: { department: 'Sales' },
};
const byGroup: OktaAppUser = { ...own, scope: 'GROUP', group: 'Everyone', profile: {} };

/** Okta's side over an app that shows what `shown` says, after so many looks at it. */
function sideOver(shown: (writes: readonly string[], looks: number) => OktaAppUser | null, isUnaudited = false) {
  const clock = quickClock();
  const writes: string[] = [];
  let looks = 0;
  const none = () => Promise.reject(new Error('not asked for'));
  const write = (what: string) => () => {
    // The same again changes nothing.
    if (writes.at(-1) !== what) looks = 0;
    writes.push(what);
    return Promise.resolve();
  };
  const side = createOktaSideOfRepair({
    oktaApps: {
      get: none,
      ofUser: none,
      groupIds: none,
      appUserPages: () => {
        throw new Error('not asked for');
      },
      appUser: () => {
        looks += 1;
        return Promise.resolve(shown(writes, looks));
      },
    },
    oktaProvisioning: {
      deactivateUsers: () => Promise.resolve('DISABLED'),
      setDeactivateUsers: none,
      unassign: write('unassign'),
      assign: write('assign'),
    },
    assigningGroups: { of: () => Promise.resolve([]) },
    featureLock: { hold: none, letGo: none, watch: none, notes: none, appIds: none },
    audit: {
      record: async (_, __, run) => {
        if (isUnaudited && writes.includes('unassign'))
          throw new Fault('audit_unavailable', { detail: 'No.', fix: 'Wait.' });
        return (await run()).result;
      },
      probe: () => Promise.resolve(),
    },
    clock,
  });
  let repair = {
    repairId: 'r1',
    userId,
    createdAtMs: clock.now(),
    oktaState: null,
    steps: [],
    record: { desired: immutableId, before: { userPrincipalName: 'a@contoso.com' } },
  } as unknown as Repair;
  const save: SaveSide = (oktaState, ...rows) => {
    // As it is stored: nothing but JSON comes back.
    repair = {
      ...repair,
      oktaState: JSON.parse(JSON.stringify(oktaState)) as unknown,
      steps: [...repair.steps, ...rows],
    };
    return Promise.resolve(repair);
  };
  return {
    side,
    writes,
    before: () => side.before(repair, part, save, call),
    after: () => side.after(repair, part, save, call),
    steps: () => repair.steps.map(({ step }) => step),
  };
}

const isGone = (writes: readonly string[]): boolean => writes.lastIndexOf('unassign') > writes.lastIndexOf('assign');

describe("Okta's side of a repair", () => {
  test('waits for an unassignment and an assignment to show', async () => {
    const lagging = sideOver((writes, looks) => {
      const isShown = writes.length === 0 || looks > 2;
      return isGone(writes) === isShown ? null : own;
    });
    expect(await lagging.before()).toEqual({ type: 'done' });
    expect(await lagging.after()).toEqual({ type: 'done' });
    expect(new Set(lagging.writes)).toEqual(new Set(['unassign', 'assign']));
    expect(lagging.steps()).toEqual(['unassignFromOkta', 'assignInOkta']);
  });

  test('assigns again also where that cannot be audited, and logs it', async () => {
    const { before, after, writes } = sideOver((sent) => (isGone(sent) ? null : own), true);
    expect(await before()).toEqual({ type: 'done' });
    expect(await after()).toEqual({ type: 'done' });
    expect(writes).toEqual(['unassign', 'assign']);
    expect(call.lines.map(({ level, fields }) => [level, fields.event])).toEqual([['error', 'audit_intent_lost']]);
  });

  test('comes back later where an unassignment never shows', async () => {
    const { before, after, steps } = sideOver(() => own);
    expect(await before()).toMatchObject({ type: 'wait', attention: null });
    expect(await after()).toEqual({ type: 'done' });
    expect(steps()).toEqual(['assignInOkta']);
  });

  test('comes back later where an assignment never shows', async () => {
    const { before, after } = sideOver((writes) => (writes.includes('unassign') ? null : own));
    expect(await before()).toEqual({ type: 'done' });
    expect(await after()).toMatchObject({ type: 'wait', attention: null });
  });

  test('refuses, and assigns as before, whom a group assigns as soon as the own assignment is gone', async () => {
    const { before, after, writes } = sideOver((sent) => (isGone(sent) ? byGroup : own));
    expect(await before()).toMatchObject({
      type: 'refused',
      refusal: { code: 'assigned_by_group', message: expect.stringContaining('Everyone') },
    });
    expect(await after()).toEqual({ type: 'done' });
    expect(writes).toEqual(['unassign', 'assign']);
  });

  test('refuses whom a group has begun to assign since the check', async () => {
    const { before, after, writes } = sideOver(() => byGroup);
    expect(await before()).toMatchObject({ type: 'refused', refusal: { code: 'assigned_by_group' } });
    expect(await after()).toEqual({ type: 'done' });
    expect(writes).toEqual([]);
  });

  test('says that a group assigns the user where it is not told which', async () => {
    const { side } = sideOver(() => own);
    const office365 = {
      appId: part.appId,
      appLabel: null,
      immutableId: null,
      externalId: null,
      isByGroup: true,
      group: null,
    };
    const facts = factsOf({ okta: oktaOf({ office365 }) });
    await expect(side.check(part.appId, { facts } as never, call)).rejects.toMatchObject({
      code: 'assigned_by_group',
      message: expect.stringMatching(/^A group assigns/),
    });
  });
});

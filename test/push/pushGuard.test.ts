import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import type { Clock } from '../../shared/clock.ts';
import { type Answer, rowsOf } from '../support/world.ts';
import { apiTokenOf, createMovedClock } from './movedClock.ts';
import {
  linkMapping,
  mapGroup,
  type Mapped,
  mappingOf,
  memberNames,
  type NewGroup,
  pushNow,
  type PushWorld,
  putList,
  putMapping,
  setStatus,
  startPushWorld,
} from './setting.ts';

const login = (number: number) => `person${String(number).padStart(6, '0')}@contoso.com`;
const crew = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, at) => login(from + at));
const minuteMs = 60_000;
const dayMs = 24 * 60 * minuteMs;
/** Of more members than one page of Okta's holds. */
const [large, largeSize] = ['Okta Group 0001', 230];
const guarded = login(largeSize);

const clock = createMovedClock();
/** Whether waiting for the next try takes no time. */
let isHurried = false;
const hurried: Clock = {
  ...clock,
  sleep: async (ms, signal) => {
    if (isHurried) clock.advance(ms);
    else await clock.sleep(ms, signal);
  },
};
let push: PushWorld;
beforeAll(async () => {
  push = await startPushWorld((simulator) => ({ ...apiTokenOf(simulator), PROTECTED_USERS: guarded }), {
    clock: hurried,
  });
  await push.okta.seed({ users: largeSize, groups: 1, members: { [large]: largeSize } });
  await push.hook();
});
beforeEach(async () => {
  await push.world.control.clearFaults();
  await push.world.control.clearCalls();
});
afterAll(() => push.close());

const mapped = (...group: NewGroup) => mapGroup(push, ...group);

const namesOf = (group: Pick<Mapped, 'target'>) => memberNames(push, group);
const stateOf = ({ oktaGroupId }: Pick<Mapped, 'oktaGroupId'>) => mappingOf(push.app, oktaGroupId);
const outcomes = (answer: Answer) =>
  rowsOf(answer, 'results').map(({ member, outcome, code }) => [member, outcome, code]);

/** How a change at Okta comes to the list. */
const ways = {
  'an event': ({ oktaGroupId }: Pick<Mapped, 'oktaGroupId'>) => push.served(oktaGroupId),
  'a reconcile': ({ oktaGroupId }: Pick<Mapped, 'oktaGroupId'>) =>
    push.app.fire('reconcilePushMapping', { oktaGroupId }),
  'a push': async ({ oktaGroupId }: Pick<Mapped, 'oktaGroupId'>) => {
    await pushNow(push.app, oktaGroupId);
  },
} as const;
type Way = keyof typeof ways;
const wayNames = Object.keys(ways) as Way[];

describe('an Okta group that is emptied', () => {
  test.each(['an event', 'a reconcile'] as const)(
    'at once loses nobody by %s, until one call allows it',
    async (way) => {
      const people = crew(1, 60);
      const mapping = await mapped(`Emptied By ${way}`, people);
      await push.okta.changeMembers(mapping.name, { remove: people });
      await ways[way](mapping);
      expect(await namesOf(mapping)).toEqual(people);
      expect(await stateOf(mapping)).toMatchObject({
        status: 'ERROR',
        reasonCode: 'too_many_removals',
        reasonMessage: '60 members would be removed; 6 may go from a group of 60 within 24 hours. Nobody was removed.',
        reasonFix: expect.stringContaining(`POST push-mappings/${mapping.oktaGroupId}/push with "maxRemovals": 60`),
        managedCount: 60,
      });
      expect(await pushNow(push.app, mapping.oktaGroupId, { maxRemovals: 60 })).toMatchObject({
        status: 409,
        body: { code: 'would_empty_group' },
      });
      const allowed = await pushNow(push.app, mapping.oktaGroupId, { maxRemovals: 60, allowEmpty: true });
      expect(allowed.body).toMatchObject({ outcome: 'updated', removedCount: 60, status: 'ACTIVE' });
      expect(await namesOf(mapping)).toEqual([]);
      expect(await stateOf(mapping)).toMatchObject({ status: 'ACTIVE', reasonCode: null, managedCount: 0 });
    },
  );

  test('by one leaver every minute loses as many as may go at once, by whatever way, and no more for a day', async () => {
    const people = crew(1, 60);
    const mapping = await mapped('Emptied Slowly', people);
    const leave = async (number: number, way: Way) => {
      clock.advance(minuteMs);
      await push.okta.leave(mapping.name, login(number));
      await ways[way](mapping);
    };
    for (let number = 1; number <= 6; number += 1) {
      await leave(number, wayNames[number % wayNames.length] ?? 'an event');
      expect(await namesOf(mapping)).toEqual(people.slice(number));
      expect(await stateOf(mapping)).toMatchObject({ status: 'ACTIVE' });
    }
    for (let number = 7; number <= 9; number += 1) {
      await leave(number, wayNames[number % wayNames.length] ?? 'an event');
      expect(await namesOf(mapping)).toEqual(people.slice(6));
    }
    await push.okta.changeMembers(mapping.name, { remove: crew(10, 60), add: [login(61)] });
    await push.served(mapping.oktaGroupId);
    expect(await stateOf(mapping)).toMatchObject({
      status: 'ERROR',
      reasonCode: 'too_many_removals',
      reasonMessage:
        '51 members would be removed; 6 may go from a group of 60 within 24 hours, and 6 were removed in the last 24 hours. Nobody was removed.',
    });
    // The guard stops no one from coming.
    expect(await namesOf(mapping)).toEqual(crew(7, 61));

    await push.okta.changeMembers(mapping.name, { add: crew(10, 60) });
    await push.served(mapping.oktaGroupId);
    clock.advance(dayMs);
    await push.app.fire('reconcilePushMapping', { oktaGroupId: mapping.oktaGroupId });
    expect(await namesOf(mapping)).toEqual(crew(10, 61));
    expect(await stateOf(mapping)).toMatchObject({ status: 'ACTIVE', reasonCode: null, lastReconcileClean: true });
  }, 60_000);

  test('keeps its last member in the list', async () => {
    const mapping = await mapped('Emptied Few', crew(1, 3));
    for (const [index, person] of crew(1, 3).entries()) {
      await push.okta.leave(mapping.name, person);
      await push.served(mapping.oktaGroupId);
      expect(await namesOf(mapping)).toEqual(index < 2 ? crew(index + 2, 3) : [login(3)]);
    }
    expect(await stateOf(mapping)).toMatchObject({ status: 'ERROR', reasonCode: 'would_empty_group' });
    const allowed = await pushNow(push.app, mapping.oktaGroupId, { allowEmpty: true });
    expect(allowed.body).toMatchObject({ removedCount: 1, status: 'ACTIVE' });
    expect(await namesOf(mapping)).toEqual([]);
  });

  test('by a wrong answer of Okta alone loses nobody', async () => {
    const mapping = await mapped('Emptied In Words', crew(1, 4));
    const nobody = { kind: 'status', status: 200, body: '[]', contentType: 'application/json' } as const;
    await push.world.control.fault({ upstream: 'okta', match: { path: '/users?limit' }, fault: nobody, times: 1 });
    clock.advance(dayMs);
    await push.app.fire('reconcilePushMapping', { oktaGroupId: mapping.oktaGroupId });
    expect(await namesOf(mapping)).toEqual(crew(1, 4));
    expect(await stateOf(mapping)).toMatchObject({ status: 'ERROR', reasonCode: 'would_empty_group' });
    // What was a mistake of the moment ends with it.
    await push.app.fire('reconcilePushMapping', { oktaGroupId: mapping.oktaGroupId });
    expect(await stateOf(mapping)).toMatchObject({ status: 'ACTIVE', reasonCode: null });
  });
});

describe('what Okta refuses', () => {
  const envelope = (errorCode: string) => JSON.stringify({ errorCode, errorSummary: 'words of Okta', errorCauses: [] });
  const refusals = [
    { status: 403, body: envelope('E0000006') },
    { status: 404, body: envelope('E0000007') },
    { status: 500, body: envelope('E0000009') },
  ];
  const parts = {
    'the group': String.raw`/\/groups\/[^/?]+$/`,
    'its members': String.raw`/\/groups\/[^/]+\/users\?limit/`,
    'the second page of its members': 'after=',
  };
  const leavers = crew(1, 4);
  let mapping: Omit<Mapped, 'answer'>;

  beforeAll(async () => {
    const oktaGroupId = await push.okta.groupId(large);
    const target = await putList(push, 'large-list@contoso.com', crew(1, largeSize));
    await linkMapping(push.app, oktaGroupId, { target, adoptMembers: true });
    mapping = { name: large, oktaGroupId, target };
    await push.okta.send('PUT', 'delivery', { loss: 1 });
    await push.okta.changeMembers(large, { remove: leavers });
    await push.okta.settle();
    await push.okta.send('PUT', 'delivery', { loss: 0 });
  });

  /** Tells of the leavers once more. */
  async function tell(): Promise<void> {
    const { oktaGroupId } = mapping;
    const ids = await Promise.all(leavers.map((each) => push.okta.userId(each)));
    const events = ids.map((id) => ({
      eventType: 'group.user_membership.remove',
      target: [
        { type: 'User', id },
        { type: 'UserGroup', id: oktaGroupId },
      ],
    }));
    await push.okta.send('POST', 'events', events);
  }

  describe.each(Object.entries(parts))('of %s', (_part, path) => {
    test.each(refusals)('with $status removes nobody', async ({ status, body }) => {
      const fault = { kind: 'status', status, body, contentType: 'application/json' } as const;
      await push.world.control.fault({ upstream: 'okta', match: { path }, fault, times: 10_000 });
      isHurried = status === 500;
      for (const way of wayNames) {
        // Past what was put off before.
        clock.advance(dayMs);
        if (way === 'an event') await tell();
        await ways[way](mapping);
        if (status === 500) continue;
        expect(await stateOf(mapping)).toMatchObject({
          status: 'ERROR',
          reasonCode: status === 403 ? 'okta_forbidden' : 'okta_object_not_found',
        });
      }
      isHurried = false;
      expect((await push.world.control.calls({ upstream: 'okta' })).some((each) => each.status === status)).toBe(true);
      expect(await push.world.control.membersOf(mapping.target)).toHaveLength(largeSize);
      expect(await push.world.control.writes()).toEqual([]);
    });
  });

  test('is over once Okta answers: then the leavers go, and nobody else', async () => {
    const { oktaGroupId } = mapping;
    clock.advance(dayMs);
    await push.app.fire('reconcilePushMapping', { oktaGroupId });
    expect(await namesOf(mapping)).toEqual(crew(leavers.length + 1, largeSize));
    expect(await stateOf(mapping)).toMatchObject({ status: 'ACTIVE', reasonCode: null, pendingCount: 0 });
  });
});

describe('a limit on additions', () => {
  test.each(['an event', 'a reconcile'] as const)('counts those of a day by %s, and keeps nobody in', async (way) => {
    const mapping = await mapped(`Limited By ${way}`, crew(1, 2), { maxAdditions: 4 });
    await push.okta.changeMembers(mapping.name, { add: [login(3)] });
    await ways[way](mapping);
    expect(await namesOf(mapping)).toEqual(crew(1, 3));

    clock.advance(minuteMs);
    await push.okta.changeMembers(mapping.name, { add: crew(4, 5), remove: [login(1)] });
    await ways[way](mapping);
    // Who leaves goes all the same.
    expect(await namesOf(mapping)).toEqual(crew(2, 3));
    const reason = '2 members would be added; 4 may come within 24 hours, and 3 were added in the last 24 hours.';
    expect(await stateOf(mapping)).toMatchObject({
      status: 'ERROR',
      reasonCode: 'too_many_additions',
      reasonMessage: `${reason} Nobody was added.`,
    });
    expect(await pushNow(push.app, mapping.oktaGroupId)).toMatchObject({
      status: 409,
      body: { code: 'too_many_additions' },
    });

    if (way === 'an event') clock.advance(dayMs);
    else await putMapping(push.app, mapping.oktaGroupId, { target: mapping.target, maxAdditions: 5 });
    expect((await pushNow(push.app, mapping.oktaGroupId)).body).toMatchObject({ addedCount: 2, status: 'ACTIVE' });
    expect(await namesOf(mapping)).toEqual(crew(2, 5));
  });
});

describe.each(['managed', 'exclusive'] as const)('who is never to be removed, under %s,', (authority) => {
  test.each(['an event', 'a reconcile'] as const)('stays after leaving, by %s', async (way) => {
    const people = [...crew(1, 3), guarded];
    const settings = { authority, adoptMembers: true, neverRemove: ['PERSON000001@*'] };
    const mapping = await mapped(`Kept ${authority} By ${way}`, people, settings, [guarded]);
    await push.okta.changeMembers(mapping.name, { remove: [login(1), login(2), guarded] });
    await ways[way](mapping);
    expect(await namesOf(mapping)).toEqual([login(1), login(3), guarded]);
    expect(await stateOf(mapping)).toMatchObject({ status: 'ACTIVE', reasonCode: null });
    const plan = await pushNow(push.app, mapping.oktaGroupId, { dryRun: true });
    expect(plan.body).toMatchObject({ plannedCount: 0, exclusiveWouldRemoveCount: 0 });
    expect(outcomes(plan)).toEqual(
      expect.arrayContaining([
        [login(1), 'kept', 'kept'],
        [guarded, 'not_attempted', 'protected_object'],
      ]),
    );

    const given = await putMapping(push.app, mapping.oktaGroupId, { target: mapping.target, neverRemove: [] });
    expect(given.body).toMatchObject({ status: 'INACTIVE', reasonCode: 'awaiting_approval', plannedCount: 1 });
    await setStatus(push.app, mapping.oktaGroupId, { status: 'ACTIVE', planId: given.body?.planId });
    expect(await namesOf(mapping)).toEqual([login(3), guarded]);
  });
});

describe('a linked list', () => {
  test('keeps whom others have put into it for ever, and its plan names exactly whom exclusive would remove', async () => {
    const { control } = push.world;
    const contact = 'harbour.supplier@example.com';
    await control.tenant({ contacts: [{ displayName: 'Harbour Supplier', mail: contact }] });
    await putList(push, 'quay-nested@contoso.com');
    const guest = 'guest.partner_example.com#EXT#@contoso.onmicrosoft.com';
    const others = [contact, guest, 'front.desk@contoso.com', 'quay-nested@contoso.com', login(9)];
    await push.okta.org({ groups: [{ name: 'Quay', members: crew(1, 3) }] });
    const oktaGroupId = await push.okta.groupId('Quay');
    const target = await putList(push, 'quay@contoso.com', [...others, login(1)]);
    await linkMapping(push.app, oktaGroupId, { target });
    const members = await control.membersOf(target);
    expect(members).toHaveLength(others.length + 3);

    // Whoever is no person, or nobody of Okta's, and who was there before the mapping.
    await push.okta.changeMembers('Quay', { remove: [login(1), login(2)] });
    await push.served(oktaGroupId);
    clock.advance(dayMs);
    await push.app.fire('reconcilePushMapping', { oktaGroupId });
    const after = await control.membersOf(target);
    expect(members.filter((id) => !after.includes(id))).toHaveLength(1);

    const { body: plan } = await pushNow(push.app, oktaGroupId, { dryRun: true });
    expect(plan).toMatchObject({ plannedCount: 0, keptCount: 6, exclusiveWouldRemoveCount: 6 });
    const told = plan?.exclusiveWouldRemove as string[];
    const exclusive = await putMapping(push.app, oktaGroupId, { target, authority: 'exclusive', dryRun: true });
    const removed = rowsOf(exclusive, 'results').flatMap(({ member, outcome }) =>
      outcome === 'would_remove' ? [String(member)] : [],
    );
    expect(removed.sort()).toEqual([...told].sort());
    expect(await control.membersOf(target)).toEqual(after);
  });
});

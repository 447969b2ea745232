import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { apiTokenOf, createMovedClock } from './movedClock.ts';
import {
  mapGroup,
  type Mapped,
  mappingOf,
  memberNames,
  type NewGroup,
  pushNow,
  type PushWorld,
  setStatus,
  startPushWorld,
} from './setting.ts';

const login = (number: number) => `person${String(number).padStart(6, '0')}@contoso.com`;
const crew = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, at) => login(from + at));
const hourMs = 3_600_000;

const clock = createMovedClock();
/** What happens in the world before a call of the app goes out, and once its answer is there. */
let meanwhile: { before?: (url: string) => Promise<void>; after?: (url: string) => Promise<void> } = {};
const watched: typeof fetch = async (input, init) => {
  const url = input instanceof Request ? input.url : String(input);
  await meanwhile.before?.(url);
  const response = await fetch(input, init);
  await meanwhile.after?.(url);
  return response;
};

let push: PushWorld;
beforeAll(async () => {
  push = await startPushWorld(apiTokenOf, { clock, fetch: watched });
  await push.okta.seed({ users: 20 });
  await push.hook();
});
beforeEach(async () => {
  meanwhile = {};
  await push.okta.send('PUT', 'delivery', { loss: 0 });
  await push.world.control.clearFaults();
  await lag(0);
});
afterAll(() => push.close(), 60_000);

/** For how long Graph does not show what Exchange has written. */
const lag = (exchangeToEntra: number) =>
  push.world.control.tenant({ settings: { replicationLagMs: { exchangeToEntra } } });

const mapped = (...group: NewGroup) => mapGroup(push, ...group);

/** UPNs of the members of a list, sorted. */
const namesOf = (group: Pick<Mapped, 'target'>) => memberNames(push, group);

const reconcile = ({ oktaGroupId }: { oktaGroupId: string }) => push.app.fire('reconcilePushMapping', { oktaGroupId });
const serve = ({ oktaGroupId }: { oktaGroupId: string }) => push.app.fire('processPendingChanges', { oktaGroupId });

/** What the hook brings, and nobody has served yet. */
async function collected(type: string, person: string, groupIds: readonly string[] = []): Promise<void> {
  const ids = { groupIds, userIds: [await push.okta.userId(person)], appIds: [] };
  const event = { type, atMs: clock.now(), outcome: 'SUCCESS', login: null, ...ids };
  await push.app.fire('collectEvents', { eventId: null, events: [event] });
}

describe('while people come and go all the time, a reconcile', () => {
  /** Somebody is out each time that the pages are read. */
  function missOnPages(name: string, person: string): void {
    const isOfPages = (url: string) => url.includes('/users?limit');
    meanwhile.before = async (url) => {
      if (isOfPages(url)) await push.okta.leave(name, person);
    };
    meanwhile.after = async (url) => {
      if (isOfPages(url)) await push.okta.join(name, person);
    };
  }

  test('goes on knowing whom it has just not seen: an event about that person finds the mapping', async () => {
    const mapping = await mapped('Moving People', crew(1, 4));
    await push.okta.send('PUT', 'delivery', { loss: 1 });
    missOnPages(mapping.name, login(2));
    clock.advance(25 * hourMs);
    await reconcile(mapping);
    meanwhile = {};
    await push.okta.status(login(2), 'DEPROVISIONED');
    await collected('user.lifecycle.deactivate', login(2));
    await serve(mapping);
    expect(await namesOf(mapping)).toEqual([login(1), ...crew(3, 4)]);
  });

  test('leaves pending whom it did not dare to remove', async () => {
    const mapping = await mapped('Moving Pings', crew(5, 8));
    await push.okta.send('PUT', 'delivery', { loss: 1 });
    await push.okta.leave(mapping.name, login(5));
    missOnPages(mapping.name, login(6));
    clock.advance(25 * hourMs);
    await collected('group.user_membership.remove', login(5), [mapping.oktaGroupId]);
    await reconcile(mapping);
    expect(await namesOf(mapping)).toEqual(crew(5, 8));
    expect(await mappingOf(push.app, mapping.oktaGroupId)).toMatchObject({ pendingCount: 1 });
    meanwhile = {};
    await serve(mapping);
    expect(await namesOf(mapping)).toEqual(crew(6, 8));
  });
});

describe('while Graph still shows who is gone', () => {
  test('a mapping that removes others does not remove and count them again', async () => {
    await lag(hourMs);
    const mapping = await mapped('Ghosts', crew(11, 13), { authority: 'exclusive' }, crew(11, 17));
    expect(await namesOf(mapping)).toEqual(crew(11, 13));
    const again = await pushNow(push.app, mapping.oktaGroupId);
    expect([again.status, again.body?.outcome, again.body?.actualCount]).toEqual([200, 'unchanged', 3]);
  });

  test('a small group keeps its last member, however fast people leave', async () => {
    const mapping = await mapped('Ghost Ship', crew(8, 10));
    await lag(hourMs);
    for (const person of crew(8, 10)) {
      await push.okta.leave(mapping.name, person);
      await push.served(mapping.oktaGroupId);
    }
    expect(await namesOf(mapping)).toEqual([login(10)]);
    expect(await mappingOf(push.app, mapping.oktaGroupId)).toMatchObject({
      status: 'ERROR',
      reasonCode: 'would_empty_group',
    });
  });
});

describe('a push', () => {
  test('writes nothing for a mapping that was stopped before its turn came', async () => {
    const mapping = await mapped('Stopped', crew(11, 13));
    await push.okta.send('PUT', 'delivery', { loss: 1 });
    await push.okta.leave(mapping.name, login(11));
    meanwhile.before = async (url) => {
      if (!url.includes(mapping.target)) return;
      meanwhile = {};
      await setStatus(push.app, mapping.oktaGroupId, { status: 'INACTIVE' });
    };
    const answer = await pushNow(push.app, mapping.oktaGroupId);
    expect([answer.status, answer.body?.code]).toEqual([409, 'push_mapping_inactive']);
    expect(await namesOf(mapping)).toEqual(crew(11, 13));
  });

  test('that goes on as an operation is the same one when it is asked for again', async () => {
    const mapping = await mapped('Asked Twice', [login(1)]);
    await push.okta.send('PUT', 'delivery', { loss: 1 });
    await push.okta.changeMembers(mapping.name, { add: crew(3, 18) });
    const { planId } = (await pushNow(push.app, mapping.oktaGroupId, { dryRun: true })).body ?? {};
    await push.world.control.fault({
      upstream: 'exchange',
      match: { cmdlet: 'Add-DistributionGroupMember' },
      fault: { kind: 'throttle', seconds: 22 },
      skip: 1,
      times: 1,
    });
    const first = await pushNow(push.app, mapping.oktaGroupId, { planId });
    expect([first.status, first.body?.outcome]).toEqual([202, 'running']);
    clock.advance(30_000);
    const again = await pushNow(push.app, mapping.oktaGroupId, { planId });
    expect([again.status, again.body?.operationId]).toEqual([202, first.body?.operationId]);
  });
});

import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { rowsOf } from '../support/world.ts';
import { apiTokenOf, createMovedClock } from './movedClock.ts';
import {
  mapGroup,
  type Mapped,
  mappingOf,
  memberNames,
  type NewGroup,
  pushNow,
  type PushWorld,
  putMapping,
  setStatus,
  startPushWorld,
} from './setting.ts';

const login = (number: number) => `person${String(number).padStart(6, '0')}@contoso.com`;
const crew = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, at) => login(from + at));
const minuteMs = 60_000;
const hourMs = 60 * minuteMs;

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
  await push.world.control.clearCalls();
});
afterAll(() => push.close());

const mapped = async (...group: NewGroup): Promise<Mapped> => {
  const made = await mapGroup(push, ...group);
  await push.world.control.clearCalls();
  return made;
};

const namesOf = (group: Pick<Mapped, 'target'>) => memberNames(push, group);
const stateOf = ({ oktaGroupId }: Mapped) => mappingOf(push.app, oktaGroupId);
const writes = () => push.world.control.writes();
const serve = ({ oktaGroupId }: Mapped) => push.app.fire('processPendingChanges', { oktaGroupId });
const reconcile = ({ oktaGroupId }: Mapped) => push.app.fire('reconcilePushMapping', { oktaGroupId });

type Move = 'add' | 'remove';

/** What Okta tells of somebody, whatever is so. */
async function tell(move: Move, { oktaGroupId }: Mapped, person: string, published: string): Promise<void> {
  const target = [
    { type: 'User', id: await push.okta.userId(person) },
    { type: 'UserGroup', id: oktaGroupId },
  ];
  await push.okta.send('POST', 'events', [{ eventType: `group.user_membership.${move}`, published, target }]);
}

/** Somebody comes or goes, and the event has been collected when this ends, though no worker is free. */
async function moveMeanwhile(move: Move, { name, oktaGroupId }: Mapped, person: string): Promise<void> {
  await push.okta.send('PUT', 'delivery', { loss: 1 });
  await push.okta.changeMembers(name, { [move]: [person] });
  const type = `group.user_membership.${move}`;
  const ids = { groupIds: [oktaGroupId], userIds: [await push.okta.userId(person)], appIds: [] };
  const event = { type, atMs: clock.now(), outcome: 'SUCCESS', login: null, ...ids };
  await push.app.fire('collectEvents', { eventId: null, events: [event] });
}

describe('an event that comes late', () => {
  test('adds nobody whose removal was served before', async () => {
    const mapping = await mapped('Late Add', crew(1, 3));
    const early = new Date().toISOString();
    await push.okta.send('PUT', 'delivery', { loss: 1 });
    await push.okta.join(mapping.name, login(4));
    await push.okta.settle();
    await push.okta.send('PUT', 'delivery', { loss: 0 });
    await push.okta.leave(mapping.name, login(4));
    await push.okta.leave(mapping.name, login(3));
    await push.served(mapping.oktaGroupId);
    expect(await namesOf(mapping)).toEqual(crew(1, 2));
    await push.world.control.clearCalls();

    for (const person of crew(3, 4)) await tell('add', mapping, person, early);
    await push.served(mapping.oktaGroupId);
    expect(await writes()).toEqual([]);
    expect(await namesOf(mapping)).toEqual(crew(1, 2));
    expect(await stateOf(mapping)).toMatchObject({ status: 'ACTIVE', pendingCount: 0 });
  });

  test('removes nobody who has come back since', async () => {
    const mapping = await mapped('Late Removal', crew(1, 3));
    const early = new Date().toISOString();
    await push.okta.leave(mapping.name, login(3));
    await push.served(mapping.oktaGroupId);
    await push.okta.join(mapping.name, login(3));
    await push.served(mapping.oktaGroupId);

    await tell('remove', mapping, login(3), early);
    await push.served(mapping.oktaGroupId);
    expect(await namesOf(mapping)).toEqual(crew(1, 3));
    expect(await stateOf(mapping)).toMatchObject({ status: 'ACTIVE', pendingCount: 0, managedCount: 3 });
  });

  test.each(['add', 'remove'] as const)(
    'while the opposite of this %s is being served is served after it',
    async (first) => {
      const then = first === 'add' ? 'remove' : 'add';
      const before = first === 'add' ? crew(1, 2) : crew(1, 3);
      const mapping = await mapped(`Overtaken ${first}`, before);
      await moveMeanwhile(first, mapping, login(3));
      const path = `/users/${await push.okta.userId(login(3))}/groups`;
      meanwhile.after = async (url) => {
        if (!url.includes(path)) return;
        meanwhile = {};
        await moveMeanwhile(then, mapping, login(3));
      };
      await serve(mapping);
      expect(meanwhile).toEqual({});
      await push.app.idle();
      await serve(mapping);
      expect(await namesOf(mapping)).toEqual(before);
      expect(await stateOf(mapping)).toMatchObject({ status: 'ACTIVE', pendingCount: 0 });
    },
  );
});

test('what is told while a look at the group fails is looked at itself: here that the group was deleted', async () => {
  const mapping = await mapped('Sunk', crew(1, 2));
  const { oktaGroupId, name } = mapping;
  await moveMeanwhile('remove', mapping, login(2));
  await push.okta.deleteGroup(name);
  meanwhile.after = async (url) => {
    if (!url.endsWith(`/api/v1/groups/${oktaGroupId}`)) return;
    meanwhile = {};
    const ids = { groupIds: [oktaGroupId], userIds: [], appIds: [] };
    const event = { type: 'group.lifecycle.delete', atMs: clock.now(), outcome: 'SUCCESS', login: null, ...ids };
    await push.app.fire('collectEvents', { eventId: null, events: [event] });
  };
  await serve(mapping);
  expect(meanwhile).toEqual({});
  await push.app.idle();
  await serve(mapping);
  expect(await stateOf(mapping)).toMatchObject({ status: 'INACTIVE', reasonCode: 'okta_group_deleted' });
  expect(await namesOf(mapping)).toEqual(crew(1, 2));
});

describe('a join between the reads of a reconcile', () => {
  const isOfPages = (url: string) => url.includes('/users?limit');

  test('removes nobody who is on none of the pages for it', async () => {
    const mapping = await mapped('Between Once', crew(1, 4));
    let reads = 0;
    await push.okta.send('PUT', 'delivery', { loss: 1 });
    // Out for as long as the page is read.
    meanwhile.before = async (url) => {
      if (isOfPages(url) && (reads += 1) === 1) await push.okta.leave(mapping.name, login(2));
    };
    meanwhile.after = async (url) => {
      if (isOfPages(url) && reads === 1) await push.okta.join(mapping.name, login(2));
    };
    clock.advance(25 * hourMs);
    await reconcile(mapping);
    expect(reads).toBe(2);
    expect(await writes()).toEqual([]);
    expect(await namesOf(mapping)).toEqual(crew(1, 4));
    expect(await stateOf(mapping)).toMatchObject({ status: 'ACTIVE', lastReconcileClean: true });
  });

  test('removes nobody at all while people come and go all the time, and the next one makes up for it', async () => {
    const mapping = await mapped('Between Always', crew(1, 4));
    await push.okta.send('PUT', 'delivery', { loss: 1 });
    await push.okta.changeMembers(mapping.name, { add: [login(5)], remove: [login(1)] });
    meanwhile.before = async (url) => {
      if (isOfPages(url)) await push.okta.leave(mapping.name, login(2));
    };
    meanwhile.after = async (url) => {
      if (isOfPages(url)) await push.okta.join(mapping.name, login(2));
    };
    clock.advance(25 * hourMs);
    await reconcile(mapping);
    expect(await namesOf(mapping)).toEqual(crew(1, 5));
    expect(await stateOf(mapping)).toMatchObject({ lastReconcileClean: false, lastAddedCount: 1, lastRemovedCount: 0 });
    const pushed = await pushNow(push.app, mapping.oktaGroupId);
    expect(pushed.body).toMatchObject({ removedCount: 0 });
    expect(rowsOf(pushed, 'results').map(({ member, code }) => [member, code])).toEqual([
      [login(1), 'held_back'],
      [login(2), 'held_back'],
    ]);

    meanwhile = {};
    await reconcile(mapping);
    expect(await namesOf(mapping)).toEqual(crew(2, 5));
    expect(await stateOf(mapping)).toMatchObject({ lastReconcileClean: true, lastRemovedCount: 1 });
  });

  test('after the members of the list were read is taken in by it', async () => {
    const mapping = await mapped('Between Sides', crew(1, 2));
    meanwhile.after = async (url) => {
      if (!url.includes(`/groups/${mapping.target}/members`)) return;
      meanwhile = {};
      await moveMeanwhile('add', mapping, login(3));
    };
    clock.advance(25 * hourMs);
    await reconcile(mapping);
    expect(meanwhile).toEqual({});
    expect(await namesOf(mapping)).toEqual(crew(1, 3));
    await serve(mapping);
    expect(await namesOf(mapping)).toEqual(crew(1, 3));
    expect(await stateOf(mapping)).toMatchObject({ pendingCount: 0, managedCount: 3 });
  });

  test('after the last of them is not taken as looked at, whom an exclusive mapping has just removed', async () => {
    const mapping = await mapped('Between Last', crew(1, 2), { authority: 'exclusive' });
    await push.world.control.addMember(mapping.target, login(3));
    // Told of before as well: what is pending then is served by the reconcile.
    await moveMeanwhile('remove', mapping, login(3));
    let looks = 0;
    meanwhile.after = async (url) => {
      if (!url.endsWith(`/api/v1/groups/${mapping.oktaGroupId}`) || (looks += 1) !== 2) return;
      meanwhile = {};
      await moveMeanwhile('add', mapping, login(3));
    };
    clock.advance(25 * hourMs);
    await reconcile(mapping);
    expect(meanwhile).toEqual({});
    await push.app.idle();
    await serve(mapping);
    expect(await namesOf(mapping)).toEqual(crew(1, 3));
    expect(await stateOf(mapping)).toMatchObject({ status: 'ACTIVE', pendingCount: 0 });
  });
});

describe('somebody without a mailbox', () => {
  const notReadyLines = () => push.app.host.logs.filter(({ message }) => message.includes('push_member_not_ready'));

  async function hired(upn: string): Promise<void> {
    await push.world.control.tenant({ users: [{ userPrincipalName: upn, recipientTypeDetails: null }] });
    await push.okta.org({ users: [{ login: upn }] });
  }

  test('is looked at less and less often while desired, reported after a day, and added once there is one', async () => {
    const upn = 'new.hire@contoso.com';
    await hired(upn);
    const mapping = await mapped('New Hires', [login(1)]);
    await push.okta.join(mapping.name, upn);
    await push.served(mapping.oktaGroupId);

    const waits: number[] = [];
    const startMs = clock.now();
    for (;;) {
      const { pendingCount, nextDueAt, status, problems } = await stateOf(mapping);
      expect({ pendingCount, status }).toEqual({ pendingCount: 1, status: 'ACTIVE' });
      expect(problems).toMatchObject([{ login: upn, code: 'no_mailbox' }]);
      const dueInMs = Date.parse(String(nextDueAt)) - clock.now();
      waits.push(Math.round(dueInMs / minuteMs));
      if (notReadyLines().length > 0) break;
      expect(clock.now() - startMs).toBeLessThan(24 * hourMs);
      // Too early.
      await push.world.control.clearCalls();
      clock.advance(dueInMs / 2);
      await serve(mapping);
      expect(await push.world.control.calls()).toEqual([]);

      clock.advance(dueInMs / 2 + 100);
      await serve(mapping);
      expect(await push.world.control.calls({ upstream: 'exchange' })).not.toEqual([]);
    }
    expect(clock.now() - startMs).toBeGreaterThan(23.9 * hourMs);
    expect(notReadyLines()).toHaveLength(1);
    expect(notReadyLines()[0]).toMatchObject({
      level: 'warning',
      message: expect.stringMatching(/"waitingHours":2[45]/),
    });
    // Real time goes on while these are read.
    for (const [index, wait] of waits.entries()) expect(wait).toBeGreaterThanOrEqual((waits[index - 1] ?? 1) - 1);
    expect(waits[0]).toBeLessThanOrEqual(1);
    expect(waits.at(-1)).toBeGreaterThanOrEqual(59);
    expect(waits.at(-1)).toBeLessThanOrEqual(60);
    expect(waits.length).toBeLessThan(40);
    expect(await namesOf(mapping)).toEqual([login(1)]);

    // A reconcile looks at everybody, and forgets nobody who waits.
    await reconcile(mapping);
    expect(await stateOf(mapping)).toMatchObject({ pendingCount: 1, lastWaitingCount: 1, lastReconcileClean: true });

    await push.world.control.tenant({
      users: [{ userPrincipalName: upn, mail: upn, recipientTypeDetails: 'UserMailbox' }],
    });
    clock.advance(hourMs);
    await serve(mapping);
    expect(await namesOf(mapping)).toEqual([upn, login(1)].sort());
    expect(await stateOf(mapping)).toMatchObject({ pendingCount: 0, problemCount: 0 });
  }, 60_000);

  test('is waited for no longer once nobody desires it', async () => {
    const upn = 'short.hire@contoso.com';
    await hired(upn);
    const mapping = await mapped('Short Hires', [login(1)]);
    await push.okta.join(mapping.name, upn);
    await push.served(mapping.oktaGroupId);
    expect(await stateOf(mapping)).toMatchObject({ pendingCount: 1, problemCount: 1 });
    await push.okta.leave(mapping.name, upn);
    await push.served(mapping.oktaGroupId);
    expect(await stateOf(mapping)).toMatchObject({ pendingCount: 0, problemCount: 0 });
  });
});

describe('a mapping that only reports', () => {
  test('writes nothing, tells what it would, and does it once it may', async () => {
    const settings = { reportOnly: true, renameTarget: true };
    const mapping = await mapped('Reporting', crew(1, 2), settings, [login(9)]);
    await push.okta.join(mapping.name, login(3));
    await push.okta.rename(mapping.name, 'Reporting Still');
    await push.served(mapping.oktaGroupId);
    clock.advance(25 * hourMs);
    await reconcile(mapping);
    expect(await stateOf(mapping)).toMatchObject({
      status: 'ACTIVE',
      pendingCount: 0,
      managedCount: 0,
      lastReconcileClean: false,
      lastDesiredCount: 3,
      lastActualCount: 1,
      lastAddedCount: 0,
      lastAddedOutsideCount: 1,
    });
    const pushed = await pushNow(push.app, mapping.oktaGroupId);
    expect(pushed.body).toMatchObject({ outcome: 'planned', changed: false, addedCount: 0, plannedCount: 3 });
    expect(pushed.body?.warnings).toEqual([expect.stringContaining('report-only')]);
    expect(await writes()).toEqual([]);

    const { target, oktaGroupId } = mapping;
    const given = await putMapping(push.app, oktaGroupId, { target, reportOnly: false });
    await setStatus(push.app, oktaGroupId, { status: 'ACTIVE', planId: given.body?.planId });
    expect(await namesOf(mapping)).toEqual([...crew(1, 3), login(9)]);
    expect((await push.app.call('GET', `groups/${target}`)).body).toMatchObject({ displayName: 'Reporting Still' });
    expect(await stateOf(mapping)).toMatchObject({ status: 'ACTIVE', oktaGroupName: 'Reporting Still' });
  });

  test.each(['reportOnly', 'off'])('since WRITE_MODE is %s leaves the work to whoever may write', async (mode) => {
    const mapping = await mapped(`Mode ${mode}`, crew(1, 3));
    const { oktaGroupId } = mapping;
    const settings = { ...apiTokenOf(push.world.simulator), AzureWebJobsStorage: push.app.storage, WRITE_MODE: mode };
    const reporting = await push.world.startApp(settings, { clock });
    await moveMeanwhile('add', mapping, login(4));
    await moveMeanwhile('remove', mapping, login(1));
    await reporting.fire('processPendingChanges', { oktaGroupId });
    await reporting.fire('reconcilePushMapping', { oktaGroupId });
    await reporting.close();
    expect(await writes()).toEqual([]);
    expect(await namesOf(mapping)).toEqual(crew(1, 3));
    expect(await stateOf(mapping)).toMatchObject({ status: 'ACTIVE', lastReconcileClean: false, managedCount: 3 });

    await reconcile(mapping);
    expect(await namesOf(mapping)).toEqual(crew(2, 4));
    expect(await stateOf(mapping)).toMatchObject({ status: 'ACTIVE', lastReconcileClean: true });
  });
});

describe('a match that was made once', () => {
  const rename = (from: string, to: string) =>
    push.okta.send('PATCH', `users/${encodeURIComponent(from)}`, { profile: { login: to } });

  test('holds when the login changes to a name that Entra does not have yet', async () => {
    const [before, after] = ['mara.before@contoso.com', 'mara.after@contoso.com'];
    await push.world.control.tenant({ users: [{ userPrincipalName: before, mail: before }] });
    await push.okta.org({ users: [{ login: before }] });
    const mapping = await mapped('Married', [login(1), before]);
    await rename(before, after);
    await push.served(mapping.oktaGroupId);
    clock.advance(25 * hourMs);
    await reconcile(mapping);
    expect(await writes()).toEqual([]);
    expect(await namesOf(mapping)).toEqual([before, login(1)].sort());
    expect(await stateOf(mapping)).toMatchObject({ status: 'ACTIVE', problemCount: 0, lastUnresolvedCount: 0 });
  });

  test('is a finding when the login becomes the name of somebody else, whom only a repin lets in', async () => {
    const [before, other] = ['nils.before@contoso.com', 'nils.other@contoso.com'];
    const users = [before, other].map((upn) => ({ userPrincipalName: upn, mail: upn }));
    await push.world.control.tenant({ users });
    await push.okta.org({ users: [{ login: before }] });
    const mapping = await mapped('Reused', [login(1), before]);
    await rename(before, other);
    await push.served(mapping.oktaGroupId);
    clock.advance(25 * hourMs);
    await reconcile(mapping);
    await pushNow(push.app, mapping.oktaGroupId, { repin: [login(1)] });
    expect(await writes()).toEqual([]);
    expect(await namesOf(mapping)).toEqual([before, login(1)].sort());
    const found = await stateOf(mapping);
    expect(found).toMatchObject({ status: 'ACTIVE', lastUnresolvedCount: 1 });
    expect(found.problems).toMatchObject([{ login: before, code: 'match_changed' }]);

    const repinned = await pushNow(push.app, mapping.oktaGroupId, { repin: [other.toUpperCase()] });
    expect(repinned.body).toMatchObject({ ok: true, addedCount: 1, removedCount: 1 });
    expect(await namesOf(mapping)).toEqual([other, login(1)].sort());
    expect(await stateOf(mapping)).toMatchObject({ problemCount: 0 });
  });
});

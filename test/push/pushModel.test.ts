import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { type Authority, authorities, defaultStatuses } from '../../shared/push/mapping.ts';
import { directoryOf, readCast } from '../support/directory.ts';
import { type App, rowsOf } from '../support/world.ts';
import { apiTokenOf, BrokenClock, createMovedClock } from './movedClock.ts';
import { linkMapping, mappingOf, pushNow, putList, setStatus, startPushWorld } from './setting.ts';

/** The same course with each run: a red one is then a change of ours. A soak gives other seeds, and more courses. */
const seed = Number(process.env.PUSH_MODEL_SEED ?? 31);
const numRuns = Number(process.env.PUSH_MODEL_RUNS ?? 2);
process.stderr.write(`PUSH_MODEL_SEED=${seed}\n`);

const hourMs = 3_600_000;
const clock = createMovedClock();
/** What happens once the apps have had this many more answers. */
let interruption: { answersLeft: number; readonly happen: () => Promise<void> } | null = null;
const interrupted: typeof fetch = async (input, init) => {
  const response = await fetch(input, init);
  if (interruption !== null && (interruption.answersLeft -= 1) < 0) await interrupt();
  return response;
};
async function interrupt(): Promise<void> {
  const due = interruption;
  interruption = null;
  await due?.happen();
}

/** Never breaks: it hears of the events, and takes over what breaks in the first. */
const push = await startPushWorld(apiTokenOf, { clock: clock.another(), fetch: interrupted });
const { world, app: other, okta } = push;
const { control } = world;
/** On the same storage. */
const startFirst = () =>
  world.startApp({ ...apiTokenOf(world.simulator), AzureWebJobsStorage: other.storage }, { clock, fetch: interrupted });
let app = await startFirst();
const cast = await readCast(control);
const contact = 'harbour.supplier@example.com';
/** Whom Entra does not have, and whom Exchange does not have. */
const [ghost, starter] = ['ghost.of.okta@example.com', cast.withoutMailbox];
const people = [...cast.staff.slice(1, 11), ghost, starter];
const outsiders = [...cast.staff.slice(11, 13), contact];
const nobody = new Set<string>();
/** By each name that somebody is shown under, in lower case. */
const ids = new Map<string, string>();

beforeAll(async () => {
  await push.hook();
  await okta.org({ users: [{ login: ghost }] });
  await control.tenant({ contacts: [{ displayName: 'Harbour Supplier', mail: contact }] });
  const { users, contacts } = await directoryOf(control);
  for (const { id, mail, userPrincipalName } of users) {
    for (const name of [mail, userPrincipalName]) if (name !== null) ids.set(name.toLowerCase(), id);
  }
  for (const { id, mail } of contacts) ids.set(mail.toLowerCase(), id);
});
afterAll(() => world.close());

const idOf = (name: string): string => {
  const id = ids.get(name.toLowerCase());
  if (id === undefined) throw new Error(`nobody is called ${name}`);
  return id;
};
const without = <Item>(all: Iterable<Item>, ...gone: readonly ReadonlySet<Item>[]) =>
  new Set([...all].filter((each) => !gone.some((set) => set.has(each))));
const within = <Item>(all: Iterable<Item>, set: ReadonlySet<Item>) => new Set([...all].filter((each) => set.has(each)));
/** Of these people, those who can be members. */
const idsOf = (logins: Iterable<string>): string[] =>
  [...logins].flatMap((login) => (login === ghost || login === starter ? [] : idOf(login)));
const sorted = (all: Iterable<string>) => [...all].sort();

const statuses = [
  'ACTIVE',
  'ACTIVE',
  'SUSPENDED',
  'DEPROVISIONED',
  'LOCKED_OUT',
  'PASSWORD_EXPIRED',
  'STAGED',
] as const;

interface Change {
  readonly what: 'join' | 'leave' | 'status' | 'rename' | 'addOutside' | 'removeOutside';
  readonly who: readonly number[];
  readonly status: (typeof statuses)[number];
}

/** What goes wrong while the app works: nothing, an upstream's fault, or a worker that breaks after so many steps. */
type Trouble = { readonly fault: number } | { readonly breakAfter: number } | null;

interface Round {
  readonly changes: readonly Change[];
  readonly delivery: { readonly loss: 0 | 0.5 | 1; readonly duplicates: number; readonly disorder: boolean };
  readonly whileServed: Trouble;
  /** Of those who have moved, who turns back while that is at work, after so many answers of upstreams. */
  readonly meanwhile: { readonly afterAnswers: number; readonly who: readonly number[] } | null;
  /** Whether that begins when the events arrive. */
  readonly isHitEarly: boolean;
  readonly whileReconciled: Trouble;
  /** Whether what was delivered is served before the reconcile. */
  readonly isServed: boolean;
  readonly isReconciled: boolean;
  readonly groupIsDeleted: boolean;
  /** Whether somebody allows what the guard has stopped. */
  readonly isAllowed: boolean;
}

const faults = (['exchange', 'graph', 'okta'] as const).flatMap((upstream) =>
  (
    [
      [{ kind: 'reset' }, 1],
      [{ kind: 'commitThenReset' }, 1],
      [{ kind: 'status', status: 503 }, 2],
      [{ kind: 'status', status: 500 }, 3],
      [{ kind: 'status', status: 503, commit: true }, 1],
      [{ kind: 'throttle', seconds: 1 }, 1],
    ] as const
  ).flatMap(([fault, times]) => [0, 2].map((skip) => ({ upstream, fault, times, skip }))),
);

const trouble: fc.Arbitrary<Trouble> = fc.oneof(
  { weight: 4, arbitrary: fc.constant(null) },
  { weight: 1, arbitrary: fc.record({ fault: fc.nat(faults.length - 1) }) },
  { weight: 3, arbitrary: fc.record({ breakAfter: fc.nat(100) }) },
);

const someOf = (minLength: number, maxLength: number) =>
  fc.uniqueArray(fc.nat(people.length - 1), { minLength, maxLength });

const change: fc.Arbitrary<Change> = fc.record({
  what: fc.constantFrom('join', 'join', 'join', 'leave', 'leave', 'status', 'rename', 'addOutside', 'removeOutside'),
  who: fc.oneof({ weight: 4, arbitrary: someOf(1, 3) }, { weight: 1, arbitrary: someOf(6, people.length) }),
  status: fc.constantFrom(...statuses),
});

const meanwhile: fc.Arbitrary<Round['meanwhile']> = fc.oneof(
  { weight: 1, arbitrary: fc.constant(null) },
  { weight: 2, arbitrary: fc.record({ afterAnswers: fc.nat(9), who: someOf(1, 4) }) },
);

const round: fc.Arbitrary<Round> = fc.record({
  changes: fc.array(change, { minLength: 2, maxLength: 5 }),
  delivery: fc.record({
    loss: fc.constantFrom<0 | 0.5 | 1>(0, 0, 0.5, 1),
    duplicates: fc.constantFrom(0, 1),
    disorder: fc.boolean(),
  }),
  whileServed: trouble,
  meanwhile,
  isHitEarly: fc.boolean(),
  whileReconciled: trouble,
  isServed: fc.integer({ min: 0, max: 3 }).map((each) => each > 0),
  isReconciled: fc.integer({ min: 0, max: 3 }).map((each) => each > 0),
  groupIsDeleted: fc.integer({ min: 0, max: 7 }).map((each) => each === 0),
  isAllowed: fc.boolean(),
});

/** One Okta group and its list, as they should be. */
interface Model {
  oktaGroupId: string;
  oktaName: string;
  readonly target: string;
  readonly authority: Authority;
  /** Logins in the Okta group. */
  readonly inGroup: Set<string>;
  /** Logins of who has joined or left in this round: events tell of them. */
  readonly moved: Set<string>;
  readonly statusOf: Map<string, string>;
  /** Entra ids of members that the mapping has added. */
  ours: Set<string>;
  /** Of whom a broken worker, or what nobody can see, leaves it open whether they are among `ours`. */
  doubtful: Set<string>;
  /** Whether a worker has been disturbed since everybody was looked at, so that writes may be open. */
  isDisturbed: boolean;
}

let groups = 0;
let steps = 0;

async function newModel(authority: Authority): Promise<Model> {
  for (const person of people) await okta.status(person, 'ACTIVE');
  const first = people.slice(0, 4);
  const target = await putList(push, `model-${authority}@contoso.com`, [outsiders[0] ?? '', people[0] ?? '']);
  const model: Model = {
    oktaGroupId: '',
    oktaName: '',
    target,
    authority,
    inGroup: new Set(first),
    moved: new Set(),
    statusOf: new Map(people.map((person) => [person, 'ACTIVE'])),
    ours: new Set(),
    doubtful: new Set(),
    isDisturbed: false,
  };
  await link(model);
  return model;
}

/** A new Okta group with these people, and a mapping that knows nobody yet. */
async function link(model: Model): Promise<void> {
  groups += 1;
  model.oktaName = `Model ${groups}`;
  await okta.org({ groups: [{ name: model.oktaName, members: [...model.inGroup] }] });
  model.oktaGroupId = await okta.groupId(model.oktaName);
  const before = await membersOf(model);
  const { target, authority } = model;
  await linkMapping(app, model.oktaGroupId, { target, authority }, { maxRemovals: 50, allowEmpty: true });
  const after = await membersOf(model);
  model.doubtful = new Set();
  model.ours = without(after, before);
  model.isDisturbed = false;
  expect(sorted(without(desiredOf(model).members, after))).toEqual([]);
}

const membersOf = async ({ target }: Model) => new Set(await control.membersOf(target));

/** Who is desired: those who can be members by id, and the others. */
function desiredOf({ inGroup, statusOf }: Model) {
  const counted = new Set<string>(defaultStatuses);
  const desired = [...inGroup].filter((login) => counted.has(statusOf.get(login) ?? ''));
  return {
    count: desired.length,
    members: new Set(idsOf(desired)),
    isGhost: desired.includes(ghost),
    isStarter: desired.includes(starter),
  };
}

/** What somebody does in Okta or in Exchange. */
async function act(model: Model, { what, who, status }: Change): Promise<void> {
  const { inGroup, moved, statusOf, oktaGroupId, target } = model;
  const chosen = who.map((each) => people[each] ?? '');
  steps += 1;
  if (what === 'join') {
    const add = chosen.filter((login) => statusOf.get(login) !== 'DEPROVISIONED');
    await okta.changeMembers(oktaGroupId, { add });
    for (const login of add) if (!inGroup.has(login)) moved.add(login);
    for (const login of add) inGroup.add(login);
  } else if (what === 'leave') {
    await okta.changeMembers(oktaGroupId, { remove: chosen });
    for (const login of chosen) if (inGroup.delete(login)) moved.add(login);
  } else if (what === 'status') {
    const [login = ''] = chosen;
    await okta.status(login, status);
    statusOf.set(login, status);
  } else if (what === 'rename') {
    model.oktaName = `${model.oktaName.split(',')[0] ?? ''}, renamed ${steps}`;
    await okta.rename(oktaGroupId, model.oktaName);
  } else if (what === 'addOutside') {
    const known = chosen.filter((login) => login !== ghost && login !== starter);
    const name = [...outsiders, ...known][(who[0] ?? 0) % (outsiders.length + known.length)] ?? contact;
    await control.addMember(target, name);
  } else {
    const members = sorted(await membersOf(model));
    const id = members[(who[0] ?? 0) % members.length];
    if (id !== undefined) await control.removeMember(target, id);
  }
}

/** Runs the first app's work through what goes wrong; what breaks is gone as a process is, and another one takes its place. */
async function through(what: Trouble, work: (worker: App) => Promise<void>): Promise<void> {
  if (what !== null && 'fault' in what)
    await control.fault(faults[what.fault] ?? { upstream: 'graph', fault: { kind: 'reset' } });
  if (what !== null && 'breakAfter' in what) clock.breakAfter(what.breakAfter);
  try {
    await work(app);
  } catch (error) {
    if (!(error instanceof BrokenClock)) throw error;
  } finally {
    clock.mend();
    await control.clearFaults();
  }
  if (what === null || !('breakAfter' in what)) return;
  await app.close();
  app = await startFirst();
}

/** Until the hook has delivered what it will, and all of it is collected. */
async function arrive(): Promise<void> {
  await okta.send('PUT', 'delivery', { paused: false });
  await okta.settle();
  for (const each of [app, other]) each.host.lookIntoQueues();
  await Promise.all([app.idle(), other.idle()]);
}

/** Somebody who joined leaves, or who left joins; the event is heard of at once, or lost. */
async function turnBack(model: Model, login: string, isLost: boolean): Promise<void> {
  const { inGroup, oktaGroupId, oktaName, statusOf } = model;
  if (!inGroup.delete(login) && statusOf.get(login) !== 'DEPROVISIONED') inGroup.add(login);
  await okta.org({ groups: [{ name: oktaName, members: [...inGroup] }] });
  if (isLost) return;
  const type = `group.user_membership.${inGroup.has(login) ? 'add' : 'remove'}`;
  const ids = { groupIds: [oktaGroupId], userIds: [await okta.userId(login)], appIds: [] };
  const event = { type, atMs: Date.now(), outcome: 'SUCCESS', login: null, ...ids };
  await other.fire('collectEvents', { eventId: null, events: [event] });
}

/** Serves what is due, however long another worker has the group. */
async function serveDue(worker: App, { oktaGroupId }: Model): Promise<void> {
  for (;;) {
    await worker.fire('processPendingChanges', { oktaGroupId });
    const { nextDueAt } = await mappingOf(other, oktaGroupId);
    if (typeof nextDueAt !== 'string' || Date.parse(nextDueAt) > clock.now()) return;
  }
}

/** Lets what was delivered be served, and sees who came and went by it. */
async function serve(model: Model, played: Round): Promise<void> {
  const { delivery, whileServed, isHitEarly, groupIsDeleted } = played;
  const { oktaGroupId, authority, ours, doubtful } = model;
  const before = await membersOf(model);
  const oursBefore = new Set(ours);
  const truths = [desiredOf(model).members];
  const movers = [...model.moved];
  const turners = groupIsDeleted ? [] : (played.meanwhile?.who.flatMap((at) => movers[at] ?? []) ?? []);
  steps += 1;
  if (!isHitEarly) await arrive();
  const happen = async () => {
    for (const login of turners) {
      await turnBack(model, login, delivery.loss === 1);
      truths.push(desiredOf(model).members);
    }
  };
  interruption = { answersLeft: played.meanwhile?.afterAnswers ?? 0, happen };
  await through(whileServed, async (worker) => {
    if (isHitEarly) await arrive();
    if (whileServed === null) await serveDue(worker, model);
    else await worker.fire('processPendingChanges', { oktaGroupId });
  });
  await interrupt();
  if (turners.length > 0) await serveDue(other, model);
  await okta.send('PUT', 'delivery', { paused: true });
  const after = await membersOf(model);
  const come = without(after, before);
  const gone = without(before, after);
  if (groupIsDeleted) {
    expect([sorted(come), sorted(gone)]).toEqual([[], []]);
    return;
  }
  const desired = truths.at(-1) ?? nobody;
  const everDesired = new Set(truths.flatMap((truth) => [...truth]));
  const alwaysDesired = truths.reduce((some, truth) => within(some, truth), desired);
  expect(sorted(without(come, everDesired))).toEqual([]);
  expect(sorted(within(gone, alwaysDesired))).toEqual([]);
  if (authority === 'additive') expect(sorted(gone)).toEqual([]);
  // A worker that breaks while it adds somebody leaves open who has added them: for whoever turns back then as well.
  const open = whileServed === null ? nobody : everDesired;
  if (authority === 'managed') expect(sorted(without(gone, oursBefore, doubtful, open))).toEqual([]);
  if (whileServed === null) {
    const heardOf = { 0: [...model.moved], 0.5: turners, 1: [] }[delivery.loss];
    const heard = new Set(idsOf(heardOf));
    expect(sorted(without(within(heard, desired), after))).toEqual([]);
    if (delivery.loss === 0) expect(sorted(within(gone, desired))).toEqual([]);
    const { status } = await mappingOf(other, oktaGroupId);
    const left = without(within(heard, new Set([...oursBefore, ...come])), new Set(idsOf(model.inGroup)));
    if (status === 'ACTIVE' && authority !== 'additive') expect(sorted(within(left, after))).toEqual([]);
  }

  for (const id of come) {
    ours.add(id);
    doubtful.delete(id);
  }
  for (const id of gone) for (const set of [ours, doubtful]) set.delete(id);
  // Removed by somebody else, and perhaps by the mapping after that, which changes nothing that could be seen.
  for (const id of without(ours, after, desired)) {
    ours.delete(id);
    doubtful.add(id);
  }
  if (whileServed === null && turners.length === 0) return;
  model.isDisturbed = true;
  // Whoever was a member already may have been taken for the mapping's: by a worker that did not come to its end, or by
  // one that had just removed them.
  for (const id of without(within(after, desired), ours)) doubtful.add(id);
}

/** What a plan says, held against the model; whom it removes. */
async function planned(
  model: Model,
): Promise<{ members: Set<string>; removes: Set<string>; addCount: number; actualCount: number; reported: object }> {
  const { oktaGroupId, authority, ours, doubtful, isDisturbed } = model;
  const members = await membersOf(model);
  const desired = desiredOf(model);
  const answer = await pushNow(other, oktaGroupId, { dryRun: true });
  expect(answer).toMatchObject({ status: 200, body: { desiredCount: desired.count } });
  const planOf = (outcome: string) =>
    new Set(rowsOf(answer, 'results').flatMap((row) => (row.outcome === outcome ? idOf(String(row.member)) : [])));
  const [adds, removes] = [planOf('would_add'), planOf('would_remove')];

  const missing = without(desired.members, members);
  if (desired.isStarter) missing.add(idOf(starter));
  expect(sorted(without(missing, adds))).toEqual([]);
  // Of whom a write is open is written once more.
  expect(sorted(without(adds, missing, isDisturbed ? desired.members : nobody))).toEqual([]);

  const others = without(members, desired.members);
  const [own, open] = [within(others, ours), within(others, doubtful)];
  const isHeld = (id: string) => desired.isGhost && id !== idOf(contact) && !own.has(id);
  const must = { additive: nobody, managed: own, exclusive: new Set([...others].filter((id) => !isHeld(id))) }[
    authority
  ];
  expect(sorted(without(without(must, removes), open))).toEqual([]);
  expect(sorted(without(removes, must, authority === 'additive' ? nobody : open))).toEqual([]);

  const { body } = answer;
  const listed = (name: 'addedOutside' | 'removedOutside') => new Set((body?.[name] as string[]).map(idOf));
  expect(sorted(without(listed('addedOutside'), doubtful))).toEqual(sorted(without(others, ours, doubtful)));
  const lost = without(within(ours, desired.members), members);
  if (isDisturbed) expect(sorted(without(listed('removedOutside'), lost, doubtful))).toEqual([]);
  else expect(sorted(without(listed('removedOutside'), doubtful))).toEqual(sorted(lost));
  const actualCount = Number(body?.actualCount);
  if (!isDisturbed) expect(actualCount).toBe(members.size);
  const { addedOutsideCount, removedOutsideCount } = body ?? {};
  const reported = { lastAddedOutsideCount: addedOutsideCount, lastRemovedOutsideCount: removedOutsideCount };
  return { members, removes, addCount: adds.size, actualCount, reported };
}

/** What the guard says to so many removals, of which there were none for a day (design §6.7). */
function guardOf(removeCount: number, addCount: number, actualCount: number): string | null {
  if (removeCount === 0) return null;
  if (removeCount > Math.max(5, Math.floor(actualCount / 10))) return 'too_many_removals';
  return actualCount - removeCount + addCount > 0 ? null : 'would_empty_group';
}

async function reconcile(model: Model, { whileReconciled, isAllowed }: Round): Promise<void> {
  const { oktaGroupId } = model;
  steps += 1;
  clock.advance(25 * hourMs);
  const statusBefore = (await mappingOf(other, oktaGroupId)).status;
  const { members, removes, addCount, actualCount, reported } = await planned(model);
  const desired = desiredOf(model);
  const comes = without(desired.members, members);

  await through(whileReconciled, (worker) => worker.fire('reconcilePushMapping', { oktaGroupId }));
  if (whileReconciled !== null) {
    clock.advance(25 * hourMs);
    await other.fire('reconcilePushMapping', { oktaGroupId });
  }
  const guard = guardOf(removes.size, addCount, actualCount);
  // The last members do not go for somebody who cannot come.
  const isKept = removes.size > 0 && addCount > 0 && actualCount + addCount - Number(desired.isStarter) <= removes.size;
  const stays = guard !== null || isKept;
  const expected = new Set([...members, ...comes].filter((id) => stays || !removes.has(id)));
  expect(sorted(await membersOf(model))).toEqual(sorted(expected));

  const mapping = await mappingOf(other, oktaGroupId);
  expect(mapping).toMatchObject({
    oktaGroupName: model.oktaName,
    lastReconcileClean: !stays,
    lastDesiredCount: desired.count,
    lastUnresolvedCount: Number(desired.isGhost),
    lastWaitingCount: Number(desired.isStarter),
  });
  if (guard !== null) expect(mapping).toMatchObject({ status: 'ERROR', reasonCode: guard });
  else if (!isKept) expect(mapping).toMatchObject({ status: 'ACTIVE', reasonCode: null });
  else if (whileReconciled === null) expect(mapping.status).toBe(statusBefore);
  if (whileReconciled === null && !model.isDisturbed) {
    const lastRemovedCount = stays ? 0 : removes.size;
    expect(mapping).toMatchObject({ ...reported, lastAddedCount: comes.size, lastRemovedCount });
  }
  note(model, comes, expected, stays);
  const { managedCount } = mapping;
  expect(managedCount).toBeGreaterThanOrEqual(model.ours.size);
  expect(managedCount).toBeLessThanOrEqual(model.ours.size + model.doubtful.size);
  if (guard !== null && isAllowed) await allow(model, removes, expected);
}

/** What is known of the managed set once everybody was looked at. */
function note(model: Model, comes: ReadonlySet<string>, members: ReadonlySet<string>, stays: boolean): void {
  const { authority, ours, doubtful } = model;
  model.isDisturbed = false;
  model.ours = within([...ours, ...comes], members);
  model.doubtful = without(within(doubtful, members), model.ours);
  // Whoever was not removed was not the mapping's.
  if (!stays && authority !== 'additive') model.doubtful = within(model.doubtful, desiredOf(model).members);
}

/** One call allows what the guard has stopped. */
async function allow(model: Model, removes: ReadonlySet<string>, members: ReadonlySet<string>): Promise<void> {
  steps += 1;
  const answer = await pushNow(other, model.oktaGroupId, { maxRemovals: removes.size, allowEmpty: true });
  expect(answer.body).toMatchObject({ removedCount: removes.size, status: 'ACTIVE' });
  expect(sorted(await membersOf(model))).toEqual(sorted(without(members, removes)));
  note(model, nobody, without(members, removes), false);
}

/** The mapping of a group that is gone touches nobody; another group may have its list. */
async function replaceGroup(model: Model, played: Round): Promise<void> {
  const { oktaGroupId } = model;
  steps += 1;
  const before = await membersOf(model);
  if (played.isServed) await serve(model, played);
  clock.advance(25 * hourMs);
  await through(played.whileReconciled, (worker) => worker.fire('reconcilePushMapping', { oktaGroupId }));
  await other.fire('reconcilePushMapping', { oktaGroupId });
  expect(sorted(await membersOf(model))).toEqual(sorted(before));
  const { status, reasonCode } = await mappingOf(other, oktaGroupId);
  const isTold = played.isServed && played.whileServed === null && played.delivery.loss === 0;
  if (isTold || status === 'INACTIVE') expect([status, reasonCode]).toEqual(['INACTIVE', 'okta_group_deleted']);
  else expect([status, reasonCode]).toEqual(['ERROR', 'okta_object_not_found']);
  await setStatus(other, oktaGroupId, { status: 'INACTIVE' });
  expect(await other.call('DELETE', `push-mappings/${oktaGroupId}`)).toMatchObject({ status: 200 });
  await link(model);
}

async function play(model: Model, played: Round): Promise<void> {
  await okta.send('PUT', 'delivery', { paused: true, timeoutMs: 30_000, ...played.delivery });
  model.moved.clear();
  for (const each of played.changes) await act(model, each);
  if (played.groupIsDeleted) {
    await okta.deleteGroup(model.oktaGroupId);
    await replaceGroup(model, played);
    return;
  }
  if (played.isServed) await serve(model, played);
  if (played.isReconciled) await reconcile(model, played);
}

describe('Whatever happens in whatever order, with whatever trouble between, a reconcile leaves what', () => {
  test.each(authorities)(
    '%s wants',
    async (authority) => {
      steps = 0;
      await fc.assert(
        fc.asyncProperty(fc.array(round, { minLength: 9, maxLength: 11 }), async (rounds) => {
          const model = await newModel(authority);
          for (const each of rounds) await play(model, each);
          await setStatus(other, model.oktaGroupId, { status: 'INACTIVE' });
        }),
        { seed, numRuns, endOnFailure: true },
      );
      expect(steps).toBeGreaterThan(40 * numRuns);
    },
    180_000 * numRuns,
  );
});

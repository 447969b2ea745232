import { afterAll, beforeAll, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { readCast } from '../support/directory.ts';
import { type Answer, startWorld } from '../support/world.ts';
import { endOf, setMembers } from './setting.ts';

const world = await startWorld();
const { control } = world;
const app = await world.startApp();
const cast = await readCast(control);
const [owner = ''] = cast.staff;
const people = cast.staff.slice(1, 15);

beforeAll(() => control.reset());
afterAll(() => world.close());

const groups = [
  { kind: 'distributionList', name: 'model-list', address: 'model-list@contoso.com' },
  { kind: 'mailEnabledSecurity', name: 'model-crew', address: 'model-crew@contoso.com' },
  { kind: 'security', name: 'model-access', address: null },
] as const;
type ModelGroup = (typeof groups)[number];
/** What a request calls a group. */
const refOf = ({ name, address }: ModelGroup): string => address ?? name;

/** What should be: the members of each group that exists. */
type Model = Map<string, Set<string>>;

interface Step {
  readonly group: number;
  readonly what: 'add' | 'remove' | 'set' | 'create' | 'delete';
  readonly members: readonly number[];
  readonly fault: number;
}

const upstreams = ['exchange', 'graph'] as const;
const troubles = upstreams.flatMap((upstream) =>
  (
    [
      [{ kind: 'reset' }, 1],
      [{ kind: 'commitThenReset' }, 1],
      [{ kind: 'status', status: 503 }, 2],
      [{ kind: 'status', status: 503, commit: true }, 1],
      [{ kind: 'status', status: 502 }, 9],
      [{ kind: 'throttle', seconds: 1 }, 1],
      [{ kind: 'batchParts', count: 2, status: 500 }, 1],
      [{ kind: 'batchParts', count: 2, status: 500, commit: true }, 1],
    ] as const
  ).flatMap(([fault, times]) => [0, 3].map((skip) => ({ upstream, fault, times, skip }))),
);

const step: fc.Arbitrary<Step> = fc.record({
  group: fc.nat(groups.length - 1),
  what: fc.constantFrom('add', 'add', 'remove', 'set', 'set', 'create', 'delete'),
  members: fc.uniqueArray(fc.nat(people.length - 1), { minLength: 1, maxLength: 14 }),
  // Every second step or so meets one.
  fault: fc.integer({ min: -troubles.length, max: troubles.length - 1 }),
});

const groupOf = ({ group }: Step): ModelGroup => groups[group] ?? groups[0];
const membersOf = ({ members }: Step): string[] => members.map((each) => people[each] ?? '');

function send(step: Step, what: Step['what']): Promise<Answer> {
  const group = groupOf(step);
  const members = membersOf(step);
  const path = `groups/${encodeURIComponent(refOf(group))}`;
  switch (what) {
    case 'add':
      return app.call('POST', `${path}/members`, { body: { members } });
    case 'remove':
      return app.call('POST', `${path}/members/remove`, { body: { members } });
    case 'set':
      return setMembers(app, refOf(group), members, { maxRemovals: 50, allowEmpty: true });
    case 'create': {
      const { kind, name } = group;
      return app.call('POST', 'groups', { body: { kind, displayName: name, alias: name, owners: [owner], members } });
    }
    case 'delete':
      return app.call('DELETE', path, { query: { confirm: refOf(group) } });
  }
}

function expectation(model: Model, step: Step, what: Step['what']): void {
  const { name } = groupOf(step);
  const members = membersOf(step);
  const now = model.get(name) ?? new Set<string>();
  if (what === 'delete') model.delete(name);
  else if (what === 'remove') model.set(name, new Set([...now].filter((each) => !members.includes(each))));
  else if (what === 'add') model.set(name, new Set([...now, ...members]));
  else model.set(name, new Set(members));
}

/** Nobody does what cannot be done: a group that is not there is made, and none is made twice. */
function possible(model: Model, step: Step): Step['what'] {
  const exists = model.has(groupOf(step).name);
  if (!exists) return 'create';
  return step.what === 'create' ? 'set' : step.what;
}

async function settle(answer: Answer): Promise<Answer> {
  return answer.status === 202 ? endOf(app, answer) : answer;
}

async function holds(model: Model): Promise<void> {
  const { users, groups: found } = (await control.state()) as {
    users: { id: string; userPrincipalName: string }[];
    groups: { displayName: string; members: string[] }[];
  };
  const names = new Map(users.map(({ id, userPrincipalName }) => [id, userPrincipalName]));
  const actual = found
    .filter(({ displayName }) => groups.some(({ name }) => name === displayName))
    .map(({ displayName, members }) => [displayName, members.map((id) => names.get(id) ?? id).sort()]);
  const wanted = [...model].map(([name, members]) => [name, [...members].sort()]);
  expect(actual.sort()).toEqual(wanted.sort());
}

/** Of the simulator and of the app's gate alike. */
async function play({ fault }: Step): Promise<boolean> {
  const trouble = troubles[fault];
  if (trouble !== undefined) await control.fault(trouble);
  return trouble !== undefined;
}

test('Whatever is done in whatever order, with whatever trouble between, groups end as the model has them', async () => {
  let stepsDone = 0;
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 4, maxLength: 8 }), async (steps) => {
      await control.reset();
      const model: Model = new Map();
      for (const each of steps) {
        const what = possible(model, each);
        const hadTrouble = await play(each);
        const answer = await send(each, what);
        await control.clearFaults();
        expectation(model, each, what);
        if (hadTrouble) await sendAgain(each, what, answer);
        else if (answer.body?.ok !== true) throw new Error(`${what} was answered ${answer.status}: ${answer.text}`);
        await holds(model);
        stepsDone += 1;
      }
    }),
    { numRuns: 6, endOnFailure: true },
  );
  expect(stepsDone).toBeGreaterThan(20);
}, 120_000);

/** The same request, once more: it closes whatever was left open. A group that is gone was deleted by the first one. */
async function sendAgain(step: Step, what: Step['what'], first: Answer): Promise<void> {
  await settle(first);
  const repeated = await settle(await send(step, what));
  if (what === 'delete' && repeated.status === 404) return;
  if (repeated.body?.ok !== true)
    throw new Error(`${what}, repeated, was answered ${repeated.status}: ${repeated.text}`);
}

import type { Story } from './story.ts';

const group = 'Sales Nordics';
const path = `groups/${encodeURIComponent(group)}/members`;
const people = (from: number, to: number) =>
  Array.from({ length: to - from + 1 }, (_, index) => `person${String(from + index).padStart(6, '0')}@contoso.com`);

/** A list of 1,000 made exact: 120 come, 80 go, 920 are not touched. */
export async function exactMembership(story: Story): Promise<void> {
  story.say('A distribution list of 1,000 made exact: looked at, guarded, then done as an operation');
  await story.seed({ users: 1_120, members: { [group]: 1_000 } });
  const before = await memberCount(story);
  const members = people(81, 1_120);

  const { body: plan } = await story.play({
    title: 'Ask what would be done. Contacts and groups in the list stay.',
    method: 'PUT',
    path,
    body: { members, dryRun: true },
    shown: { members: `${members.length} people`, dryRun: true },
    expected: { status: 200, outcome: 'planned', changed: false, unchangedCount: 920 },
  });
  await story.play({
    title: 'Ask for a list that lacks most of them: the guard refuses, with the numbers.',
    method: 'PUT',
    path,
    body: { members: people(601, 1_120) },
    shown: { members: '520 people' },
    expected: { status: 409, code: 'too_many_removals' },
  });
  const { body: begun } = await story.play({
    title: 'Carry out the plan, and only that plan. It is too much for one request: an operation does it.',
    method: 'PUT',
    path,
    body: { members, planId: plan.planId, maxRemovals: plan.plannedCount },
    shown: { members: `${members.length} people`, planId: plan.planId, maxRemovals: plan.plannedCount },
    expected: { status: 202, outcome: 'running', done: false },
  });
  await story.play({
    title: 'Meanwhile nobody else writes to the group.',
    method: 'POST',
    path,
    body: { members: ['bruno.keller@contoso.com'] },
    expected: { status: 409, code: 'group_busy' },
  });
  await story.play({
    title: 'Wait for its end.',
    method: 'GET',
    path: `operations/${String(begun.operationId)}?waitSeconds=20&cursor=999`,
    expected: { status: 200, ok: true, state: 'succeeded', progressPercent: 100, addedCount: 120, failedCount: 0 },
  });
  story.check(
    'In the tenant everybody desired is in it, and whoever is no user has stayed.',
    (await memberCount(story)) >= members.length && (await memberCount(story)) < before + 120,
    true,
  );
  await story.play({
    title: 'Ask again: nothing is left to do.',
    method: 'PUT',
    path,
    body: { members },
    shown: { members: `${members.length} people` },
    expected: { status: 200, ok: true, outcome: 'unchanged', changed: false },
  });
}

async function memberCount(story: Story): Promise<number> {
  const { groups } = await story.tenant();
  return groups.find(({ displayName }) => displayName === group)?.members.length ?? 0;
}

import type { Call } from '../../call.ts';
import type { Clock } from '../../clock.ts';
import { type GraphGroups, maxMemberPage } from '../../graph/groups.ts';
import type { PushMapping } from '../mapping.ts';
import { standingOf } from '../memberStanding.ts';
import type { PushPlan } from '../pushPlan.ts';
import type { PushMemberStore } from '../store/memberStore.ts';

/**
 * How many members the target has besides those who are coming: for the guard, where a plan is about some people alone.
 * Graph counts who is gone for a while, and a small group might lose its last member by it: of one that fits a page what
 * we have written counts as well. Of a larger one a few who are gone already make no difference.
 */
export async function targetSize(
  { oktaGroupId, targetId, lastReconcile }: PushMapping,
  { adds, removes }: Pick<PushPlan, 'adds' | 'removes'>,
  dependencies: {
    readonly graphGroups: Pick<GraphGroups, 'memberPages' | 'memberCount'>;
    readonly pushMembers: Pick<PushMemberStore, 'readAll'>;
    readonly clock: Clock;
  },
  call: Call,
): Promise<number> {
  const { graphGroups, pushMembers, clock } = dependencies;
  if ((lastReconcile?.actualCount ?? 0) > maxMemberPage) return graphGroups.memberCount(targetId, call);
  const { managed } = await pushMembers.readAll(oktaGroupId, call);
  const shown = new Set<string>();
  for await (const page of graphGroups.memberPages(targetId, { addresses: false }, call)) {
    for (const { id } of page) shown.add(id.toLowerCase());
  }
  const coming = new Set(adds.map(({ entraId }) => entraId.toLowerCase()));
  const going = new Set(removes.map(({ entraId }) => entraId.toLowerCase()));
  const isMember = (id: string) => standingOf(managed.get(id), shown.has(id), clock.now()) === 'member';
  return [...new Set([...shown, ...managed.keys(), ...going])].filter(
    (id) => going.has(id) || (isMember(id) && !coming.has(id)),
  ).length;
}

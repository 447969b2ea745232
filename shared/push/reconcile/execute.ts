import type { Clock } from '../../clock.ts';
import type { Fault } from '../../errors.ts';
import type { HeldGroup } from '../../groups/groupLock.ts';
import { stillNeededRow } from '../../groups/membership/membershipRows.ts';
import { judgeRemovals } from '../../groups/membership/removalGuard.ts';
import { judgeAdditions } from '../additionGuard.ts';
import { guardWords } from '../guardWords.ts';
import type { PushChange } from '../pushPlan.ts';
import type { PushMemberStore } from '../store/memberStore.ts';
import { rowOf } from './managedRows.ts';
import { peopleFound, peopleNotes } from './peopleNotes.ts';
import type { ChangeResult, PlanWriter } from './planWriter.ts';
import type { Survey } from './survey.ts';

export interface Limits {
  /** The caller's own limit for removals; null: the guard's. */
  readonly maxRemovals: number | null;
  readonly allowEmpty: boolean;
}

/** What came of carrying a plan out. */
export interface Execution {
  readonly results: readonly ChangeResult[];
  /** Not come to. */
  readonly left: readonly PushChange[];
  /** What the guard kept from being done; null: nothing. */
  readonly guard: Fault | null;
  /** What stands in the way of those that are left; null: nothing but time. */
  readonly fault: Fault | null;
}

export interface Executor {
  /**
   * Carries a plan out as far as the guard lets it: adds before removals, so that who is renamed or replaced is never
   * missing in between. Together with what is remembered of people and of the managed set.
   * @throws Fault `storage_unavailable` before anything is written
   */
  execute(survey: Survey, held: HeldGroup, limits: Limits, budget: number): Promise<Execution>;
}

export interface Verdict {
  readonly additions: Fault | null;
  readonly removals: Fault | null;
}

/**
 * What the guard says to a plan (design §6.7). Pure.
 * @param stopsAll whether the whole plan is refused then; else what the guard does not forbid is done
 */
export function judgePlan(
  { plan, mapping, actualCount }: Survey,
  notes: Pick<HeldGroup['notes'], 'removals' | 'additions'>,
  { maxRemovals, allowEmpty }: Limits,
  nowMs: number,
  stopsAll: boolean,
): Verdict {
  const wordsOf = (undone: string) => guardWords(mapping, stopsAll ? 'Nothing was written.' : undone);
  const addCount = plan.adds.length;
  const { maxAdditions } = mapping.settings;
  const words = wordsOf('Nobody was added.');
  const additions = judgeAdditions({ addCount: plan.comingCount, recent: notes.additions, maxAdditions, nowMs, words });
  const removal = {
    actualCount,
    addCount: additions === null ? addCount : 0,
    removeCount: plan.removes.length,
    recent: notes.removals,
    maxRemovals,
    allowEmpty,
  };
  return { additions, removals: judgeRemovals(removal, wordsOf('Nobody was removed.')) };
}

export function createExecutor(dependencies: {
  pushMembers: PushMemberStore;
  planWriter: PlanWriter;
  clock: Clock;
}): Executor {
  const { pushMembers, planWriter, clock } = dependencies;

  return {
    execute: async (survey, held, limits, budget) => {
      const { mapping, plan, actualCount } = survey;
      const { oktaGroupId } = mapping;
      const verdict = judgePlan(survey, held.notes, limits, clock.now(), false);

      // Before anybody is written: events about them must find the mapping from then on.
      const found = peopleFound(survey);
      await pushMembers.putPeople(oktaGroupId, found, held.call);
      const adopted = plan.adopts.map((each) => rowOf(each, 'added', clock.now()));
      await pushMembers.putManaged(oktaGroupId, adopted, held.call);

      const adds = verdict.additions === null ? plan.adds : [];
      const added = await planWriter.write('add', adds, survey, held, budget);
      const removed = await remove(added.results, added.left.length > 0);

      const results = [...added.results, ...removed.results];
      tellRefused(results);
      await remember(results);
      return {
        results,
        left: [...added.left, ...removed.left],
        guard: verdict.removals ?? verdict.additions,
        fault: added.fault ?? removed.fault,
      };

      async function remove(addResults: readonly ChangeResult[], isUnfinished: boolean) {
        const removes = verdict.removals === null ? plan.removes : [];
        if (isUnfinished) return { results: [], left: removes, fault: null };
        const comeCount = addResults.filter(({ type }) => type === 'done').length;
        const wouldBeEmpty = actualCount + comeCount - removes.length <= 0;
        if (removes.length > 0 && adds.length > 0 && wouldBeEmpty && !limits.allowEmpty) {
          return { results: removes.map(stillNeeded), left: [], fault: null };
        }
        return planWriter.write('remove', removes, survey, held, budget - addResults.length);
      }

      /** Nobody may have asked for it who would read the rows. */
      function tellRefused(done: readonly ChangeResult[]): void {
        const refused = done.filter(({ type }) => type === 'refused');
        const [first] = refused;
        if (first === undefined) return;
        const { requestId, log } = held.call;
        const refusedCount = refused.length;
        log.warn({ event: 'push_refused', requestId, oktaGroupId, refusedCount, firstCode: first.row.code });
      }

      async function remember(done: readonly ChangeResult[]): Promise<void> {
        const call = held.call.proving();
        const people = new Map([...survey.people, ...found.map((person) => [person.oktaUserId, person] as const)]);
        const { put, remove: gone } = peopleNotes({ ...survey, people }, done, clock.now());
        await pushMembers.putPeople(oktaGroupId, put, call);
        await pushMembers.removeManaged(oktaGroupId, plan.forgets, call);
        await pushMembers.removePeople(oktaGroupId, gone, call);
      }
    },
  };
}

/** Whoever was to take the place of these members is not there. */
function stillNeeded(change: PushChange): ChangeResult {
  const row = stillNeededRow(change.label);
  return { direction: 'remove', change, type: 'refused', row };
}

import type { Clock } from '../../clock.ts';
import { Fault, type FaultCode, faultTable, isFault } from '../../errors.ts';
import type { MemberChange } from '../../exchange/members.ts';
import { type HeldGroup, tryToNoteWritten } from '../../groups/groupLock.ts';
import { failedRow, type MemberRow } from '../../groups/membership/memberRows.ts';
import { rowOfResult } from '../../groups/membership/membershipRows.ts';
import { type MemberTarget, targetOfMember } from '../../groups/membership/memberTarget.ts';
import type { MemberTargets } from '../../groups/membership/memberTargets.ts';
import type { MemberWriters } from '../../groups/membership/memberWriters.ts';
import type { MemberResult, MemberWrites } from '../../groups/membership/memberWrites.ts';
import type { PushChange } from '../pushPlan.ts';
import type { PushMemberStore } from '../store/memberStore.ts';
import { type KnownChange, mayBeDone, rowsAfterWrite, rowsBeforeWrite } from './managedRows.ts';
import type { Survey } from './survey.ts';

/** What became of one change. */
export interface ChangeResult {
  readonly direction: MemberChange;
  readonly change: PushChange;
  /** `later`: could not be done for now, and nothing speaks against it. */
  readonly type: 'done' | 'later' | 'refused';
  readonly row: MemberRow;
}

/** What came of a part of a plan. */
export interface Written {
  readonly results: readonly ChangeResult[];
  /** Not come to. */
  readonly left: readonly PushChange[];
  /** What stands in the way of those that are left; null: time alone, or the budget. */
  readonly fault: Fault | null;
}

export interface PlanWriter {
  /**
   * Makes these changes batch by batch, each with its rows of the managed set before and after it: a crash costs one
   * batch to be sent again, and nobody is forgotten. A Fault is told, never thrown.
   * @param budget about how many may be sent
   */
  write(
    change: MemberChange,
    changes: readonly PushChange[],
    survey: Survey,
    held: HeldGroup,
    budget: number,
  ): Promise<Written>;
}

export interface PlanWriterDependencies {
  readonly pushMembers: PushMemberStore;
  readonly memberTargets: MemberTargets;
  readonly memberWrites: MemberWrites;
  readonly memberWriters: MemberWriters;
  readonly clock: Clock;
}

/** Resolved together: so many that calls are saved, so few that little is lost when time is up. */
const resolvedAtOnce = 50;
/** A batch that could not be answered before the deadline is not begun. */
const minBatchMs = 3_000;

interface Target extends KnownChange {
  readonly target: MemberTarget;
}

export function createPlanWriter(dependencies: PlanWriterDependencies): PlanWriter {
  const { pushMembers, memberTargets, memberWrites, memberWriters, clock } = dependencies;

  /** The objects to be written, and who cannot be one. */
  async function resolve(
    change: MemberChange,
    changes: readonly PushChange[],
    { group, managed }: Survey,
    held: HeldGroup,
  ): Promise<{ targets: Target[]; others: ChangeResult[] }> {
    const targets: Target[] = [];
    const others: ChangeResult[] = [];
    const known = (each: PushChange) => ({ change: each, before: managed.get(each.entraId.toLowerCase()) });
    // Whatever has come to be a member is removed by its id.
    if (change === 'remove') {
      return { targets: changes.map((each) => ({ ...known(each), target: targetOfRemoval(each) })), others };
    }
    const ids = changes.map(({ entraId }) => entraId);
    const resolutions = await memberTargets.resolve(group.kind, 'add', ids, held.call);
    for (const [index, each] of changes.entries()) {
      const resolution = resolutions[index];
      if (resolution === undefined) throw new RangeError('a change without its resolution');
      if (resolution.type === 'found') {
        targets.push({ ...known(each), target: resolution.target });
        continue;
      }
      const row = failedRow(each.label, resolution.type, resolution);
      others.push({ direction: change, change: each, type: typeOf(resolution.code), row });
    }
    return { targets, others };
  }

  /** @throws Fault before anything is sent */
  async function writeBatch(
    change: MemberChange,
    batch: readonly Target[],
    survey: Survey,
    held: HeldGroup,
  ): Promise<{ results: ChangeResult[]; outage: Fault | null }> {
    const { mapping, group, actualCount } = survey;
    const { oktaGroupId, settings } = mapping;
    await pushMembers.putManaged(oktaGroupId, rowsBeforeWrite(change, batch, clock.now()), held.call);

    const results = new Map<string, MemberResult>();
    const unsent = new Set<string>();
    let refusal: Fault | null = null;
    for (const mayBe of [true, false]) {
      const part = batch.filter((each) => mayBeDone(change, each) === mayBe).map(({ target }) => target);
      if (part.length === 0) continue;
      try {
        const sent = await memberWrites.ensure(change, group, part, held.call, mayBe);
        for (const [key, result] of sent) results.set(key, result);
      } catch (error) {
        if (!isFault(error)) throw error;
        // What holds for the whole call is no matter of single members.
        refusal = error;
        for (const { key } of part) {
          results.set(key, notSent(error));
          unsent.add(key);
        }
      }
    }
    const written = batch.map((each) => {
      const result = results.get(each.target.key);
      if (result === undefined) throw new RangeError('a change without its result');
      return { ...each, result };
    });
    const { put, forget } = rowsAfterWrite(change, written, settings.adoptMembers, clock.now());
    try {
      await pushMembers.putManaged(oktaGroupId, put, held.call.proving());
      await pushMembers.removeManaged(oktaGroupId, forget, held.call.proving());
    } catch (error) {
      // They are found as begun, and settled by the next run.
      if (!isFault(error)) throw error;
      held.call.warn('What was written could not be noted for the mapping yet; its next run settles it.');
    }
    const changedCount = written.filter(({ result }) => result.type === 'settled' && result.wasChanged).length;
    const [addedCount, removedCount] = change === 'add' ? [changedCount, 0] : [0, changedCount];
    await tryToNoteWritten(held, addedCount, { atMs: clock.now(), count: removedCount, sizeBefore: actualCount });
    const sent = written.filter(({ target }) => !unsent.has(target.key));
    return { results: sent.map((each) => changeResult(change, each)), outage: refusal ?? outageOf(sent) };
  }

  return {
    write: async (change, changes, survey, held, budget) => {
      const results: ChangeResult[] = [];
      const { batchSize } = memberWriters.of(survey.group);
      const isOver = () => results.length >= budget || held.call.deadline.remainingMs() < minBatchMs;
      const stopped = (fault: Fault | null): Written => {
        const come = new Set(results.map(({ change: each }) => each));
        return { results, left: changes.filter((each) => !come.has(each)), fault };
      };
      try {
        for (let start = 0; start < changes.length; start += resolvedAtOnce) {
          if (isOver()) return stopped(null);
          const chunk = changes.slice(start, start + resolvedAtOnce);
          const { targets, others } = await resolve(change, chunk, survey, held);
          results.push(...others);
          for (let at = 0; at < targets.length; at += batchSize) {
            if (isOver()) return stopped(null);
            const { results: more, outage } = await writeBatch(change, targets.slice(at, at + batchSize), survey, held);
            results.push(...more);
            if (outage !== null) return stopped(outage);
          }
        }
      } catch (error) {
        if (!isFault(error)) throw error;
        return stopped(error);
      }
      return stopped(null);
    },
  };
}

function targetOfRemoval({ entraId, label }: PushChange): MemberTarget {
  return { ...targetOfMember({ id: entraId, userPrincipalName: null, mail: null }), label };
}

/** What passes by itself is done later; the rest wants a person. */
function typeOf(code: FaultCode): 'later' | 'refused' {
  return faultTable[code].retryable ? 'later' : 'refused';
}

function changeResult(
  change: MemberChange,
  { change: each, result }: KnownChange & { readonly result: MemberResult },
): ChangeResult {
  const type = result.type === 'settled' ? 'done' : typeOf(result.code);
  return { direction: change, change: each, type, row: rowOfResult(each.label, change, result) };
}

function notSent({ code, message, retryAfterSeconds }: Fault): MemberResult {
  return { type: 'failed', code, message, retryAfterSeconds };
}

/** What is no matter of single members. */
const ofOne: readonly FaultCode[] = ['no_mailbox', 'not_replicated'];

/** Nobody of a batch got through, for a reason that holds for the next one as well. */
function outageOf(written: readonly { readonly result: MemberResult }[]): Fault | null {
  const failed = written.flatMap(({ result }) =>
    result.type !== 'settled' && typeOf(result.code) === 'later' && !ofOne.includes(result.code) ? [result] : [],
  );
  const [first] = failed;
  if (first === undefined || failed.length < written.length) return null;
  return new Fault(first.code, {
    detail: first.message,
    fix: 'It is tried again by itself.',
    retryAfterSeconds: Math.max(0, ...failed.map(({ retryAfterSeconds }) => retryAfterSeconds ?? 0)),
  });
}

import type { Call } from '../../call.ts';
import type { Clock } from '../../clock.ts';
import { isFault } from '../../errors.ts';
import type { MemberChange } from '../../exchange/members.ts';
import type { GraphGroups } from '../../graph/groups.ts';
import { type ProtectionLists, refuseUnmanageable } from '../blockers.ts';
import { warnOfOpenList } from './deliveryRestriction.ts';
import { type Group, labelOf, lockIdOf } from '../group.ts';
import { type GroupLock, tryToNoteWritten } from '../groupLock.ts';
import type { GroupKind } from '../kinds.ts';
import { warnOfNotes } from '../linkability.ts';
import { failedRow, type MemberRow, type MembershipSummary, plannedRow, settledRow, summarize } from './memberRows.ts';
import type { MemberTarget } from './memberTarget.ts';
import type { MemberTargets, TargetResolution } from './memberTargets.ts';
import type { MemberResult, MemberWrites } from './memberWrites.ts';
import type { GroupResolver } from '../resolve.ts';

export interface Membership {
  /**
   * Ensures that each of `members` is, or is not, a member of the group; one row each, in the order given. Being (no)
   * member already is success. What time does not suffice for is `not_attempted`, never left out.
   * @throws Fault of resolving or refusing the group, `group_busy`, and of an upstream that failed before anything was
   *   written
   */
  change(
    change: MemberChange,
    group: string,
    members: readonly string[],
    isDryRun: boolean,
    call: Call,
  ): Promise<MembershipSummary>;
  /** The same for a group that the caller has resolved and checked. */
  changeResolved(
    change: MemberChange,
    group: Group,
    members: readonly string[],
    isDryRun: boolean,
    call: Call,
  ): Promise<MembershipSummary>;
  /** What adding these to a group that does not exist yet would come to. */
  planForNewGroup(kind: GroupKind, members: readonly string[], call: Call): Promise<readonly MemberRow[]>;
}

export interface MembershipDependencies {
  readonly groups: GroupResolver;
  readonly graphGroups: GraphGroups;
  readonly groupLock: GroupLock;
  readonly memberTargets: MemberTargets;
  readonly memberWrites: MemberWrites;
  readonly protection: ProtectionLists;
  readonly clock: Clock;
}

/** Resolved and written together, so that a request that runs out of time has done something and says what. */
const chunkSize = 50;
/** For others who add and remove single members and will be done soon. */
const patienceMs = 10_000;

export function createMembership(dependencies: MembershipDependencies): Membership {
  const { groups, graphGroups, groupLock, memberTargets, memberWrites, protection, clock } = dependencies;

  async function changeAll(
    change: MemberChange,
    group: Group,
    members: readonly string[],
    isDryRun: boolean,
    call: Call,
  ): Promise<MembershipSummary> {
    const rows: MemberRow[] = [];
    const seen = new Set<string>();
    for (let start = 0; start < members.length; start += chunkSize) {
      const chunk = members.slice(start, start + chunkSize);
      try {
        rows.push(...(await changeChunk(change, group, chunk, seen, isDryRun, call)));
      } catch (error) {
        // Once something may have been written, what stops us is told row by row: the rows so far must not be lost.
        if (start === 0 || !isFault(error)) throw error;
        const left = members.slice(start);
        rows.push(...left.map((member) => failedRow(member, 'not_attempted', error)));
        break;
      }
    }
    return summarize(rows, labelOf(group), isDryRun);
  }

  async function changeChunk(
    change: MemberChange,
    group: Group,
    members: readonly string[],
    seen: Set<string>,
    isDryRun: boolean,
    call: Call,
  ): Promise<MemberRow[]> {
    const resolutions = await memberTargets.resolve(group.kind, change, members, call);
    const found = resolutions.flatMap((each) => (each.type === 'found' ? [each.target] : []));
    const targets = new Map(found.map((target) => [target.key, target]));
    const unseen = [...targets.values()].filter(({ key }) => !seen.has(key));
    if (isDryRun) {
      const actual = await membersAmong(unseen, group, call);
      // Without an Entra id Graph cannot show it: say that it would be written.
      const isNeeded = (key: string) => targets.get(key)?.id == null || actual.has(key) === (change === 'remove');
      return rowsOf(change, members, resolutions, seen, (member, key) => plannedRow(member, change, isNeeded(key)));
    }
    const results =
      unseen.length === 0 ? new Map<string, MemberResult>() : await memberWrites.ensure(change, group, unseen, call);
    return rowsOf(change, members, resolutions, seen, (member, key) => resultRow(member, change, results.get(key)));
  }

  /** The keys of those targets that Graph shows as members now. */
  async function membersAmong(targets: readonly MemberTarget[], group: Group, call: Call): Promise<Set<string>> {
    const wanted = new Map(targets.flatMap(({ id, key }) => (id === null ? [] : [[id.toLowerCase(), key]])));
    const found = new Set<string>();
    if (group.id === null || wanted.size === 0) return found;
    for await (const page of graphGroups.memberPages(group.id, { addresses: false }, call)) {
      for (const { id } of page) {
        const key = wanted.get(id.toLowerCase());
        if (key !== undefined) found.add(key);
      }
      if (found.size === wanted.size) break;
    }
    return found;
  }

  async function changeResolved(
    change: MemberChange,
    group: Group,
    members: readonly string[],
    isDryRun: boolean,
    call: Call,
  ): Promise<MembershipSummary> {
    if (isDryRun) return changeAll(change, group, members, isDryRun, call);
    const hold = await groupLock.hold(lockIdOf(group), { waitMs: patienceMs }, call, async (held) => {
      const summary = await changeAll(change, group, members, isDryRun, held.call);
      const { addedCount, removedCount } = summary;
      await tryToNoteWritten(held, addedCount, { atMs: clock.now(), count: removedCount, sizeBefore: null });
      return summary;
    });
    if (hold.type === 'running') throw new TypeError('only a request with a fingerprint is answered with an operation');
    if (hold.result.addedCount > 0) await warnOfOpenList(group, graphGroups, call);
    return hold.result;
  }

  return {
    changeResolved,

    change: async (change, identity, members, isDryRun, call) => {
      const group = await groups.resolveForWrite(identity, call);
      refuseUnmanageable(group, protection);
      const summary = await changeResolved(change, group, members, isDryRun, call);
      if (summary.outcome !== 'unchanged') warnOfNotes(group, call);
      return summary;
    },

    planForNewGroup: async (kind, members, call) => {
      const resolutions = await memberTargets.resolve(kind, 'add', members, call);
      return rowsOf('add', members, resolutions, new Set(), (member) => plannedRow(member, 'add', true));
    },
  };
}

/**
 * One row a member. Who is named twice is changed once; the second row says that nothing was left to do, or what the
 * first one says when that failed.
 */
function rowsOf(
  change: MemberChange,
  members: readonly string[],
  resolutions: readonly TargetResolution[],
  seen: Set<string>,
  rowOf: (member: string, key: string) => MemberRow,
): MemberRow[] {
  return members.map((member, index) => {
    const resolution = resolutions[index];
    if (resolution === undefined) throw new RangeError('a member without its resolution');
    if (resolution.type === 'found') {
      const { key } = resolution.target;
      if (seen.has(key)) return settledRow(member, change, false);
      const row = rowOf(member, key);
      // Only what is settled makes a later row of the same recipient a repetition.
      if (row.code === row.outcome) seen.add(key);
      return row;
    }
    // Who is no recipient cannot be a member: for a removal that is the state asked for.
    if (change === 'remove' && resolution.type === 'not_ready') return settledRow(member, change, false);
    return failedRow(member, resolution.type, resolution);
  });
}

function resultRow(member: string, change: MemberChange, result: MemberResult | undefined): MemberRow {
  if (result === undefined) throw new RangeError('a member without its result');
  if (result.type === 'settled') return settledRow(member, change, result.wasChanged);
  return failedRow(member, result.type, result);
}

import type { Call } from '../call.ts';
import { isFault } from '../errors.ts';
import type { MemberChange } from '../exchange/members.ts';
import { type ProtectionLists, refuseUnmanageable } from './blockers.ts';
import { type Group, labelOf } from './group.ts';
import { requireExchangeKind } from './kinds.ts';
import { failedRow, type MemberRow, type MembershipSummary, plannedRow, settledRow, summarize } from './memberRows.ts';
import { judgeAsMember, type MemberResolution, type MemberResolver } from './members.ts';
import { keyOf, type MemberResult, type MemberWrites } from './memberWrites.ts';
import type { GroupResolver } from './resolve.ts';

export interface Membership {
  /**
   * Ensures that each of `members` is, or is not, a member of the group; one row each, in the order given. Being (no)
   * member already is success. What time does not suffice for is `not_attempted`, never left out.
   * @throws Fault of resolving or refusing the group, and of an upstream that failed before anything was written
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
  planForNewGroup(members: readonly string[], call: Call): Promise<readonly MemberRow[]>;
}

export interface MembershipDependencies {
  readonly groups: GroupResolver;
  readonly memberResolver: MemberResolver;
  readonly memberWrites: MemberWrites;
  readonly protection: ProtectionLists;
}

/** Resolved and written together, so that a request that runs out of time has done something and says what. */
const chunkSize = 50;

export function createMembership(dependencies: MembershipDependencies): Membership {
  const { groups, memberResolver, memberWrites, protection } = dependencies;

  async function resolve(
    change: MemberChange,
    members: readonly string[],
    call: Call,
  ): Promise<readonly MemberResolution[]> {
    const resolutions = await memberResolver.resolve(members, call);
    // Whatever has come to be a member may be removed.
    return change === 'add' ? resolutions.map(judgeAsMember) : resolutions;
  }

  async function changeResolved(
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
    const resolutions = await resolve(change, members, call);
    const found = resolutions.flatMap((each) => (each.type === 'found' ? [each.recipient] : []));
    const recipients = new Map(found.map((recipient) => [keyOf(recipient), recipient]));
    const unseen = [...recipients.values()].filter((recipient) => !seen.has(keyOf(recipient)));
    if (isDryRun) {
      const actual = await memberWrites.membersAmong(unseen, group, call);
      // Without an Entra id Graph cannot show it: say that it would be written.
      const isNeeded = (key: string) => recipients.get(key)?.id == null || actual.has(key) === (change === 'remove');
      return rowsOf(change, members, resolutions, seen, (member, key) => plannedRow(member, change, isNeeded(key)));
    }
    const results =
      unseen.length === 0 ? new Map<string, MemberResult>() : await memberWrites.ensure(change, group, unseen, call);
    return rowsOf(change, members, resolutions, seen, (member, key) => resultRow(member, change, results.get(key)));
  }

  return {
    changeResolved,

    change: async (change, identity, members, isDryRun, call) => {
      const group = await groups.resolveForWrite(identity, call);
      requireExchangeKind(group);
      refuseUnmanageable(group, protection);
      return changeResolved(change, group, members, isDryRun, call);
    },

    planForNewGroup: async (members, call) => {
      const resolutions = await resolve('add', members, call);
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
  resolutions: readonly MemberResolution[],
  seen: Set<string>,
  rowOf: (member: string, key: string) => MemberRow,
): MemberRow[] {
  return members.map((member, index) => {
    const resolution = resolutions[index];
    if (resolution === undefined) throw new RangeError('a member without its resolution');
    if (resolution.type === 'found') {
      const key = keyOf(resolution.recipient);
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

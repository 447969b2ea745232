import type { Call } from '../call.ts';
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
    const resolutions = await resolve(change, members, call);
    const found = resolutions.flatMap((each) => (each.type === 'found' ? [each.recipient] : []));
    const recipients = [...new Map(found.map((recipient) => [keyOf(recipient), recipient])).values()];
    if (isDryRun) {
      const actual = await memberWrites.membersAmong(recipients, group, call);
      const isNeeded = (key: string) => actual.has(key) === (change === 'remove');
      const rows = rowsOf(change, members, resolutions, (member, key) => plannedRow(member, change, isNeeded(key)));
      return summarize(rows, labelOf(group), true);
    }
    const results = await memberWrites.ensure(change, group, recipients, call);
    const rows = rowsOf(change, members, resolutions, (member, key) => resultRow(member, change, results.get(key)));
    return summarize(rows, labelOf(group), false);
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
      return rowsOf('add', members, resolutions, (member) => plannedRow(member, 'add', true));
    },
  };
}

/** One row a member. Who is named twice is changed once; the second row finds the state as asked for. */
function rowsOf(
  change: MemberChange,
  members: readonly string[],
  resolutions: readonly MemberResolution[],
  rowOf: (member: string, key: string) => MemberRow,
): MemberRow[] {
  const seen = new Set<string>();
  return members.map((member, index) => {
    const resolution = resolutions[index];
    if (resolution === undefined) throw new RangeError('a member without its resolution');
    if (resolution.type === 'found') {
      const key = keyOf(resolution.recipient);
      const row = rowOf(member, key);
      const isRepeated = seen.has(key);
      seen.add(key);
      return isRepeated && row.code === row.outcome ? settledRow(member, change, false) : row;
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

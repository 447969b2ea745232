import type { Call } from '../../call.ts';
import { type Fault, type FaultCode, faultTable, isFault } from '../../errors.ts';
import type { GraphGroups } from '../../graph/groups.ts';
import type { Group } from '../group.ts';
import type { MemberRow } from '../membership/memberRows.ts';
import type { Membership } from '../membership/membership.ts';
import { mayPass } from './restoreGroupOwners.ts';
import { lostRow, type RestoreRow } from './restorePlan.ts';
import type { RestoreProgress, Snapshot, SnapshotMember } from '../deletion/snapshot.ts';
import type { Snapshots } from '../deletion/snapshots.ts';

export interface MembersRestored {
  readonly progress: RestoreProgress;
  /** Of members that did not come back. */
  readonly rows: readonly RestoreRow[];
  readonly changed: boolean;
  /** What stopped it before the end; null when time was up, or nothing did. */
  readonly fault: Fault | null;
}

export interface MemberRestorer {
  /** Adds the members of the snapshot that are not done yet, page by page, until all are or time is up. */
  restore(
    snapshot: Snapshot,
    group: Group,
    progress: RestoreProgress,
    isNew: boolean,
    call: Call,
  ): Promise<MembersRestored>;
}

/** Members of one change, each with the same hold of the group. */
const chunkSize = 200;
/** Less time than this is not enough for a chunk to begin. */
const minChunkMs = 2_000;

export function createMemberRestorer(dependencies: {
  snapshots: Snapshots;
  membership: Membership;
  graphGroups: GraphGroups;
}): MemberRestorer {
  const { snapshots, membership, graphGroups } = dependencies;

  /** Ids of those who are members already: nobody is in a group that was created a moment ago. */
  async function presentIn(group: Group, isNew: boolean, call: Call): Promise<ReadonlySet<string>> {
    const present = new Set<string>();
    if (isNew || group.id === null) return present;
    for await (const page of graphGroups.memberPages(group.id, { addresses: false }, call)) {
      for (const { id } of page) present.add(id.toLowerCase());
    }
    return present;
  }

  return {
    restore: async (snapshot, group, start, isNew, call) => {
      const rows: RestoreRow[] = [];
      let progress = start;
      let changed = false;

      /** Adds some and notes what became of them; whether there is time for more. */
      async function add(members: readonly SnapshotMember[]): Promise<boolean> {
        if (members.length === 0) return true;
        const ids = members.map(({ id }) => id);
        const summary = await membership.changeResolved('add', group, ids, false, call);
        changed ||= summary.changed;
        const open: SnapshotMember[] = [];
        for (const [index, member] of members.entries()) {
          const row = summary.results[index];
          if (row === undefined) throw new RangeError('a member without its row');
          if (isIn(row)) progress = { ...progress, restoredMemberCount: progress.restoredMemberCount + 1 };
          else if (isOpen(row)) open.push(member);
          else {
            rows.push(memberRow(member, row));
            progress = { ...progress, lostMemberCount: progress.lostMemberCount + 1 };
          }
        }
        progress = { ...progress, openMembers: [...progress.openMembers, ...open] };
        return open.length === 0;
      }

      async function addPages(): Promise<void> {
        const isBegun = progress.memberPage > 1 || progress.memberIndex > 0;
        const present = isBegun ? new Set<string>() : await presentIn(group, isNew, call);
        while (progress.memberPage <= snapshot.memberPages) {
          const page = await snapshots.readMembers(snapshot.deletionId, progress.memberPage, call);
          while (progress.memberIndex < page.length) {
            if (call.deadline.remainingMs() < minChunkMs) return;
            const chunk = page.slice(progress.memberIndex, progress.memberIndex + chunkSize);
            const absent = chunk.filter(({ id }) => !present.has(id.toLowerCase()));
            const isDone = await add(absent);
            const restoredMemberCount = progress.restoredMemberCount + chunk.length - absent.length;
            progress = { ...progress, memberIndex: progress.memberIndex + chunk.length, restoredMemberCount };
            if (!isDone) return;
          }
          progress = { ...progress, memberPage: progress.memberPage + 1, memberIndex: 0 };
        }
      }

      let fault: Fault | null = null;
      try {
        const open = progress.openMembers;
        for (let at = 0; at < open.length; at += chunkSize) {
          const chunk = open.slice(at, at + chunkSize);
          progress = { ...progress, openMembers: progress.openMembers.slice(chunk.length) };
          try {
            await add(chunk);
          } catch (error) {
            progress = { ...progress, openMembers: [...progress.openMembers, ...chunk] };
            throw error;
          }
        }
        await addPages();
      } catch (error) {
        if (!isFault(error)) throw error;
        fault = error;
      }
      const areMembersDone = progress.memberPage > snapshot.memberPages && progress.openMembers.length === 0;
      return { progress: { ...progress, areMembersDone }, rows, changed, fault };
    },
  };
}

function isIn({ outcome }: MemberRow): boolean {
  return outcome === 'added' || outcome === 'already_member';
}

/** Whether another try may succeed soon. */
function isOpen({ code }: MemberRow): boolean {
  return Object.hasOwn(faultTable, code) && mayPass(code as FaultCode);
}

function memberRow(member: SnapshotMember, { code, message }: MemberRow): RestoreRow {
  const item = member.address ?? member.userPrincipalName ?? member.displayName ?? member.id;
  return lostRow('member', item, { code: code as FaultCode, message });
}

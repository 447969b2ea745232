import { afterEach, describe, expect, test } from '@jest/globals';
import { Fault, type FaultCode } from '../../shared/errors.ts';
import type { GraphGroups } from '../../shared/graph/groups.ts';
import type { Group } from '../../shared/groups/group.ts';
import { failedRow, type MemberRow, settledRow, summarize } from '../../shared/groups/membership/memberRows.ts';
import type { Membership } from '../../shared/groups/membership/membership.ts';
import { createMemberRestorer, type MembersRestored } from '../../shared/groups/restore/restoreGroupMembers.ts';
import type { RestoreProgress, Snapshot, SnapshotMember } from '../../shared/groups/deletion/snapshot.ts';
import type { Snapshots } from '../../shared/groups/deletion/snapshots.ts';
import { createFakeClock } from '../support/fakeClock.ts';
import { testCall, type TestCall } from '../support/rooms.ts';

const group = { id: 'the-group', exchange: null, displayName: 'Crowd' } as unknown as Group;
const start: RestoreProgress = {
  groupId: 'the-group',
  memberPage: 1,
  memberIndex: 0,
  openMembers: [],
  areMembersDone: false,
  restoredMemberCount: 0,
  lostMemberCount: 0,
};
const memberOf = (id: string): SnapshotMember => ({
  id,
  type: 'user',
  displayName: null,
  address: null,
  userPrincipalName: null,
});

interface Bench {
  /** Ids of each change that was asked for. */
  changes: string[][];
  /** What becomes of who is not simply added. */
  fates: Map<string, FaultCode>;
  /** Who is in the group already. */
  present: string[];
  /** Thrown by the next change. */
  failure: Fault | null;
  call: TestCall;
  restore(progress?: RestoreProgress, isNew?: boolean): Promise<MembersRestored>;
}

const calls: TestCall[] = [];
afterEach(() => {
  for (const call of calls.splice(0)) call.end();
});

/** @param msPerChange how long each change takes, of 20 s in all */
function setUp(pages: readonly (readonly string[])[], msPerChange = 0): Bench {
  const clock = createFakeClock();
  const call = testCall({ clock });
  calls.push(call);
  const bench: Bench = {
    changes: [],
    fates: new Map(),
    present: [],
    failure: null,
    call,
    restore: (progress = start, isNew = true) =>
      restorer.restore({ deletionId: 'x', memberPages: pages.length } as Snapshot, group, progress, isNew, call),
  };
  const rowOf = (member: string): MemberRow => {
    const code = bench.fates.get(member);
    if (code === undefined) return settledRow(member, 'add', true);
    return failedRow(member, code === 'not_attempted' ? code : 'failed', { code, message: 'No.' });
  };
  const restorer = createMemberRestorer({
    snapshots: {
      readMembers: (_id: string, page: number) => Promise.resolve((pages[page - 1] ?? []).map(memberOf)),
    } as unknown as Snapshots,
    membership: {
      changeResolved: (_change: unknown, _group: unknown, ids: readonly string[]) => {
        bench.changes.push([...ids]);
        clock.advance(msPerChange);
        const { failure } = bench;
        bench.failure = null;
        return failure === null ? Promise.resolve(summarize(ids.map(rowOf), 'Crowd', false)) : Promise.reject(failure);
      },
    } as unknown as Membership,
    graphGroups: {
      // eslint-disable-next-line @typescript-eslint/require-await -- a generator of what is there already
      memberPages: async function* () {
        yield bench.present.map(memberOf);
      },
    } as unknown as GraphGroups,
  });
  return bench;
}

const many = (count: number, name: string): string[] => Array.from({ length: count }, (_, index) => `${name}${index}`);

describe('members that come back', () => {
  test('are all added, page by page, each once', async () => {
    const pages = [many(450, 'a'), many(30, 'b')];
    const bench = setUp(pages);
    const { progress, rows, changed, fault } = await bench.restore();
    expect(bench.changes.flat()).toEqual(pages.flat());
    expect(progress).toMatchObject({ areMembersDone: true, restoredMemberCount: 480, lostMemberCount: 0 });
    expect([rows, changed, fault]).toEqual([[], true, null]);
  });

  test('are not asked for where the group has them already, in whatever case', async () => {
    const bench = setUp([['A', 'b', 'c']]);
    bench.present = ['a', 'C'];
    const { progress } = await bench.restore(start, false);
    expect(bench.changes).toEqual([['b']]);
    expect(progress).toMatchObject({ areMembersDone: true, restoredMemberCount: 3 });
  });

  test('are as many as time suffices for; the next try goes on from there', async () => {
    const bench = setUp([many(1_000, 'a')], 7_000);
    const { progress, fault } = await bench.restore();
    expect(fault).toBeNull();
    expect(progress).toMatchObject({ areMembersDone: false, memberIndex: 600, restoredMemberCount: 600 });
    const next = setUp([many(1_000, 'a')]);
    expect((await next.restore(progress, false)).progress).toMatchObject({
      areMembersDone: true,
      restoredMemberCount: 1_000,
    });
    expect(next.changes.flat()[0]).toBe('a600');
  });
});

describe('members that do not come back', () => {
  test('are told with the reason, and not tried again', async () => {
    const bench = setUp([['a', 'gone', 'nobox', 'b']]);
    bench.fates.set('gone', 'member_not_found').set('nobox', 'no_mailbox');
    const { progress, rows } = await bench.restore();
    expect(progress).toMatchObject({ areMembersDone: true, restoredMemberCount: 2, lostMemberCount: 2 });
    expect(rows).toMatchObject([
      { kind: 'member', item: 'gone', outcome: 'not_restored', code: 'member_not_found', message: 'No.' },
      { kind: 'member', item: 'nobox', code: 'no_mailbox' },
    ]);
  });

  test('in this try but perhaps later are tried again first, and the list is gone on with', async () => {
    const pages = [many(250, 'a')];
    const bench = setUp(pages);
    bench.fates.set('a3', 'throttled').set('a7', 'not_attempted');
    const first = await bench.restore();
    expect(first.rows).toEqual([]);
    expect(first.progress).toMatchObject({ areMembersDone: false, restoredMemberCount: 198, memberIndex: 200 });
    expect(first.progress.openMembers.map(({ id }) => id)).toEqual(['a3', 'a7']);

    const again = setUp(pages);
    const { progress } = await again.restore(first.progress, false);
    expect(again.changes).toEqual([['a3', 'a7'], many(250, 'a').slice(200)]);
    expect(progress).toMatchObject({ areMembersDone: true, restoredMemberCount: 250, openMembers: [] });
  });

  test('because a whole change failed are where they were: nothing is lost or counted', async () => {
    const bench = setUp([['a', 'b']]);
    bench.failure = new Fault('throttled', { detail: 'Slow down.', fix: 'Wait.' });
    const { progress, fault } = await bench.restore({ ...start, openMembers: [memberOf('z')] });
    expect(fault).toMatchObject({ code: 'throttled' });
    expect(progress).toMatchObject({ memberIndex: 0, restoredMemberCount: 0, areMembersDone: false });
    expect(progress.openMembers.map(({ id }) => id)).toEqual(['z']);
    const { progress: done } = await bench.restore(progress);
    expect(done).toMatchObject({ areMembersDone: true, restoredMemberCount: 3 });
  });

  test('because of a defect of ours end the request', async () => {
    const bench = setUp([['a']]);
    bench.failure = new TypeError('ours') as unknown as Fault;
    await expect(bench.restore()).rejects.toThrow('ours');
  });
});

import { afterEach, describe, expect, test } from '@jest/globals';
import { readConfig } from '../../shared/config.ts';
import { Fault } from '../../shared/errors.ts';
import { GraphFault } from '../../shared/graph/errors.ts';
import type { GraphGroup, GraphGroups, GraphMember } from '../../shared/graph/groups.ts';
import type { Recipients } from '../../shared/exchange/recipients.ts';
import { groupInGraph } from '../../shared/groups/group.ts';
import { newDeletionId } from '../../shared/groups/deletion/snapshot.ts';
import { createSnapshots, type Snapshots } from '../../shared/groups/deletion/snapshots.ts';
import { createSnapshotTaker, type SnapshotTaker } from '../../shared/groups/deletion/snapshotTaker.ts';
import { memoryBlobs } from '../support/memoryBlobs.ts';
import { createFakeClock, type FakeClock } from '../support/fakeClock.ts';
import { testCall, type TestCall } from '../support/rooms.ts';
import { plainGraphGroup } from '../support/groupSamples.ts';

const minuteMs = 60_000;
const dayMs = 24 * 60 * minuteMs;
const groupId = '0a0a0a0a-0000-4000-8000-000000000001';
const graphGroup: GraphGroup = {
  ...plainGraphGroup,
  id: groupId,
  displayName: 'Crowd',
  mailNickname: 'crowd',
};
const group = groupInGraph(graphGroup);

const member = (id: string): GraphMember => ({
  id,
  type: 'user',
  displayName: null,
  userPrincipalName: `${id}@contoso.com`,
  mail: null,
  addresses: [],
});

interface Bench {
  clock: FakeClock;
  snapshots: Snapshots;
  taker: SnapshotTaker;
  stored: Map<string, unknown>;
  /** Where each page was read from. */
  reads: (string | null)[];
  /** What the next read of this place throws. */
  failures: Map<string | null, Error>;
  call: TestCall;
}

const calls: TestCall[] = [];
afterEach(() => {
  for (const call of calls.splice(0)) call.end();
});

/** A group with three pages of members: `/1` and `/2` follow the first. */
function setUp(retentionDays = 90): Bench {
  const clock = createFakeClock();
  const blobs = memoryBlobs();
  const reads: (string | null)[] = [];
  const failures = new Map<string | null, Error>();
  const following = new Map<string | null, string | null>([
    [null, '/1'],
    ['/1', '/2'],
    ['/2', null],
  ]);
  const graphGroups = {
    members: (_id: string, { from }: { from: string | null }) => {
      reads.push(from);
      const failure = failures.get(from);
      failures.delete(from);
      if (failure) return Promise.reject(failure);
      return Promise.resolve({ members: [member(`of${from ?? '/0'}`)], nextPath: following.get(from) ?? null });
    },
    owners: () => Promise.resolve([member('chief')]),
  } as unknown as GraphGroups;
  const recipients = { lookUpEntries: () => Promise.resolve([]) } as unknown as Recipients;
  const snapshots = createSnapshots({ blobs, clock, retentionDays });
  const call = testCall();
  calls.push(call);
  const taker = createSnapshotTaker({ snapshots, recipients, graphGroups, clock });
  return { clock, snapshots, taker, stored: blobs.stored, reads, failures, call };
}

const timeIsUp = () => new Fault('deadline_exceeded', { detail: 'Too late.', fix: 'Repeat.', upstream: 'graph' });

describe('a snapshot', () => {
  test('holds the members page by page, whoever owns the group, and nothing of them in itself', async () => {
    const { taker, snapshots, call, stored } = setUp();
    const snapshot = await taker.take(group, call);
    expect(snapshot).toMatchObject({ state: 'sent', memberCount: 3, memberPages: 3, owners: [{ id: 'chief' }] });
    expect(JSON.stringify(snapshot)).not.toContain('of/1');
    expect(await snapshots.readMembers(snapshot.deletionId, 2, call)).toEqual([
      { id: 'of/1', type: 'user', displayName: null, address: null, userPrincipalName: 'of/1@contoso.com' },
    ]);
    expect([...stored.keys()].filter((name) => name.includes('/members/'))).toEqual(
      [1, 2, 3].map((page) => `snapshots/members/${snapshot.deletionId}/00000${page}.json`),
    );
  });

  test('cannot be restored before it is sealed, nor after it was withdrawn', async () => {
    const { taker, snapshots, call } = setUp();
    const snapshot = await taker.take(group, call);
    expect(await snapshots.find(snapshot.deletionId, call)).toBeNull();
    await taker.seal(snapshot, call);
    expect(await snapshots.get(snapshot.deletionId, call)).toEqual(snapshot);
    await taker.withdraw(snapshot, call);
    await expect(snapshots.get(snapshot.deletionId, call)).rejects.toMatchObject({ code: 'snapshot_not_found' });
  });

  test('of another version is not read', async () => {
    const { taker, snapshots, call, stored } = setUp();
    const snapshot = await taker.take(group, call);
    await taker.seal(snapshot, call);
    stored.set(`snapshots/groups/${snapshot.deletionId}.json`, { ...snapshot, version: 2 });
    await expect(snapshots.get(snapshot.deletionId, call)).rejects.toMatchObject({ code: 'snapshot_not_found' });
  });

  test('that lacks a page is not restored in part', async () => {
    const { taker, snapshots, call } = setUp();
    const { deletionId } = await taker.take(group, call);
    await expect(snapshots.readMembers(deletionId, 4, call)).rejects.toMatchObject({ code: 'snapshot_not_found' });
  });

  test('is not taken of a group without an Entra id', async () => {
    const { taker, call } = setUp();
    await expect(taker.take({ ...group, id: null }, call)).rejects.toMatchObject({ code: 'group_not_ready' });
  });
});

describe('a snapshot that time did not suffice for', () => {
  test('says that nothing was deleted and what to do', async () => {
    const { taker, call, failures } = setUp();
    failures.set('/1', timeIsUp());
    await expect(taker.take(group, call)).rejects.toMatchObject({
      code: 'deadline_exceeded',
      message: expect.stringContaining('nothing was deleted'),
      fix: expect.stringContaining('within ten minutes'),
      upstream: 'graph',
    });
  });

  test('is gone on with by a repeat within ten minutes', async () => {
    const { taker, call, failures, reads, clock } = setUp();
    failures.set('/2', timeIsUp());
    await expect(taker.take(group, call)).rejects.toThrow();
    clock.advance(9 * minuteMs);
    const snapshot = await taker.take(group, call);
    expect(snapshot).toMatchObject({ memberCount: 3, memberPages: 3 });
    expect(reads).toEqual([null, '/1', '/2', '/2']);
  });

  test('begins anew after that, and leaves nothing of the old one behind', async () => {
    const { taker, call, failures, reads, clock, stored } = setUp();
    failures.set('/1', timeIsUp());
    await expect(taker.take(group, call)).rejects.toThrow();
    clock.advance(11 * minuteMs);
    const snapshot = await taker.take(group, call);
    expect(reads).toEqual([null, '/1', null, '/1', '/2']);
    await taker.seal(snapshot, call);
    await taker.close(snapshot, call);
    expect([...stored.keys()].every((name) => name.includes(snapshot.deletionId))).toBe(true);
  });

  test('begins anew when Graph does not know any more where it was', async () => {
    const { taker, call, failures, reads } = setUp();
    failures.set('/1', timeIsUp());
    await expect(taker.take(group, call)).rejects.toThrow();
    failures.set('/1', new GraphFault('rejected', null, 'upstream_rejected', { detail: 'No such page.', fix: '' }));
    expect(await taker.take(group, call)).toMatchObject({ memberCount: 3 });
    expect(reads).toEqual([null, '/1', '/1', null, '/1', '/2']);
  });

  test('for the deletion alone is taken up with all its members', async () => {
    const { taker, call, reads } = setUp();
    const first = await taker.take(group, call);
    const second = await taker.take(group, call);
    expect(second.deletionId).toBe(first.deletionId);
    expect(reads).toHaveLength(3);
  });

  test('fails as it fails where it is no matter of time', async () => {
    const { taker, call, failures } = setUp();
    failures.set(null, new GraphFault('forbidden', null, 'graph_permission_missing', { detail: 'No.', fix: '' }));
    await expect(taker.take(group, call)).rejects.toMatchObject({ code: 'graph_permission_missing' });
  });
});

describe('snapshots that are too old', () => {
  async function deleted({ taker, call }: Bench): Promise<string> {
    const snapshot = await taker.take(group, call);
    await taker.seal(snapshot, call);
    await taker.close(snapshot, call);
    return snapshot.deletionId;
  }

  test('are found no more, listed no more, and removed by the sweep with all their pages', async () => {
    const bench = setUp(30);
    const { snapshots, call, clock, stored } = bench;
    const old = await deleted(bench);
    clock.advance(20 * dayMs);
    const young = await deleted(bench);
    clock.advance(10 * dayMs + 1);

    await expect(snapshots.get(old, call)).rejects.toMatchObject({ code: 'snapshot_not_found' });
    const listed = await snapshots.list({ limit: 10, after: null }, call);
    expect(listed.snapshots.map(({ deletionId }) => deletionId)).toEqual([young]);
    expect(await snapshots.removeExpired(call)).toEqual({ removedCount: 1, isDone: true });
    expect([...stored.keys()].filter((name) => name.includes(old))).toEqual([]);
    expect(await snapshots.get(young, call)).toMatchObject({ deletionId: young });
    expect(await snapshots.removeExpired(call)).toEqual({ removedCount: 0, isDone: true });
  });

  test('can be restored until the very day that the reply of the deletion names', async () => {
    const bench = setUp(30);
    const { snapshots, call, clock } = bench;
    const deletionId = await deleted(bench);
    const untilMs = Date.parse(snapshots.restorableUntil({ deletionId }));
    clock.advance(untilMs - clock.now() - 1);
    expect(await snapshots.get(deletionId, call)).toMatchObject({ deletionId });
    clock.advance(2);
    await expect(snapshots.get(deletionId, call)).rejects.toMatchObject({ code: 'snapshot_not_found' });
  });

  test('and what interrupted deletions have left goes after a day', async () => {
    const { taker, snapshots, call, failures, clock, stored } = setUp();
    failures.set('/2', timeIsUp());
    await expect(taker.take(group, call)).rejects.toThrow();
    expect(await snapshots.removeExpired(call)).toMatchObject({ isDone: true });
    expect(stored.size).toBe(3);
    clock.advance(dayMs + 1);
    expect(await snapshots.removeExpired(call)).toMatchObject({ isDone: true });
    expect([...stored.keys()]).toEqual([]);
  });

  test('but not the snapshot of a deletion whose outcome is not known', async () => {
    const { taker, snapshots, call, clock } = setUp();
    const snapshot = await taker.take(group, call);
    await taker.seal(snapshot, call);
    clock.advance(2 * dayMs);
    await snapshots.removeExpired(call);
    expect(await snapshots.get(snapshot.deletionId, call)).toEqual(snapshot);
    expect(await snapshots.readMembers(snapshot.deletionId, 1, call)).toHaveLength(1);
  });

  test('are left to the next sweep when its time is over', async () => {
    const { clock } = setUp();
    const failing = { ...memoryBlobs(), list: () => Promise.reject(timeIsUp()) };
    const snapshots = createSnapshots({ blobs: failing, clock, retentionDays: 90 });
    const short = testCall({ times: { totalMs: 2, proofMs: 1 } });
    calls.push(short);
    await expect(snapshots.removeExpired(testCallThatLasts())).rejects.toMatchObject({ code: 'deadline_exceeded' });
    await new Promise((resolve) => short.deadline.signal.addEventListener('abort', resolve));
    expect(await snapshots.removeExpired(short)).toEqual({ removedCount: 0, isDone: false });
  });
});

function testCallThatLasts(): TestCall {
  const call = testCall();
  calls.push(call);
  return call;
}

test.each([
  ['', 90],
  ['1', 1],
  ['3650', 3650],
  ['0', ['SNAPSHOT_RETENTION_DAYS']],
  ['3651', ['SNAPSHOT_RETENTION_DAYS']],
  ['a week', ['SNAPSHOT_RETENTION_DAYS']],
])('SNAPSHOT_RETENTION_DAYS of "%s" comes to %j', (value, expected) => {
  const least = { AZURE_TENANT_ID: groupId, AzureWebJobsStorage: 'UseDevelopmentStorage=true' };
  const result = readConfig({ ...least, SNAPSHOT_RETENTION_DAYS: value });
  const read = result.ok ? result.config.snapshotRetentionDays : result.fault.errors.map(({ pointer }) => pointer);
  expect(read).toEqual(expected);
});

test('a later deletion sorts first', () => {
  expect(newDeletionId(2_000) < newDeletionId(1_000)).toBe(true);
  expect(newDeletionId(1_000)).not.toBe(newDeletionId(1_000));
});

import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import type { Audit } from '../../shared/audit/audit.ts';
import { Fault } from '../../shared/errors.ts';
import { readDistributionGroup } from '../../shared/exchange/distributionGroups.ts';
import { readGraphGroup } from '../../shared/graph/groups.ts';
import { createGroupDeleter } from '../../shared/groups/deletion/deleteGroup.ts';
import { type Group, groupInExchange, groupInGraph } from '../../shared/groups/group.ts';
import { createGroupRestorer } from '../../shared/groups/restore/restoreGroup.ts';
import { createExchangeReviver } from '../../shared/groups/restore/restoreGroupInExchange.ts';
import { createGraphReviver } from '../../shared/groups/restore/restoreGroupInGraph.ts';
import { newDraft, personOf, type Snapshot, snapshotOf } from '../../shared/groups/deletion/snapshot.ts';
import { createGroupUpdater } from '../../shared/groups/update/updateGroup.ts';
import { faultOf, quickClock, type TestCall, testCall } from '../support/rooms.ts';

/** Ends that need a moment which the simulated tenant cannot be stopped at. */

const id = '00000000-0000-4000-8000-00000000000a';
const chief = '00000000-0000-4000-8000-00000000000c';
const protection = { protectedGroups: [], managedGroups: null };
const audit: Audit = {
  record: (_, __, write) => write().then(({ result }) => result),
  probe: () => Promise.resolve(),
};
const exchange = readDistributionGroup({
  Guid: id,
  ExternalDirectoryObjectId: id,
  Name: 'Crew',
  Alias: 'crew',
  PrimarySmtpAddress: 'crew@contoso.com',
  RecipientTypeDetails: 'MailUniversalDistributionGroup',
});
const graph = readGraphGroup({ id, displayName: 'Crew', mailNickname: 'crew', securityEnabled: true });
const inExchange = groupInExchange(exchange, readGraphGroup({ id, displayName: 'Crew', mailEnabled: true }));
const at = { deletedAt: '2026-01-01T00:00:00Z', requestId: 'r' };
const snapshotFor = (group: Group): Snapshot =>
  snapshotOf({ ...group, id }, newDraft(0, []), { owners: [personOf(chief, null)], named: [] }, at);
const groupLock = {
  hold: async (_: string, __: object, call: TestCall, work: (held: object) => Promise<unknown>) => ({
    type: 'held',
    result: await work({ call }),
  }),
};
const groupsOf = (group: Group) => ({ resolveForWrite: () => Promise.resolve(group) });

let call: TestCall;
beforeEach(() => {
  call = testCall();
});
afterEach(() => {
  call.end();
});

describe('a deletion', () => {
  const deleterWith = (remainingMs: number) => {
    const sent: string[] = [];
    const hurried = { ...call, deadline: { ...call.deadline, remainingMs: () => remainingMs } };
    const deleter = createGroupDeleter({
      groups: groupsOf(inExchange),
      distributionGroups: { remove: () => Promise.resolve(sent.push('remove')) },
      snapshotTaker: { take: () => Promise.resolve({ ...snapshotFor(inExchange), memberCount: 9 }) },
      groupLock,
      audit,
      protection,
    } as never);
    return { sent, run: () => deleter.delete(id, 'Crew', false, hurried) };
  };

  test('that could not be answered in time is not begun, and says what a repeat has of it', async () => {
    const { sent, run } = deleterWith(1_000);
    expect(await faultOf(run())).toMatchObject({ code: 'deadline_exceeded', message: expect.stringContaining('9') });
    expect(sent).toEqual([]);
  });

  test('of a group that a worker has is busy', async () => {
    const operation = { operationId: 'o', state: 'running', targetName: 'Crew' };
    const deleter = createGroupDeleter({
      groups: groupsOf(inExchange),
      groupLock: { hold: () => Promise.resolve({ type: 'running', operation }) },
      protection,
    } as never);
    expect(await faultOf(deleter.delete(id, 'Crew', false, call))).toMatchObject({ code: 'group_busy' });
  });
});

test('a change of a group that neither directory shows is a matter of time', async () => {
  const group = { ...groupInGraph(graph), graph: null };
  const updater = createGroupUpdater({ groups: groupsOf(group), protection } as never);
  expect(await faultOf(updater.update(id, { displayName: 'x' }, false, call))).toMatchObject({
    code: 'group_not_ready',
  });
});

describe('a restore', () => {
  test('whose time is up before all members are back says so, and notes how far it came', async () => {
    const stored: Snapshot[] = [];
    const group = groupInGraph(graph);
    const revival = { group, isNew: true, changed: true, rows: [], fault: null };
    const site = { type: 'absent', rows: [], planned: [], givesOwners: true, revive: () => Promise.resolve(revival) };
    const restorer = createGroupRestorer({
      snapshots: {
        get: () => Promise.resolve(snapshotFor(group)),
        store: (snapshot: Snapshot) => Promise.resolve(stored.push(snapshot)),
      },
      graphReviver: { look: () => Promise.resolve(site) },
      memberRestorer: {
        restore: (_: unknown, __: unknown, progress: object) =>
          Promise.resolve({ progress: { ...progress, memberPage: 2 }, rows: [], changed: true, fault: null }),
      },
      groupLock,
      protection,
      clock: quickClock(),
    } as never);
    const request = { deletionId: 'd', members: true, owners: null };
    expect(await restorer.restore(request, false, call)).toMatchObject({ outcome: 'partial', changed: true });
    expect(call.warnings).toEqual([expect.stringMatching(/^Time was up/)]);
    expect(stored.at(-1)).toMatchObject({ restoredAt: null, progress: { memberPage: 2 } });
  });

  test('whose place is taken by a group that Exchange does not show yet is an open outcome', async () => {
    const holder = { ...exchange, recipientType: 'MailUniversalDistributionGroup', userPrincipalName: null };
    const reviver = createExchangeReviver({
      distributionGroups: { find: () => Promise.resolve([]) },
      recipients: { holders: () => Promise.resolve([holder]), lookUpEntries: () => Promise.resolve([]) },
      memberResolver: {
        resolve: () => Promise.resolve([{ type: 'found', recipient: { ...holder, recipientType: 'UserMailbox' } }]),
      },
      audit,
      clock: quickClock(),
    } as never);
    const fault = await faultOf(reviver.look({ ...snapshotFor(inExchange), state: 'deleted' }, null, call));
    expect(fault).toMatchObject({ code: 'outcome_unknown' });
  });

  test.each([
    ['may pass', 'throttled', { code: 'throttled' }, []],
    ['stays', 'quota_exceeded', null, [{ kind: 'owner', code: 'quota_exceeded', outcome: 'not_restored' }]],
  ] as const)('that cannot link an owner, for a reason that %s', async (_what, code, fault, rows) => {
    const owner = { id: chief, type: 'user', displayName: null, userPrincipalName: null, mail: null, addresses: [] };
    const begun = { ...graph, id: '00000000-0000-4000-8000-00000000000b' };
    const result = { type: 'failed', code, message: 'No.', retryAfterSeconds: null };
    const reviver = createGraphReviver({
      graphGroups: {
        get: (asked: string) => Promise.resolve(asked === begun.id ? begun : null),
        owners: () => Promise.resolve([]),
      },
      graphGroupWrites: { deleted: () => Promise.resolve(null) },
      entraMembers: { resolveOwners: () => Promise.resolve([{ type: 'found', object: owner }]) },
      ownerWrites: {
        ensure: (_: string, __: Group, [target]: { key: string }[]) =>
          Promise.resolve(new Map([[target?.key, result]])),
      },
      audit,
      clock: quickClock(),
    } as never);
    const progress = { groupId: begun.id } as Snapshot['progress'];
    const site = await reviver.look({ ...snapshotFor(groupInGraph(graph)), progress }, null, call);
    const revival = await site.revive(call);
    expect(revival).toMatchObject({ fault, rows });
    if (fault !== null) expect(revival.fault).toBeInstanceOf(Fault);
  });
});

test('an entry that leads nowhere is kept as the directory gave it, with its id where it is one', () => {
  expect(personOf('Crew Chief', null)).toEqual({ entry: 'Crew Chief', id: null, address: null });
  expect(personOf(chief, null)).toEqual({ entry: chief, id: chief, address: null });
});

import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { connectionString } from '../../local/processes/azurite.ts';
import { auditRows } from '../support/auditRows.ts';
import { takeNumber } from '../support/counter.ts';
import { groupAt, isGone, readCast } from '../support/directory.ts';
import { testAzurite } from '../support/environment.ts';
import { type Proxy, startProxy } from '../support/proxy.ts';
import { type Answer, type App, rowsOf, startWorld } from '../support/world.ts';

const world = await startWorld();
const { control } = world;
const cast = await readCast(control);
const [owner = '', ada = '', ben = ''] = cast.staff;
const address = 'harbour-crew@contoso.com';
let app: App;
let proxy: Proxy;

beforeAll(async () => {
  const { endpoints, accounts, counter } = testAzurite();
  proxy = await startProxy(endpoints.blob);
  const storage = connectionString({ ...endpoints, blob: proxy.url }, accounts, await takeNumber(counter));
  app = await world.startApp({ AzureWebJobsStorage: storage });
});
beforeEach(async () => {
  proxy.mode = 'forward';
  proxy.onRequest = () => undefined;
  await control.reset();
  await control.tenant({
    groups: [
      {
        mail: address,
        displayName: 'Harbour Crew',
        mailEnabled: true,
        securityEnabled: false,
        owners: [owner],
        members: [ada, ben],
      },
    ],
  });
});
afterAll(async () => {
  await world.close();
  await proxy.close();
});

const remove = (group = address, confirm = group): Promise<Answer> =>
  app.call('DELETE', `groups/${encodeURIComponent(group)}`, { query: { confirm } });
const list = (query: Record<string, string> = {}): Promise<Answer> => app.call('GET', 'deleted-groups', { query });
/** From now on nothing of this kind reaches the storage; all else does. */
function refuse(method: string, path: string): void {
  proxy.onRequest = (line) => {
    proxy.mode = line.startsWith(method) && line.includes(path) ? 'refuse' : 'forward';
  };
}
const listed = async (): Promise<unknown[]> =>
  rowsOf(await list({ limit: '200' }), 'groups').map((row) => row.deletionId);

describe('without a complete snapshot nothing is deleted', () => {
  test('when the storage cannot be reached', async () => {
    const before = await listed();
    refuse('', '');
    const answer = await remove();
    expect(answer).toMatchObject({ status: 503, body: { code: 'storage_unavailable', retryable: true } });
    expect(await control.writes()).toEqual([]);
    refuse('none', '');
    expect(await listed()).toEqual(before);
  });

  test.each([
    ['its members', '/members/'],
    ['the group', '/groups/'],
  ])('when the storage fails as %s are to be stored', async (_what, folder) => {
    refuse('PUT', `/snapshots${folder}`);
    const answer = await remove();
    expect(answer).toMatchObject({ status: 503, body: { code: 'storage_unavailable' } });
    expect(answer.body?.detail).toContain('Without a snapshot nothing is deleted.');
    expect(await control.writes()).toEqual([]);
    expect(await isGone(control, address)).toBe(false);
  });

  test.each(['security', 'unified'] as const)('when Graph does not give the members of a group: %s', async (role) => {
    await control.fault({
      upstream: 'graph',
      match: { path: '/members' },
      fault: { kind: 'status', status: 403, body: { error: { code: 'Authorization_RequestDenied', message: 'No.' } } },
    });
    const { id, displayName } = cast[role];
    expect(await remove(id, displayName)).toMatchObject({ status: 403, body: { code: 'graph_permission_missing' } });
    expect(await control.writes()).toEqual([]);
  });
});

describe('a refused deletion', () => {
  test('leaves nothing to restore', async () => {
    const before = await listed();
    await control.fault({
      upstream: 'exchange',
      match: { cmdlet: 'Remove-DistributionGroup' },
      fault: { kind: 'nul' },
    });
    expect(await remove()).toMatchObject({ status: 403 });
    expect(await listed()).toEqual(before);
  });

  test('whose snapshot cannot be withdrawn is told all the same', async () => {
    await control.fault({
      upstream: 'exchange',
      match: { cmdlet: 'Remove-DistributionGroup' },
      fault: { kind: 'nul' },
    });
    refuse('DELETE', '/snapshots/groups/');
    expect(await remove()).toMatchObject({ status: 403, body: { code: 'exchange_forbidden' } });
  });
});

describe('a deletion whose outcome stays unknown', () => {
  test('can be restored from its snapshot, and one repeat takes its place', async () => {
    const match = { cmdlet: 'Remove-DistributionGroup' };
    await control.fault({ upstream: 'exchange', match, fault: { kind: 'reset' }, times: 2 });
    expect(await remove()).toMatchObject({ status: 504, body: { code: 'outcome_unknown' } });
    const [first] = rowsOf(await list(), 'groups');
    expect(first).toMatchObject({ primarySmtpAddress: address, state: 'unknown', memberCount: 2 });

    const answer = await remove();
    expect(answer).toMatchObject({ status: 200, body: { outcome: 'deleted' } });
    const ids = await listed();
    expect(ids).toContain(answer.body?.deletionId);
    expect(ids).not.toContain(first?.deletionId);
  });
});

describe('the snapshot of a deleted group', () => {
  test('is named in the audit together with the settings, the owners and how many members there were', async () => {
    const { id } = await groupAt(control, address);
    const answer = await remove();
    const [row] = await auditRows(app.storage, String(answer.body?.requestId));
    expect(row).toMatchObject({
      operation: 'Remove-DistributionGroup',
      targetId: id,
      before: {
        primarySmtpAddress: address,
        deletionId: answer.body?.deletionId,
        memberCount: 2,
        owners: [{ id: cast.idOf(owner), address: owner }],
      },
    });
  });

  test('that cannot be marked as deleted is a warning: the group is gone and can be restored', async () => {
    let isSealed = false;
    proxy.onRequest = (line) => {
      const isGroup = line.startsWith('PUT') && line.includes('/snapshots/groups/');
      proxy.mode = isGroup && isSealed ? 'refuse' : 'forward';
      isSealed ||= isGroup;
    };
    const answer = await remove();
    expect(answer).toMatchObject({ status: 200, body: { outcome: 'deleted', changed: true } });
    expect(answer.body?.warnings).toEqual([expect.stringContaining(String(answer.body?.deletionId))]);
    proxy.onRequest = () => undefined;
    proxy.mode = 'forward';
    expect(rowsOf(await list({ limit: '1' }), 'groups')).toMatchObject([
      { deletionId: answer.body?.deletionId, state: 'unknown' },
    ]);
  });
});

describe('a restore whose progress cannot be stored', () => {
  test('is done all the same, says so, and is not done twice', async () => {
    const { body } = await remove();
    const path = `deleted-groups/${String(body?.deletionId)}/restore`;
    refuse('PUT', '/snapshots/groups/');
    const answer = await app.call('POST', path, { body: {} });
    expect(answer.body).toMatchObject({ outcome: 'restored', restoredMemberCount: 2 });
    expect(answer.body?.warnings).toEqual([expect.stringContaining('could not be stored')]);
    refuse('none', '');
    await control.clearCalls();
    const again = await app.call('POST', path, { body: {} });
    expect(again.body).toMatchObject({ outcome: 'restored', changed: false, restoredMemberCount: 2 });
    expect(await control.writes()).toEqual([]);
  });
});

describe('the list of deleted groups', () => {
  test('has the newest first, page by page, each once', async () => {
    const gone: unknown[] = [];
    for (const { id, displayName } of [cast.security, cast.unified, ...cast.twins]) {
      gone.unshift((await remove(id, displayName)).body?.deletionId);
    }
    const seen: unknown[] = [];
    let cursor: string | null = null;
    do {
      const page: Answer = await list({ limit: '2', ...(cursor === null ? {} : { cursor }) });
      const rows = rowsOf(page, 'groups');
      expect(page.body?.count).toBe(rows.length);
      expect(page.body?.hasMore).toBe(page.body?.nextCursor !== null);
      seen.push(...rows.map((row) => row.deletionId));
      cursor = page.body?.nextCursor as string | null;
    } while (cursor !== null);
    expect(seen.slice(0, 4)).toEqual(gone);
    expect(new Set(seen).size).toBe(seen.length);
    const [newest] = rowsOf(await list({ limit: '1' }), 'groups');
    expect(newest).toEqual({
      deletionId: gone[0],
      id: cast.twins[1].id,
      kind: 'distributionList',
      displayName: cast.twins[1].displayName,
      primarySmtpAddress: cast.twins[1].mail,
      memberCount: cast.twins[1].members.length,
      state: 'deleted',
      deletedAt: expect.stringMatching(/^\d{4}-/),
      restorableUntil: expect.stringMatching(/^\d{4}-/),
      restoredAt: null,
      restoredId: null,
    });
  });

  test.each(['abc', Buffer.from('[1,"x","y"]').toString('base64url')])(
    'takes no cursor but its own: %s',
    async (cursor) => {
      expect(await list({ cursor })).toMatchObject({ status: 400, body: { code: 'invalid_request' } });
    },
  );
});

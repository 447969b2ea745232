import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { afterAll, beforeEach, describe, expect, test } from '@jest/globals';
import { type AuditRow, auditRows } from '../support/auditRows.ts';
import { groupAt, isGone, readCast } from '../support/directory.ts';
import { type Answer, type App, startWorld } from '../support/world.ts';

const world = await startWorld();
const { control } = world;
const app = await world.startApp();
const cast = await readCast(control);
const [owner = '', ada = '', ben = ''] = cast.staff;
const address = 'harbour-crew@contoso.com';
const crew = {
  kind: 'mailEnabledSecurity',
  displayName: 'Harbour Crew',
  alias: 'harbour-crew',
  primarySmtpAddress: address,
  owners: [owner],
};
let requests = 0;

beforeEach(() => control.reset());
afterAll(() => world.close());

type Fault = Parameters<typeof control.fault>[0]['fault'];
const play = (cmdlet: string, fault: Fault, times = 1): Promise<void> =>
  control.fault({ upstream: 'exchange', match: { cmdlet }, fault, times });

/** A call under a request id that the audit can be asked for, also while it runs. */
function send(
  method: string,
  path: string,
  options: object = {},
  from: App = app,
): { id: string; answer: Promise<Answer> } {
  const id = `audit-${(requests += 1)}`;
  return { id, answer: from.call(method, path, { ...options, headers: { 'x-request-id': id } }) };
}

async function audited(
  method: string,
  path: string,
  options: object = {},
): Promise<{ answer: Answer; rows: AuditRow[] }> {
  const { id, answer } = send(method, path, options);
  const answered = await answer;
  return { answer: answered, rows: await auditRows(app.storage, id) };
}

const states = (rows: readonly AuditRow[]): unknown[] => rows.map(({ operation, state }) => [operation, state]);

describe('the audit', () => {
  test('has one row for each upstream write of a creation, oldest first', async () => {
    const body = { ...crew, members: [ada, ben], hideFromAddressLists: true, description: 'On the quay' };
    const { answer, rows } = await audited('POST', 'groups', { body });
    const id = String(answer.body?.id);
    expect(states(rows)).toEqual([
      ['New-DistributionGroup', 'succeeded'],
      ['Set-DistributionGroup', 'succeeded'],
      ['Add-DistributionGroupMember', 'succeeded'],
    ]);
    for (const row of rows) {
      expect(row).toMatchObject({
        action: 'createGroup',
        targetType: 'group',
        targetName: address,
        code: '',
        message: '',
      });
      expect(Date.parse(row.finishedAt)).toBeGreaterThanOrEqual(Date.parse(row.at));
    }
    const [made, set, added] = rows;
    expect(made).toMatchObject({
      targetId: 'harbour-crew',
      before: null,
      planned: { kind: 'mailEnabledSecurity', displayName: 'Harbour Crew', alias: 'harbour-crew' },
      after: { id, primarySmtpAddress: address, recipientType: 'MailUniversalSecurityGroup' },
    });
    expect(set).toMatchObject({
      targetId: id,
      before: { hideFromAddressLists: false },
      planned: { hideFromAddressLists: true },
      after: { hideFromAddressLists: true },
    });
    expect(added).toMatchObject({
      targetId: id,
      planned: {
        add: [
          { id: cast.idOf(ada), address: ada },
          { id: cast.idOf(ben), address: ben },
        ],
      },
      after: [{ id: cast.idOf(ada) }, { id: cast.idOf(ben) }],
    });
    const sent = (await control.calls({ cmdlet: 'New-DistributionGroup' })).map(({ requestId }) => requestId);
    expect([made?.upstreamRequestId]).toEqual(sent);
  });

  test('has what a deletion took away', async () => {
    await app.call('POST', 'groups', { body: { ...crew, description: 'On the quay' } });
    const { id } = await groupAt(control, address);
    const { rows } = await audited('DELETE', `groups/${address}`, { query: { confirm: address } });
    expect(rows).toMatchObject([
      {
        action: 'deleteGroup',
        operation: 'Remove-DistributionGroup',
        state: 'succeeded',
        targetId: id,
        before: {
          id,
          name: 'Harbour Crew',
          alias: 'harbour-crew',
          addresses: [address],
          description: 'On the quay',
          managedBy: [cast.idOf(owner)],
        },
        planned: 'deleted',
        after: null,
      },
    ]);
  });

  test('has one row a batch of members, each with what it came to', async () => {
    await app.call('POST', 'groups', { body: { ...crew, members: [ada] } });
    const { rows } = await audited('POST', `groups/${address}/members`, {
      body: { members: [ada, ben, 'x@contoso.com'] },
    });
    expect(states(rows)).toEqual([['Add-DistributionGroupMember', 'succeeded']]);
    const after = rows[0]?.after as { id: string }[];
    expect(after.map(({ id }) => id)).toEqual([cast.idOf(ada), cast.idOf(ben)]);
    // Who was a member before is told apart from who became one.
    const [first, second] = after.map((each) => JSON.stringify({ ...each, id: '', address: '' }));
    expect(first).not.toEqual(second);
    const removed = await audited('POST', `groups/${address}/members/remove`, { body: { members: [ada] } });
    expect(removed.rows).toMatchObject([
      { operation: 'Remove-DistributionGroupMember', state: 'succeeded', planned: { remove: [{ address: ada }] } },
    ]);
  });

  test('has its row before the write is answered', async () => {
    await play('New-DistributionGroup', { kind: 'slow', delayMs: 1_500 });
    const { id, answer } = send('POST', 'groups', { body: crew });
    while (await isGone(control, address)) await new Promise((resolve) => setTimeout(resolve, 20));
    const [before, ...more] = await auditRows(app.storage, id);
    expect(more).toEqual([]);
    expect(before).toMatchObject({ operation: 'New-DistributionGroup', state: 'intent', targetName: address });
    expect(before?.after).toBeUndefined();
    expect((await answer).status).toBe(201);
    expect(states(await auditRows(app.storage, id))).toEqual([['New-DistributionGroup', 'succeeded']]);
  });

  test('has nothing of what writes nothing', async () => {
    await app.call('POST', 'groups', { body: crew });
    const idle = await Promise.all([
      audited('POST', 'groups', { body: crew }),
      audited('POST', 'groups', { body: { ...crew, hideFromAddressLists: true, dryRun: true } }),
      audited('POST', `groups/${address}/members`, { body: { members: ['nobody@contoso.com'] } }),
      audited('POST', `groups/${address}/members`, { body: { members: [ada], dryRun: true } }),
      audited('DELETE', `groups/${address}`, { query: { confirm: 'wrong' } }),
      audited('GET', `groups/${address}`),
      audited('GET', `groups/${address}/members`),
    ]);
    expect(idle.map(({ rows }) => rows)).toEqual(idle.map(() => []));
  });
});

describe('the outcome of a write that went wrong', () => {
  test('is failed where Exchange refused it, with its code and words', async () => {
    const body = { ...crew, primarySmtpAddress: 'crew@elsewhere.example' };
    const { rows } = await audited('POST', 'groups', { body });
    expect(rows).toMatchObject([
      {
        operation: 'New-DistributionGroup',
        state: 'failed',
        code: 'domain_not_accepted',
        message: expect.stringContaining('not an accepted domain'),
        after: null,
      },
    ]);
  });

  test('is unknown where no answer came and nothing could be read back', async () => {
    await play('New-DistributionGroup', { kind: 'reset' });
    const { rows } = await audited('POST', 'groups', { body: crew });
    expect(rows).toMatchObject([{ operation: 'New-DistributionGroup', state: 'unknown', code: 'outcome_unknown' }]);
  });

  test('is succeeded where it could be read back', async () => {
    await play('New-DistributionGroup', { kind: 'commitThenReset' });
    const { rows } = await audited('POST', 'groups', { body: crew });
    expect(rows).toMatchObject([{ state: 'succeeded', after: { primarySmtpAddress: address } }]);
  });

  test('is never failed where the write was carried out and only its read-back failed', async () => {
    // Two lookups come before the creation: who holds the address, and the owners.
    await control.fault({
      upstream: 'exchange',
      match: { cmdlet: 'Get-Recipient' },
      fault: { kind: 'status', status: 503 },
      skip: 2,
      times: 50,
    });
    const { answer, rows } = await audited('POST', 'groups', { body: crew });
    expect(await isGone(control, address)).toBe(false);
    expect(rows).toMatchObject([{ operation: 'New-DistributionGroup' }]);
    expect(rows[0]?.state).toBe('succeeded');
    // Nor may the caller take it for a creation that did not happen.
    expect(answer).toMatchObject({ status: 201, body: { outcome: 'created', isNew: true } });
  });

  test('is not succeeded where a setting was sent, lost and found missing; the second try has its own row', async () => {
    await play('Set-DistributionGroup', { kind: 'reset' });
    const { rows } = await audited('POST', 'groups', { body: { ...crew, hideFromAddressLists: true } });
    expect(rows.map(({ operation }) => operation)).toEqual([
      'New-DistributionGroup',
      'Set-DistributionGroup',
      'Set-DistributionGroup',
    ]);
    expect(rows.map(({ state }) => state)).toEqual(['succeeded', expect.stringMatching(/failed|unknown/), 'succeeded']);
  });

  test('of a deletion that had to be sent twice has a row for each', async () => {
    await app.call('POST', 'groups', { body: crew });
    await play('Remove-DistributionGroup', { kind: 'reset' });
    const { rows } = await audited('DELETE', `groups/${address}`, { query: { confirm: address } });
    expect(await control.calls({ cmdlet: 'Remove-DistributionGroup' })).toHaveLength(2);
    expect(rows.map(({ operation }) => operation)).toEqual(['Remove-DistributionGroup', 'Remove-DistributionGroup']);
    expect(rows.at(-1)?.state).toBe('succeeded');
  });

  test('of a batch that failed whole is unknown, that of its second try is its own', async () => {
    await app.call('POST', 'groups', { body: crew });
    await play('Add-DistributionGroupMember', { kind: 'reset' });
    const { rows } = await audited('POST', `groups/${address}/members`, { body: { members: [ada] } });
    expect(states(rows)).toEqual([
      ['Add-DistributionGroupMember', 'unknown'],
      ['Add-DistributionGroupMember', 'succeeded'],
    ]);
  });
});

test('no secret comes into the audit, nor into a reply, whatever an upstream says', async () => {
  const token = 'eyJhbGciOiJub25lIn0.eyJzdWIiOiJ4In0.c2lnbmF0dXJl';
  const text = `Bearer ${token} client_secret=${world.simulator.clientSecret} was not good`;
  const message = `Ex000000|Microsoft.Exchange.Management.Tasks.RecipientTaskException|${text}`;
  const body = { error: { code: 'BadRequest', message: 'Error executing cmdlet', details: [{ message }] } };
  await play('New-DistributionGroup', { kind: 'status', status: 400, body });
  const { answer, rows } = await audited('POST', 'groups', { body: crew });
  expect(rows).toHaveLength(1);
  const good = await audited('POST', 'groups', { body: { ...crew, members: [ada], hideFromAddressLists: true } });
  for (const said of [answer.text, ...rows.map(({ text: row }) => row), ...good.rows.map(({ text: row }) => row)]) {
    expect(said).not.toMatch(/eyJ|Bearer (?!\[)/);
    expect(said).not.toContain(world.simulator.clientSecret);
  }
  expect(answer.body?.detail).toContain('was not good');
});

describe('an audit that is lost while a write runs', () => {
  /** A way to the storage that can be cut. */
  async function throughProxy(): Promise<{ storage: string; cut: () => void }> {
    const port = Number(/TableEndpoint=http:\/\/127\.0\.0\.1:(\d+)/.exec(app.storage)?.[1]);
    const sockets: Socket[] = [];
    const server = createServer((near) => {
      const far = connect(port, '127.0.0.1');
      for (const [from, to] of [
        [near, far],
        [far, near],
      ] as const) {
        sockets.push(from);
        from.on('error', () => to.destroy());
        from.pipe(to);
      }
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const own = (server.address() as AddressInfo).port;
    return {
      storage: app.storage.replaceAll(`127.0.0.1:${port}`, `127.0.0.1:${own}`),
      cut: () => {
        server.close();
        for (const socket of sockets) socket.destroy();
      },
    };
  }

  test('does not stop the write: it is brought to its end, with a warning, and the intent stays', async () => {
    const { storage, cut } = await throughProxy();
    const fragile = await world.startApp({ AzureWebJobsStorage: storage });
    await play('New-DistributionGroup', { kind: 'slow', delayMs: 1_000 });
    const { id, answer } = send('POST', 'groups', { body: crew }, fragile);
    while (await isGone(control, address)) await new Promise((resolve) => setTimeout(resolve, 20));
    cut();
    expect(await answer).toMatchObject({
      status: 201,
      body: { ok: true, outcome: 'created', warnings: [expect.stringContaining('audit')] },
    });
    expect(states(await auditRows(app.storage, id))).toEqual([['New-DistributionGroup', 'intent']]);
  });

  test('stops the next write, and the reply says what was done before', async () => {
    const { storage, cut } = await throughProxy();
    const fragile = await world.startApp({ AzureWebJobsStorage: storage });
    await play('New-DistributionGroup', { kind: 'slow', delayMs: 1_000 });
    const { answer } = send('POST', 'groups', { body: { ...crew, hideFromAddressLists: true } }, fragile);
    while (await isGone(control, address)) await new Promise((resolve) => setTimeout(resolve, 20));
    cut();
    const answered = await answer;
    expect(answered).toMatchObject({ status: 201, body: { ok: false, outcome: 'partial', isNew: true } });
    expect(answered.body?.warnings).toContainEqual(expect.stringContaining('audit table cannot be written'));
    expect(await control.calls({ cmdlet: 'Set-DistributionGroup' })).toEqual([]);
    expect(await app.call('POST', 'groups', { body: { ...crew, hideFromAddressLists: true } })).toMatchObject({
      status: 200,
      body: { outcome: 'completed' },
    });
  });
});

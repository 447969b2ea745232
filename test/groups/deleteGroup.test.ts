import { afterAll, beforeEach, describe, expect, test } from '@jest/globals';
import { groupAt, isGone, parametersOf, readCast } from '../support/directory.ts';
import { type Answer, rowsOf, startWorld } from '../support/world.ts';

const world = await startWorld();
const { control } = world;
let app = await world.startApp();
const { storage } = app;
const cast = await readCast(control);
const [owner = '', ada = ''] = cast.staff;
const address = 'harbour-crew@contoso.com';

beforeEach(async () => {
  await control.reset();
  await startAnew();
  await control.tenant({
    groups: [
      {
        mail: address,
        displayName: 'Harbour Crew',
        mailEnabled: true,
        securityEnabled: true,
        owners: [owner],
        members: [ada],
        exchange: { Name: 'Crew of the Harbour' },
      },
    ],
  });
});
afterAll(() => world.close());

const remove = (query: Record<string, string>, group = address): Promise<Answer> =>
  app.call('DELETE', `groups/${encodeURIComponent(group)}`, { query });
const removals = () => control.calls({ cmdlet: 'Remove-DistributionGroup' });

/** An app remembers how long an upstream asked it to wait; the one after it does not. */
async function startAnew(): Promise<void> {
  await app.close();
  app = await world.startApp({ AzureWebJobsStorage: storage });
}

describe('a deletion', () => {
  test.each([[{}], [{ confirm: '' }]])('without confirm is refused: %j', async (query: Record<string, string>) => {
    const answer = await remove(query);
    expect(answer).toMatchObject({ status: 400, body: { code: 'invalid_request' } });
    expect(rowsOf(answer, 'errors')).toMatchObject([{ pointer: '/query/confirm' }]);
    expect(await control.writes()).toEqual([]);
  });

  test.each(['yes', 'harbour-crew', 'Harbour', 'other@contoso.com'])('with confirm=%s is refused', async (confirm) => {
    const answer = await remove({ confirm });
    expect(answer).toMatchObject({ status: 409, body: { code: 'confirm_mismatch' } });
    expect(answer.body?.fix).toContain(encodeURIComponent(address));
    expect(await control.writes()).toEqual([]);
    expect(await isGone(control, address)).toBe(false);
  });

  test.each([address, 'HARBOUR-CREW@contoso.com', 'Harbour Crew', 'Crew of the Harbour'])(
    'with confirm=%s is done',
    async (confirm) => {
      const { id } = await groupAt(control, address);
      const answer = await remove({ confirm });
      expect(answer.status).toBe(200);
      expect(answer.body).toEqual({
        ok: true,
        outcome: 'deleted',
        changed: true,
        dryRun: false,
        message: `${address} was deleted.`,
        warnings: [],
        requestId: answer.headers.get('x-request-id'),
        id,
        kind: 'mailEnabledSecurity',
        displayName: 'Harbour Crew',
        primarySmtpAddress: address,
        deletionId: expect.stringMatching(/^\d{16}-[0-9a-f]{16}$/),
        restorableUntil: expect.stringMatching(/^\d{4}-\d\d-\d\dT/),
        memberCount: 1,
      });
      const days = (Date.parse(String(answer.body?.restorableUntil)) - Date.now()) / 86_400_000;
      expect(Math.round(days)).toBe(90);
      expect(await isGone(control, address)).toBe(true);
    },
  );

  test('is one write without a question back and with the bypass', async () => {
    await remove({ confirm: address });
    expect(await control.writes()).toHaveLength(1);
    expect(parametersOf((await removals())[0])).toEqual({
      Identity: expect.stringMatching(/^[0-9a-f-]{36}$/),
      Confirm: false,
      BypassSecurityGroupManagerCheck: true,
    });
  });

  test('leaves nothing behind: what was deleted is 404, also when deleted again', async () => {
    const { id } = await groupAt(control, address);
    await remove({ confirm: address });
    for (const name of [id, address, 'Harbour Crew']) {
      expect(await app.call('GET', `groups/${encodeURIComponent(name)}`)).toMatchObject({ status: 404 });
      expect(await remove({ confirm: address }, name)).toMatchObject({
        status: 404,
        body: { code: 'group_not_found' },
      });
    }
    expect(await removals()).toHaveLength(1);
  });

  test('of a distribution list is done as well, by its id', async () => {
    const [list] = cast.twins;
    expect(await remove({ confirm: String(list.mail) }, list.id)).toMatchObject({
      status: 200,
      body: { outcome: 'deleted', kind: 'distributionList' },
    });
    expect(await isGone(control, String(list.mail))).toBe(true);
    expect(await isGone(control, String(cast.twins[1].mail))).toBe(false);
  });

  test('as a dry run looks at everything and deletes nothing', async () => {
    const restorable = (await app.call('GET', 'deleted-groups')).body?.groups;
    expect(await remove({ confirm: address, dryRun: 'true' })).toMatchObject({
      status: 200,
      body: {
        outcome: 'planned',
        changed: false,
        dryRun: true,
        message: `${address} would be deleted, after a snapshot of its settings, owners and 1 members.`,
        deletionId: null,
        restorableUntil: null,
        memberCount: 1,
      },
    });
    expect((await app.call('GET', 'deleted-groups')).body?.groups).toEqual(restorable);
    expect(await remove({ confirm: 'wrong', dryRun: 'true' })).toMatchObject({ status: 409 });
    expect(await control.writes()).toEqual([]);
    expect(await isGone(control, address)).toBe(false);
  });
});

describe('a deletion of a group that Entra masters', () => {
  test.each(['security', 'unified'] as const)('is done by one write to Graph: %s', async (role) => {
    const { id, displayName, mail } = cast[role];
    const answer = await remove({ confirm: displayName }, id);
    expect(answer).toMatchObject({
      status: 200,
      body: { outcome: 'deleted', changed: true, id, displayName, primarySmtpAddress: mail },
    });
    expect(await control.writes()).toMatchObject([{ upstream: 'graph', method: 'DELETE', path: `/v1.0/groups/${id}` }]);
    expect(await app.call('GET', `groups/${id}`)).toMatchObject({ status: 404 });
  });

  test('wants its name confirmed where it has no address', async () => {
    const { id, displayName } = cast.security;
    const answer = await remove({ confirm: 'Something else' }, id);
    expect(answer).toMatchObject({ status: 409, body: { code: 'confirm_mismatch' } });
    expect(answer.body?.fix).toContain(encodeURIComponent(displayName));
    expect(await control.writes()).toEqual([]);
  });

  test.each([
    ['after it was carried out', { kind: 'commitThenReset' }, 1],
    ['before it was carried out', { kind: 'reset' }, 2],
  ] as const)('is proven by reading back when its answer is lost %s', async (_when, fault, sent) => {
    const { id, displayName } = cast.security;
    await control.fault({ upstream: 'graph', match: { method: 'DELETE' }, fault });
    expect(await remove({ confirm: displayName }, id)).toMatchObject({
      status: 200,
      body: { outcome: 'deleted', changed: true },
    });
    expect(await control.writes()).toHaveLength(sent);
  });

  test('because somebody else was faster is no change of ours', async () => {
    const { id, displayName } = cast.security;
    const body = { error: { code: 'Request_ResourceNotFound', message: `Resource '${id}' does not exist.` } };
    const fault = { kind: 'status', status: 404, body, commit: true } as const;
    await control.fault({ upstream: 'graph', match: { method: 'DELETE' }, fault });
    expect(await remove({ confirm: displayName }, id)).toMatchObject({
      status: 200,
      body: { outcome: 'deleted', changed: false, message: `${displayName} was gone before it could be deleted.` },
    });
  });

  test('warns that a Team goes with its group', async () => {
    const { id, mail } = cast.unified;
    await control.tenant({ groups: [{ mail, resourceProvisioningOptions: ['Team'] }] });
    const { body } = await remove({ confirm: String(mail) }, id);
    expect(body?.warnings).toEqual([expect.stringContaining('Microsoft Team')]);
  });
});

describe('a deletion whose answer is lost', () => {
  test.each([
    ['after it was carried out', { kind: 'commitThenReset' }, 1],
    ['before it was carried out', { kind: 'reset' }, 2],
    ['as a 503 after it was carried out', { kind: 'status', status: 503, commit: true }, 1],
    ['as a 503 before it was carried out', { kind: 'status', status: 503 }, 2],
    ['as a page of HTML', { kind: 'status', status: 502 }, 2],
    ['as an empty 200 after it was carried out', { kind: 'empty', commit: true }, 1],
  ] as const)('%s is proven by reading back', async (_when, fault, sent) => {
    await control.fault({ upstream: 'exchange', match: { cmdlet: 'Remove-DistributionGroup' }, fault });
    expect(await remove({ confirm: address })).toMatchObject({ status: 200, body: { outcome: 'deleted' } });
    expect(await removals()).toHaveLength(sent);
    expect(await isGone(control, address)).toBe(true);
  });

  test('for good is an open outcome, which one repeat closes', async () => {
    await control.fault({
      upstream: 'exchange',
      match: { cmdlet: 'Remove-DistributionGroup' },
      fault: { kind: 'reset' },
      times: 2,
    });
    const answer = await remove({ confirm: address });
    expect(answer).toMatchObject({ status: 504, body: { code: 'outcome_unknown', retryable: true } });
    expect(await isGone(control, address)).toBe(false);
    expect(await remove({ confirm: address })).toMatchObject({ status: 200, body: { outcome: 'deleted' } });
    expect(await isGone(control, address)).toBe(true);
  });

  test('as an empty 200 before it was carried out is settled by one repeat', async () => {
    await control.fault({
      upstream: 'exchange',
      match: { cmdlet: 'Remove-DistributionGroup' },
      fault: { kind: 'empty' },
    });
    expect((await remove({ confirm: address })).text).not.toBe('');
    expect(await remove({ confirm: address })).toMatchObject({ status: 200, body: { outcome: 'deleted' } });
    expect(await isGone(control, address)).toBe(true);
  });

  test.each([
    ['after it was carried out', { kind: 'commitThenReset' }],
    ['before it was carried out', { kind: 'reset' }],
  ] as const)('%s, and cannot be read back either, is sent once more', async (_when, fault) => {
    await control.fault({ upstream: 'exchange', match: { cmdlet: 'Remove-DistributionGroup' }, fault });
    await control.fault({
      upstream: 'exchange',
      match: { cmdlet: 'Get-DistributionGroup' },
      fault: { kind: 'status', status: 503 },
      skip: 1,
      times: 50,
    });
    expect(await remove({ confirm: address })).toMatchObject({
      status: 200,
      body: { outcome: 'deleted', changed: true },
    });
    expect(await isGone(control, address)).toBe(true);
  });

  test('and whose second try is refused stays open: the refusal says nothing of the first', async () => {
    const match = { cmdlet: 'Remove-DistributionGroup' };
    await control.fault({ upstream: 'exchange', match, fault: { kind: 'reset' } });
    await control.fault({ upstream: 'exchange', match, fault: { kind: 'nul' } });
    expect(await remove({ confirm: address })).toMatchObject({ status: 504, body: { code: 'outcome_unknown' } });
    expect(await remove({ confirm: address })).toMatchObject({ status: 200, body: { outcome: 'deleted' } });
  });

  test('because somebody else was faster is the state asked for, and no change of ours', async () => {
    const message = 'Ex6F9304|Microsoft.Exchange.Configuration.Tasks.ManagementObjectNotFoundException|Not there.';
    const body = { error: { code: 'NotFound', message: 'Error executing cmdlet', details: [{ message }] } };
    await control.fault({
      upstream: 'exchange',
      match: { cmdlet: 'Remove-DistributionGroup' },
      fault: { kind: 'status', status: 404, body, commit: true },
    });
    expect(await remove({ confirm: address })).toMatchObject({
      status: 200,
      body: { ok: true, outcome: 'deleted', changed: false },
    });
  });

  test('for its refusal is told as such: it was not carried out', async () => {
    await control.fault({
      upstream: 'exchange',
      match: { cmdlet: 'Remove-DistributionGroup' },
      fault: { kind: 'nul' },
    });
    expect(await remove({ confirm: address })).toMatchObject({ status: 403, body: { code: 'exchange_forbidden' } });
    expect(await isGone(control, address)).toBe(false);
  });

  test('to throttling that ends soon waits for it, without a second answer in between', async () => {
    await control.fault({
      upstream: 'exchange',
      match: { cmdlet: 'Remove-DistributionGroup' },
      fault: { kind: 'throttle', seconds: 1 },
    });
    expect(await remove({ confirm: address })).toMatchObject({ status: 200, body: { outcome: 'deleted' } });
    expect(await removals()).toMatchObject([{ status: 429 }, { status: 200 }]);
  });

  test('to throttling that lasts is told when to come again', async () => {
    await control.fault({
      upstream: 'exchange',
      match: { cmdlet: 'Remove-DistributionGroup' },
      fault: { kind: 'throttle', seconds: 90 },
    });
    const answer = await remove({ confirm: address });
    expect(answer).toMatchObject({ status: 429, body: { code: 'throttled', retryAfterSeconds: 90 } });
    expect(answer.headers.get('retry-after')).toBe('90');
    expect(await isGone(control, address)).toBe(false);
  });
});

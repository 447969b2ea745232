import { afterAll, beforeEach, describe, expect, test } from '@jest/globals';
import { auditRows } from '../support/auditRows.ts';
import { quickClock } from '../support/rooms.ts';
import { type Answer, type App, rowsOf } from '../support/world.ts';
import { oktaPhone, otherPhone, renewTokens, roles, startCauses, upnOf } from './causes.ts';

const causes = await startCauses();
const { world, app, reader, seed, grant, principal, update, user } = causes;
const { control } = world;
/** Waits take it no time. */
const patient = await world.startApp({}, { clock: quickClock() });

beforeEach(() => seed());
afterAll(() => world.close());

const mails = ['ops@example.com', 'night.shift@example.com'];
const four = {
  accountEnabled: false,
  mobilePhone: oktaPhone,
  businessPhones: ['+1 555 010 0144'],
  otherMails: mails,
};
const confirm = upnOf('unpushed');

/** What was sent to Graph, in order. */
const patches = async (): Promise<unknown[]> =>
  (await control.calls({ upstream: 'graph', method: 'PATCH' })).map(({ requestBody }) => requestBody);
const results = (answer: Answer): unknown[] =>
  rowsOf(answer, 'results').map(({ property, outcome, cause, code }) => [property, outcome, cause, code]);
const refusal = (status: number, message: string, code = 'Authorization_RequestDenied') =>
  ({ kind: 'status', status, body: { error: { code, message } } }) as const;
const insufficient = 'Insufficient privileges to complete the operation.';
const onPatch = { upstream: 'graph', match: { method: 'PATCH', path: '/users/' } } as const;

describe('an update', () => {
  test('writes what is named, each group that travels apart in a request of its own, and shows it', async () => {
    await control.clearCalls();
    const answer = await update('unpushed', { ...four, confirm });
    const { id, displayName } = await user('unpushed');
    expect(answer.status).toBe(200);
    expect(answer.body).toEqual({
      ok: true,
      outcome: 'updated',
      changed: true,
      dryRun: false,
      message: `${confirm} was changed: accountEnabled, mobilePhone, businessPhones, otherMails.`,
      warnings: [],
      requestId: answer.headers.get('x-request-id'),
      userId: id,
      userPrincipalName: confirm,
      displayName,
      accountEnabled: false,
      mobilePhone: oktaPhone,
      businessPhones: '+1 555 010 0144',
      otherMails: mails.join(', '),
      setCount: 4,
      failedCount: 0,
      firstError: null,
      results: [
        wasSet('accountEnabled', 'true', 'false'),
        wasSet('mobilePhone', otherPhone, oktaPhone),
        wasSet('businessPhones', '', '+1 555 010 0144'),
        wasSet('otherMails', '', mails.join(', ')),
      ],
    });
    expect(await patches()).toEqual([
      { accountEnabled: false },
      { mobilePhone: oktaPhone, businessPhones: ['+1 555 010 0144'] },
      { otherMails: mails },
    ]);
    expect(await user('unpushed')).toMatchObject(four);
  });

  test('leaves alone what is not named, and writes nothing that is there', async () => {
    await update('unpushed', { ...four, confirm });
    await control.clearCalls();
    const answer = await update('unpushed', {
      mobilePhone: oktaPhone,
      otherMails: ['NIGHT.shift@example.com', mails[0]],
      accountEnabled: true,
    });
    expect(results(answer)).toEqual([
      ['accountEnabled', 'set', null, 'set'],
      ['mobilePhone', 'unchanged', null, 'unchanged'],
      ['otherMails', 'unchanged', null, 'unchanged'],
    ]);
    expect(await patches()).toEqual([{ accountEnabled: true }]);
    expect(await user('unpushed')).toMatchObject({ ...four, accountEnabled: true });

    const again = await update('unpushed', { accountEnabled: true });
    expect(again.body).toMatchObject({ ok: true, outcome: 'unchanged', changed: false, setCount: 0 });
    expect(await patches()).toHaveLength(1);
  });

  test('clears', async () => {
    await update('unpushed', { ...four, confirm });
    const answer = await update('unpushed', { mobilePhone: null, businessPhones: [], otherMails: '' });
    expect(answer.body).toMatchObject({ outcome: 'updated', mobilePhone: '', businessPhones: '', otherMails: '' });
    expect(await user('unpushed')).toMatchObject({ mobilePhone: null, businessPhones: [], otherMails: [] });
  });

  test('as a dry run says what would be done, and does nothing', async () => {
    await control.clearCalls();
    const answer = await update('synced', { ...four, dryRun: true });
    expect(answer.body).toMatchObject({ ok: false, outcome: 'planned', changed: false, dryRun: true, failedCount: 3 });
    expect(answer.body?.message).toBe(
      `${upnOf('synced')} would be changed: otherMails. Not: accountEnabled, mobilePhone, businessPhones.`,
    );
    expect(results(answer)).toEqual([
      ['accountEnabled', 'refused', 'synced_from_on_premises', 'on_premises_synced'],
      ['mobilePhone', 'refused', 'synced_from_on_premises', 'on_premises_synced'],
      ['businessPhones', 'refused', 'synced_from_on_premises', 'on_premises_synced'],
      ['otherMails', 'would_set', null, 'would_set'],
    ]);
    expect((await update('unpushed', { mobilePhone: null, dryRun: true })).body).toMatchObject({
      ok: true,
      message: `${confirm} would be changed: mobilePhone.`,
    });
    expect(await control.writes()).toEqual([]);
  });

  test('with WRITE_MODE reportOnly is a dry run, and with off is refused', async () => {
    const reporting = await world.startApp({ WRITE_MODE: 'reportOnly' });
    expect((await update('unpushed', four, reporting)).body).toMatchObject({ outcome: 'planned', dryRun: true });
    const off = await world.startApp({ WRITE_MODE: 'off' });
    expect((await update('unpushed', four, off)).body).toMatchObject({ code: 'writes_disabled' });
    expect(await control.writes()).toEqual([]);
  });

  test.each([
    ['nothing', {}, ['']],
    ['nothing but a dry run', { dryRun: true, confirm: 'x@contoso.com' }, ['']],
    ['two business phones', { businessPhones: ['+1 555 010 0101', '+1 555 010 0102'] }, ['/businessPhones']],
    ['an address that is none', { otherMails: ['nobody'] }, ['/otherMails/0']],
    ['a phone without a digit', { mobilePhone: '' }, ['/mobilePhone']],
    ['something else', { department: 'Sales' }, ['/department']],
  ])('of %s is refused, field by field', async (_what, body, pointers) => {
    const answer = await update('unpushed', body);
    expect(answer).toMatchObject({ status: 400, body: { code: 'invalid_request' } });
    expect(rowsOf(answer, 'errors').map(({ pointer }) => pointer)).toEqual(expect.arrayContaining(pointers));
  });

  test('of nobody is refused', async () => {
    const answer = await update('nobody@contoso.com', { mobilePhone: null });
    expect(answer).toMatchObject({ status: 404, body: { code: 'member_not_found' } });
  });

  test('is in the audit, request by request', async () => {
    const answer = await update('unpushed', { ...four, confirm });
    const rows = await auditRows(app.storage, String(answer.body?.requestId));
    expect(rows).toMatchObject([
      audited({ accountEnabled: true }, { accountEnabled: false }),
      audited(
        { mobilePhone: otherPhone, businessPhones: [] },
        { mobilePhone: oktaPhone, businessPhones: ['+1 555 010 0144'] },
      ),
      audited({ otherMails: [] }, { otherMails: mails }),
    ]);
    expect(rows.map(({ targetId }) => targetId)).toEqual(Array(3).fill(answer.body?.userId));
  });
});

const wasSet = (property: string, before: string, after: string) => ({
  property,
  before,
  after,
  outcome: 'set',
  cause: null,
  code: 'set',
  message: 'It was set.',
  fix: null,
});
const audited = (before: object, after: object) => ({
  action: 'updateSensitiveAttributes',
  operation: 'PATCH /users/{id}',
  targetType: 'user',
  targetName: confirm,
  state: 'succeeded',
  before,
  planned: after,
  after,
});

describe('disabling an account', () => {
  test.each([
    ['without confirm', {}, /asks for confirm/],
    ['with the name of somebody else', { confirm: upnOf('equal') }, /the user is cause\.unpushed@/],
  ])('%s is refused', async (_how, more, detail) => {
    const answer = await update('unpushed', { accountEnabled: false, mobilePhone: null, ...more });
    expect(answer).toMatchObject({ status: 409, body: { code: 'confirm_mismatch' } });
    expect(answer.body?.detail).toMatch(detail);
    expect(answer.body?.fix).toContain(confirm);
    expect(await control.writes()).toEqual([]);
  });

  test('is done with the user principal name in any case', async () => {
    const answer = await update('unpushed', { accountEnabled: false, confirm: confirm.toUpperCase() });
    expect(answer.body).toMatchObject({ outcome: 'updated', accountEnabled: false });
    expect((await update('unpushed', { accountEnabled: false })).body).toMatchObject({ outcome: 'unchanged' });
    expect((await update('unpushed', { accountEnabled: true })).body).toMatchObject({ outcome: 'updated' });
  });

  test('and any other change is refused where confirm names somebody else', async () => {
    const answer = await update('unpushed', { mobilePhone: null, confirm: 'else@contoso.com', dryRun: true });
    expect(answer.body).toMatchObject({ code: 'confirm_mismatch' });
  });
});

describe('whoever must not be written', () => {
  test.each<[cause: string, status: number, code: string, fix: RegExp, from?: App]>([
    ['active.role', 403, 'role_missing', /^Assign the Entra role User Administrator/],
    ['group.owner', 403, 'role_missing', /^Assign the Entra role Privileged Authentication Administrator/],
    ['restricted.unit', 403, 'management_restricted', /User Administrator over Board/],
    ['synced', 403, 'on_premises_synced', /^Change it in Active Directory/],
    ['permission', 403, 'graph_permission_missing', /^Grant User-Phone\.ReadWrite\.All/, reader],
  ])('cause.%s is refused before anything is sent', async (cause, status, code, fix, from = app) => {
    const answer = await update(cause, { mobilePhone: oktaPhone }, from);
    expect(answer).toMatchObject({ status, body: { code } });
    expect(answer.body?.fix).toMatch(fix);
    expect(answer.body?.detail).toContain(`Nothing was written to ${upnOf(cause)}. mobilePhone: `);
    expect(rowsOf(answer, 'errors')).toMatchObject([{ pointer: '/mobilePhone', fix: answer.body?.fix }]);
    expect(await control.writes()).toEqual([]);
  });

  test('is told to a flow as an answer', async () => {
    const answer = await app.call('PATCH', `users/${upnOf('active.role')}/sensitive-attributes`, {
      body: { mobilePhone: oktaPhone },
      headers: { 'x-outcome-mode': 'flow' },
    });
    expect(answer).toMatchObject({ status: 200, body: { ok: false, outcome: 'refused', code: 'role_missing' } });
  });

  test('is refused whole on PROTECTED_USERS, by whatever name', async () => {
    const protecting = await world.startApp({ PROTECTED_USERS: upnOf('unpushed') });
    const { id } = await user('unpushed');
    const answer = await update('unpushed', { mobilePhone: null, dryRun: true }, protecting);
    expect(answer).toMatchObject({ status: 403, body: { code: 'protected_object' } });
    const byId = await protecting.call('PATCH', `users/${String(id)}/sensitive-attributes`, {
      body: { mobilePhone: null },
    });
    expect(byId).toMatchObject({ status: 403, body: { code: 'protected_object' } });
    expect(await control.writes()).toEqual([]);
  });
});

describe('where one property is refused', () => {
  test('of a user mastered on-premises, the others are written, and each has its row', async () => {
    const answer = await update('synced', { mobilePhone: oktaPhone, otherMails: mails, accountEnabled: true });
    expect(answer.body).toMatchObject({ ok: false, outcome: 'partial', changed: true, setCount: 1, failedCount: 1 });
    expect(results(answer)).toEqual([
      ['accountEnabled', 'unchanged', null, 'unchanged'],
      ['mobilePhone', 'refused', 'synced_from_on_premises', 'on_premises_synced'],
      ['otherMails', 'set', null, 'set'],
    ]);
    expect(answer.body?.message).toBe(`${upnOf('synced')} was changed in part; not set: mobilePhone.`);
    expect(answer.body?.firstError).toMatch(/^mobilePhone: The user is mastered in on-premises/);
    expect(await user('synced')).toMatchObject({ mobilePhone: otherPhone, otherMails: mails });

    const again = await update('synced', { mobilePhone: oktaPhone, otherMails: mails });
    expect(again.body).toMatchObject({ ok: false, outcome: 'partial', changed: false, failedCount: 1 });
    expect(results(again)).toEqual([
      ['mobilePhone', 'refused', 'synced_from_on_premises', 'on_premises_synced'],
      ['otherMails', 'unchanged', null, 'unchanged'],
    ]);
    expect(again.body?.message).toBe(`${upnOf('synced')} is as asked for in part; not set: mobilePhone.`);
  });

  test('for want of a permission, the others are written', async () => {
    await grant({ permissions: ['User-Mail.ReadWrite.All'] }, 'reads-users-only');
    const answer = await update('permission', { mobilePhone: oktaPhone, otherMails: mails }, reader);
    expect(results(answer)).toEqual([
      ['mobilePhone', 'refused', 'permission_missing', 'graph_permission_missing'],
      ['otherMails', 'set', null, 'set'],
    ]);
    expect(await user('permission')).toMatchObject({ mobilePhone: otherPhone, otherMails: mails });
  });

  test('by Graph, the others are written, and the audit has the refusal', async () => {
    await control.fault({ ...onPatch, fault: refusal(400, 'Invalid value for a phone.', 'Request_BadRequest') });
    const answer = await update('unpushed', { mobilePhone: oktaPhone, otherMails: mails });
    expect(results(answer)).toEqual([
      ['mobilePhone', 'refused', null, 'upstream_rejected'],
      ['otherMails', 'set', null, 'set'],
    ]);
    expect(rowsOf(answer, 'results')[0]?.message).toContain('Invalid value for a phone.');
    const rows = await auditRows(app.storage, String(answer.body?.requestId));
    expect(rows.map(({ state, code }) => [state, code])).toEqual([
      ['failed', 'upstream_rejected'],
      ['succeeded', ''],
    ]);
  });
});

describe('what Graph alone knows', () => {
  test('that an eligible role protects is found out by trying, and told as the cause', async () => {
    const answer = await update('eligible.role', { mobilePhone: oktaPhone });
    expect(answer).toMatchObject({ status: 403, body: { code: 'role_missing' } });
    expect(answer.body?.detail).toContain(insufficient);
    expect(answer.body?.fix).toMatch(/role Privileged Authentication Administrator/);
    expect(await patches()).toHaveLength(1);

    await control.tenant({ settings: { eligibleRolesProtect: false } });
    expect((await update('eligible.role', { mobilePhone: oktaPhone })).body).toMatchObject({ outcome: 'updated' });
  });

  test('whether a role that may only read protects is found out by trying', async () => {
    await control.tenant({
      users: [{ userPrincipalName: upnOf('unpushed'), directoryRoles: [roles.directoryReaders] }],
      settings: { readerRolesProtect: false },
    });
    expect((await update('unpushed', { mobilePhone: oktaPhone })).body).toMatchObject({ outcome: 'updated' });
    await control.tenant({ settings: { readerRolesProtect: true } });
    const answer = await update('unpushed', { mobilePhone: otherPhone });
    expect(answer).toMatchObject({ status: 403, body: { code: 'role_missing' } });
    expect(answer.body?.detail).toContain(insufficient);
  });

  test.each([
    [
      'a restricted unit',
      refusal(403, `${insufficient} Target object is a member of a restricted management administrative unit.`),
      [403, 'management_restricted', /^Assign a role over that unit/],
    ],
    [
      'a master on-premises',
      refusal(400, 'Unable to update the specified properties for on-premises mastered Directory Sync objects.'),
      [403, 'on_premises_synced', /^Change it in Active Directory/],
    ],
    ['nothing that can be read', refusal(403, insufficient), [502, 'upstream_rejected', /its token is renewed/]],
  ] as const)('%s is told', async (_what, fault, [status, code, fix]) => {
    await control.fault({ ...onPatch, fault });
    const answer = await update('unpushed', { mobilePhone: oktaPhone });
    expect(answer).toMatchObject({ status, body: { code } });
    expect(answer.body?.fix).toMatch(fix);
    expect(answer.body?.detail).toContain(fault.body.error.message);
  });

  test('a restricted unit that is seen as such is told with its name', async () => {
    await grant({ scopedRoles: [{ role: roles.userAdministrator, administrativeUnit: 'Board' }] });
    await control.fault({
      ...onPatch,
      fault: refusal(403, 'Target object is a member of a restricted management administrative unit.'),
    });
    const answer = await update('restricted.unit', { mobilePhone: oktaPhone });
    expect(answer).toMatchObject({ status: 403, body: { code: 'management_restricted' } });
  });

  test('a role that was given a moment ago is used', async () => {
    await update('active.role', { mobilePhone: oktaPhone });
    await grant({ roles: [roles.userAdministrator] });
    expect((await update('active.role', { mobilePhone: oktaPhone })).body).toMatchObject({ outcome: 'updated' });
  });

  test('roles of ours that cannot be read do not keep us from trying', async () => {
    await grant({ roles: [roles.userAdministrator] });
    const { appId, roles: granted } = await principal();
    const graph = granted.graph.filter((each) => each !== 'RoleManagement.Read.Directory');
    await control.tenant({ servicePrincipals: [{ appId, roles: { ...granted, graph } }] });
    await renewTokens(app);
    expect((await update('active.role', { mobilePhone: oktaPhone })).body).toMatchObject({ outcome: 'updated' });
  });
});

describe('a write whose answer is lost', () => {
  test.each([
    ['was carried out', { kind: 'commitThenReset' }, 1],
    ['was not carried out', { kind: 'reset' }, 2],
  ] as const)('and that %s is read back', async (_what, fault, sent) => {
    await control.clearCalls();
    await control.fault({ ...onPatch, fault });
    const answer = await update('unpushed', { mobilePhone: oktaPhone });
    expect(answer.body).toMatchObject({ ok: true, outcome: 'updated', mobilePhone: oktaPhone });
    expect(await patches()).toHaveLength(sent);
  });

  test('twice is pending, and never done', async () => {
    await control.fault({ ...onPatch, fault: { kind: 'reset' }, times: 2 });
    const answer = await update('unpushed', { mobilePhone: oktaPhone, otherMails: mails }, patient);
    expect(answer.body).toMatchObject({ ok: false, outcome: 'pending', changed: true, failedCount: 1 });
    expect(results(answer)).toEqual([
      ['mobilePhone', 'pending', null, 'outcome_unknown'],
      ['otherMails', 'set', null, 'set'],
    ]);
    expect(answer.body?.message).toMatch(/which does not show yet: mobilePhone\. Repeat/);
    const rows = await auditRows(patient.storage, String(answer.body?.requestId));
    expect(rows.map(({ state }) => state)).toEqual(['unknown', 'unknown', 'succeeded']);
  });

  test('and then refused is not known', async () => {
    await control.fault({ ...onPatch, fault: { kind: 'reset' } });
    await control.fault({ ...onPatch, fault: refusal(403, insufficient) });
    const answer = await update('unpushed', { mobilePhone: oktaPhone }, patient);
    expect(results(answer)).toEqual([['mobilePhone', 'pending', null, 'outcome_unknown']]);
  });

  test('twice, and shows late, is done', async () => {
    await control.tenant({ settings: { replicationLagMs: { entraReads: 500 } } });
    await control.fault({ ...onPatch, fault: { kind: 'commitThenReset' }, times: 2 });
    const answer = await update('unpushed', { mobilePhone: oktaPhone });
    expect(answer.body).toMatchObject({ ok: true, outcome: 'updated', mobilePhone: oktaPhone });
  });

  test('and that cannot be read back is sent once more', async () => {
    await control.clearCalls();
    await control.fault({ ...onPatch, fault: { kind: 'commitThenReset' } });
    // The first is before the write.
    const reads = { upstream: 'graph', match: { method: 'GET', path: 'proxyAddresses' } } as const;
    await control.fault({ ...reads, fault: refusal(403, insufficient), skip: 1 });
    const answer = await update('unpushed', { mobilePhone: oktaPhone });
    expect(answer.body).toMatchObject({ ok: true, outcome: 'updated', mobilePhone: oktaPhone });
    expect(await patches()).toHaveLength(2);
  });
});

describe('what Graph took', () => {
  test('is waited for until it shows', async () => {
    await control.tenant({ settings: { replicationLagMs: { entraReads: 700 } } });
    const answer = await update('unpushed', { mobilePhone: oktaPhone });
    expect(answer.body).toMatchObject({ ok: true, outcome: 'updated', mobilePhone: oktaPhone });
  });

  test('is pending where it does not show in time', async () => {
    await control.tenant({ settings: { replicationLagMs: { entraReads: 600_000 } } });
    const answer = await update('unpushed', { mobilePhone: oktaPhone, otherMails: mails }, patient);
    expect(answer.body).toMatchObject({ ok: false, outcome: 'pending', changed: true, mobilePhone: otherPhone });
    expect(results(answer)).toEqual([
      ['mobilePhone', 'pending', null, 'not_replicated'],
      ['otherMails', 'pending', null, 'not_replicated'],
    ]);
    expect(rowsOf(answer, 'results')[0]?.message).toBe(`Graph took it, and shows ${otherPhone} still.`);
  });
});

describe('what is no refusal', () => {
  test('before anything was written is the fault of the request', async () => {
    await control.fault({ ...onPatch, fault: { kind: 'throttle', seconds: 90 } });
    const answer = await update('unpushed', { mobilePhone: oktaPhone, otherMails: mails }, await world.startApp());
    expect(answer).toMatchObject({ status: 429, body: { code: 'throttled', retryAfterSeconds: 90 } });
    expect(await user('unpushed')).toMatchObject({ mobilePhone: otherPhone, otherMails: [] });
  });

  test('after something was written is told row by row, and nothing more is tried', async () => {
    await control.fault({ ...onPatch, fault: { kind: 'throttle', seconds: 90 }, skip: 1 });
    const answer = await update('unpushed', { ...four, confirm }, await world.startApp());
    expect(answer.body).toMatchObject({ ok: false, outcome: 'partial', setCount: 1, failedCount: 3 });
    expect(results(answer)).toEqual([
      ['accountEnabled', 'set', null, 'set'],
      ['mobilePhone', 'failed', null, 'throttled'],
      ['businessPhones', 'failed', null, 'throttled'],
      ['otherMails', 'failed', null, 'not_attempted'],
    ]);
  });

  test('is a credential that Graph does not take', async () => {
    await control.fault({ ...onPatch, fault: refusal(401, 'No.', 'InvalidAuthenticationToken'), times: 2 });
    const answer = await update('unpushed', { mobilePhone: oktaPhone, otherMails: mails });
    expect(answer).toMatchObject({ status: 403, body: { code: 'credential_rejected' } });
    expect(await patches()).not.toContainEqual({ otherMails: mails });
  });
});

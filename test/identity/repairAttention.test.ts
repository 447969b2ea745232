import { TableClient } from '@azure/data-tables';
import { afterAll, beforeEach, describe, expect, test } from '@jest/globals';
import type { App, JsonObject } from '../support/world.ts';
import {
  createHurriedClock,
  deleteUser,
  forbidden,
  operationOf,
  refusedForNoReason,
  repairOf,
  startRepairWorld,
  stepsOf,
} from './repairSetting.ts';

const setting = await startRepairWorld();
const { world, the, seen, patches, fault } = setting;
const { control } = world;
const clock = createHurriedClock();
const settings = { OKTA_ORG_URL: '', OKTA_CLIENT_ID: '', OKTA_PRIVATE_KEY: '', OKTA_KEY_ID: '' };
const app = await world.startApp(settings, { clock });
const minuteMs = 60_000;

beforeEach(async () => {
  await setting.seed();
});
afterAll(() => world.close());

const repair = (name: string, body: object = {}, user = the(name).userPrincipalName, from: App = app) =>
  repairOf(from, user, { externalId: the(name).expected, ...body });
const temporaryOf = (name: string) => `anchor.${name}@contoso.onmicrosoft.com`;
const logged = (event: string): JsonObject[] =>
  app.host.logs
    .flatMap(({ message }) => (message.startsWith('{') ? [JSON.parse(message) as JsonObject] : []))
    .filter((line) => line.event === event);
/** Has a worker go on with an operation, as its message will when it is due. */
async function goOn(operationId: unknown): Promise<void> {
  await app.fire('runOperation', { operationId });
  await app.idle();
}
async function sweep(afterMs: number): Promise<void> {
  clock.advance(afterMs);
  await app.fire('sweep');
  await app.idle();
}
const landLate = () => setting.control('POST', 'late');

describe('a repair whose way back is refused', () => {
  test('calls a person, with what would undo it, and goes on by itself until it is home', async () => {
    const { id, userPrincipalName, actual, expected } = the('free');
    await fault('free', forbidden, { skip: 3, times: 1_000 });
    const answer = await repair('free');
    expect(answer).toMatchObject({
      status: 202,
      body: {
        ok: false,
        outcome: 'needs_attention',
        changed: true,
        code: 'needs_attention',
        done: false,
        userPrincipalName: temporaryOf('free'),
        immutableId: expected,
        message: expect.stringContaining(`Entra refuses the user principal name ${userPrincipalName} back`),
        undo: [
          { request: `PATCH /users/${id}`, body: JSON.stringify({ onPremisesImmutableId: actual }) },
          { request: `PATCH /users/${id}`, body: JSON.stringify({ userPrincipalName }) },
        ],
      },
    });
    expect(answer.body?.fix).toContain(`PATCH /users/${id} {"userPrincipalName":"${userPrincipalName}"}`);
    expect(stepsOf(answer)).toEqual([
      'setImmutableId refused',
      'moveUpn done',
      'setImmutableId done',
      'restoreUpn refused',
    ]);
    // Never silent: in the log for an alert, and in the state of the operation.
    expect(logged('repair_needs_attention').at(-1)).toMatchObject({
      userId: id,
      userPrincipalName,
      operationId: answer.body?.operationId,
      reason: answer.body?.message,
      undo: expect.stringContaining(userPrincipalName),
    });
    const attention = { state: 'needs_attention', done: false, code: 'needs_attention', message: answer.body?.message };
    expect(await operationOf(app, answer)).toMatchObject(attention);
    const listed = await app.call('GET', 'operations', { query: { state: 'needs_attention' } });
    expect(listed.body).toMatchObject({ operations: [{ operationId: answer.body?.operationId }] });

    // A worker tries again, and says so again.
    const times = logged('repair_needs_attention').length;
    clock.advance(10 * minuteMs);
    await goOn(answer.body?.operationId);
    expect(await operationOf(app, answer)).toMatchObject(attention);
    expect(logged('repair_needs_attention').length).toBeGreaterThan(times);

    await control.clearFaults();
    clock.advance(10 * minuteMs);
    await goOn(answer.body?.operationId);
    expect(await operationOf(app, answer)).toMatchObject({ state: 'succeeded', code: null, fix: null });
    expect(await seen('free')).toEqual({ userPrincipalName, immutableId: expected });
  });

  test('is found by the object id and by either name, by who wants the same and by who does not', async () => {
    const { id, userPrincipalName, expected } = the('free');
    await fault('free', forbidden, { skip: 3, times: 1_000 });
    const { body: first } = await repair('free');
    for (const user of [id, userPrincipalName, temporaryOf('free').toUpperCase()]) {
      expect(await repairOf(app, user, {})).toMatchObject({
        status: 202,
        body: { outcome: 'needs_attention', operationId: first?.operationId },
      });
      expect((await repairOf(app, user, { dryRun: true })).body).toMatchObject({
        outcome: 'needs_attention',
        changed: false,
        dryRun: true,
      });
      const withApp = await repairOf(app, user, { oktaAppId: '0oaAnother' });
      expect(withApp.body?.warnings).toEqual([expect.stringMatching(/begun without Okta; .* 0oaAnother/)]);
      expect(await repairOf(app, user, { immutableId: 'another' })).toMatchObject({
        status: 409,
        body: { code: 'repair_running', fix: expect.stringContaining(String(first?.operationId)) },
      });
    }
    const cancelled = await app.call('POST', `operations/${String(first?.operationId)}/cancel`);
    expect(cancelled).toMatchObject({ status: 409, body: { code: 'not_cancellable' } });

    await control.clearFaults();
    clock.advance(10 * minuteMs);
    const again = await repair('free', {}, temporaryOf('free'));
    expect(again.body).toMatchObject({ outcome: 'repaired', operationId: first?.operationId, userPrincipalName });
    expect(await operationOf(app, again)).toMatchObject({ state: 'succeeded', message: again.body?.message });
    expect(await seen('free')).toEqual({ userPrincipalName, immutableId: expected });
  });

  test('is brought home by the sweep when its operation is gone', async () => {
    const { userPrincipalName, expected } = the('free');
    await fault('free', forbidden, { skip: 3, times: 1_000 });
    const { body } = await repair('free');
    await tableOf('operations').deleteEntity('operation', String(body?.operationId));
    await control.clearFaults();
    // Its message may still come.
    await sweep(4 * minuteMs);
    expect(await seen('free')).toMatchObject({ userPrincipalName: temporaryOf('free') });
    const known = logged('repair_found_changed').length;
    await sweep(2 * minuteMs);
    expect(await seen('free')).toEqual({ userPrincipalName, immutableId: expected });
    const told = logged('repair_found_changed').slice(known);
    expect(told).toEqual([expect.objectContaining({ userPrincipalName, message: expect.stringContaining(expected) })]);
  });

  test('because Entra wants an immutable ID that it does not take says so, and what would undo it', async () => {
    // Neither the new one nor the way back without any.
    await fault('missing', forbidden, { skip: 2 });
    const answer = await repair('missing');
    expect(answer).toMatchObject({
      status: 202,
      body: { outcome: 'needs_attention', immutableId: null, message: expect.stringContaining('SourceAnchor') },
    });
    // Mended by hand, as the message says.
    const { userPrincipalName } = the('missing');
    await control.tenant({ users: [{ id: the('missing').id, onPremisesImmutableId: 'byHand' }] });
    clock.advance(10 * minuteMs);
    expect((await repair('missing')).body).toMatchObject({ outcome: 'rolled_back', code: 'graph_permission_missing' });
    expect(await seen('missing')).toEqual({ userPrincipalName, immutableId: 'byHand' });
  });
});

describe('a repair that its request cannot end', () => {
  test('is gone on with by its operation, when Graph lets it', async () => {
    const { userPrincipalName, expected } = the('free');
    await fault('free', { kind: 'throttle', seconds: 120 }, { skip: 2 });
    const answer = await repair('free');
    expect(answer).toMatchObject({
      status: 202,
      body: { ok: false, outcome: 'running', done: false, code: null, userPrincipalName: temporaryOf('free') },
    });
    expect(Number(answer.headers.get('retry-after'))).toBeGreaterThanOrEqual(2);
    expect(stepsOf(answer).at(-1)).toBe('setImmutableId not_sent');
    expect(await operationOf(app, answer)).toMatchObject({ state: 'running', dueAt: expect.any(String) });
    // Not before it is due.
    await goOn(answer.body?.operationId);
    expect(await patches()).toHaveLength(3);
    await control.clock({ advanceMs: 3 * minuteMs });
    clock.advance(3 * minuteMs);
    await goOn(answer.body?.operationId);
    expect(await operationOf(app, answer)).toMatchObject({ state: 'succeeded', done: true });
    expect(await seen('free')).toEqual({ userPrincipalName, immutableId: expected });
  });

  test('is gone on with by the sweep when its message is lost', async () => {
    const { userPrincipalName, expected } = the('free');
    await fault('free', { kind: 'throttle', seconds: 120 }, { skip: 2 });
    const answer = await repair('free');
    await control.clock({ advanceMs: 3 * minuteMs });
    await sweep(10 * minuteMs);
    expect(await operationOf(app, answer)).toMatchObject({ state: 'succeeded' });
    expect(await seen('free')).toEqual({ userPrincipalName, immutableId: expected });
  });

  test('and has told nobody, away for minutes, calls a person', async () => {
    await fault('free', refusedForNoReason, { skip: 2, times: 1_000 });
    const answer = await repair('free');
    expect(answer.body).toMatchObject({ outcome: 'running' });
    clock.advance(6 * minuteMs);
    await goOn(answer.body?.operationId);
    expect(await operationOf(app, answer)).toMatchObject({
      state: 'needs_attention',
      message: expect.stringMatching(/refuses|temporary/),
    });
    await control.clearFaults();
    clock.advance(10 * minuteMs);
    await goOn(answer.body?.operationId);
    expect(await operationOf(app, answer)).toMatchObject({ state: 'failed', code: 'upstream_rejected' });
    expect(await seen('free')).toMatchObject({ userPrincipalName: the('free').userPrincipalName });
  });

  test('because Graph does not answer before the first write, calls a person after an hour, and changes nothing', async () => {
    const match = { method: 'GET', path: `/users/${the('free').id}?` };
    // The check asks by name.
    await control.fault({ upstream: 'graph', match, fault: { kind: 'status', status: 503 }, times: 1_000 });
    const answer = await repair('free');
    expect(answer).toMatchObject({ status: 202, body: { outcome: 'running', changed: false } });
    clock.advance(61 * minuteMs);
    await goOn(answer.body?.operationId);
    expect(await operationOf(app, answer)).toMatchObject({
      state: 'needs_attention',
      message: expect.stringContaining('for an hour'),
    });
    await control.clearFaults();
    clock.advance(10 * minuteMs);
    await goOn(answer.body?.operationId);
    expect(await operationOf(app, answer)).toMatchObject({ state: 'failed', code: 'upstream_failed' });
    expect(await patches()).toEqual([]);
  });

  test('because Graph does not answer, with the user away, calls a person after minutes, and ends when it does', async () => {
    const { id, userPrincipalName, expected } = the('free');
    const match = { method: 'GET', path: `/users/${id}?` };
    // What is read before the first write, and before the move, comes through.
    await control.fault({ upstream: 'graph', match, fault: { kind: 'status', status: 503 }, skip: 2, times: 1_000 });
    const answer = await repair('free');
    expect(answer).toMatchObject({ status: 202, body: { outcome: 'running', changed: true } });
    clock.advance(6 * minuteMs);
    await goOn(answer.body?.operationId);
    expect(await operationOf(app, answer)).toMatchObject({
      state: 'needs_attention',
      message: expect.stringContaining(temporaryOf('free')),
    });
    await control.clearFaults();
    clock.advance(10 * minuteMs);
    await goOn(answer.body?.operationId);
    expect(await operationOf(app, answer)).toMatchObject({ state: 'succeeded' });
    expect(await seen('free')).toEqual({ userPrincipalName, immutableId: expected });
  });

  test('ends with nothing changed where Entra lets nobody leave the federated domain without a password', async () => {
    await control.tenant({ settings: { userWrites: { leavingFederation: 'needsPassword' } } });
    const { userPrincipalName, actual } = the('free');
    const answer = await repair('free');
    expect(answer.body).toMatchObject({ outcome: 'running' });
    clock.advance(2 * minuteMs);
    await goOn(answer.body?.operationId);
    expect(await operationOf(app, answer)).toMatchObject({
      state: 'failed',
      code: 'upstream_rejected',
      message: expect.stringContaining('PasswordProfile'),
    });
    expect(await seen('free')).toEqual({ userPrincipalName, immutableId: actual });
    expect((await repair('managed')).body).toMatchObject({ outcome: 'repaired' });
  });

  test('ends where somebody else has renamed the user, who is left alone', async () => {
    await fault('free', { kind: 'throttle', seconds: 120 }, { skip: 2 });
    const answer = await repair('free');
    const userPrincipalName = 'renamed.meanwhile@contoso.com';
    await control.tenant({ users: [{ id: the('free').id, userPrincipalName }] });
    await control.clock({ advanceMs: 3 * minuteMs });
    clock.advance(3 * minuteMs);
    await goOn(answer.body?.operationId);
    expect(await operationOf(app, answer)).toMatchObject({ state: 'failed', code: 'user_changed' });
    expect(await seen('free')).toEqual({ userPrincipalName, immutableId: the('free').actual });
  });

  test('ends where the user was deleted, saying under which name', async () => {
    await fault('free', { kind: 'throttle', seconds: 120 }, { skip: 2 });
    const answer = await repair('free');
    await deleteUser(world, the('free').id);
    await control.clock({ advanceMs: 3 * minuteMs });
    clock.advance(3 * minuteMs);
    await goOn(answer.body?.operationId);
    expect(await operationOf(app, answer)).toMatchObject({
      state: 'failed',
      code: 'user_deleted',
      fix: expect.stringContaining(temporaryOf('free')),
    });
  });
});

describe('an ended repair', () => {
  test('is looked at again, and brings home whom a late write has moved away', async () => {
    const { userPrincipalName, expected } = the('free');
    await fault('free', { kind: 'landsLate', afterMs: 86_400_000 }, { skip: 1 });
    expect((await repair('free')).body).toMatchObject({ outcome: 'repaired' });
    expect(await seen('free')).toMatchObject({ userPrincipalName });
    await landLate();
    expect(await seen('free')).toMatchObject({ userPrincipalName: temporaryOf('free') });
    // Not before it is time.
    await sweep(4 * minuteMs);
    expect(await seen('free')).toMatchObject({ userPrincipalName: temporaryOf('free') });
    const known = logged('repair_found_changed').length;
    await sweep(2 * minuteMs);
    expect(await seen('free')).toEqual({ userPrincipalName, immutableId: expected });
    const told = logged('repair_found_changed').slice(known);
    expect(told).toEqual([expect.objectContaining({ userPrincipalName, message: expect.stringContaining(expected) })]);
  });

  test('leaves nobody away whom a late write has moved and who is repaired before it is looked at', async () => {
    const { id, userPrincipalName, expected } = the('free');
    for (const user of [userPrincipalName, id, temporaryOf('free')]) {
      await setting.seed();
      await fault('free', { kind: 'landsLate', afterMs: 86_400_000 }, { skip: 1 });
      await repair('free');
      await landLate();
      expect(await seen('free')).toMatchObject({ userPrincipalName: temporaryOf('free') });
      const planned = await repair('free', { dryRun: true }, user);
      expect(planned.body).toMatchObject({ outcome: 'planned', warnings: [expect.stringContaining('A late write')] });
      const other = await repair('free', { dryRun: true, externalId: undefined, immutableId: 'another==' }, user);
      expect(other.body).toMatchObject({ outcome: 'planned', message: expect.stringContaining('become another==') });
      expect((await repair('free', {}, user)).body).toMatchObject({ outcome: 'repaired', userPrincipalName });
      expect(await seen('free')).toEqual({ userPrincipalName, immutableId: expected });
    }
    expect(await repair('free', {}, 'nobody@contoso.com')).toMatchObject({ status: 404 });
  });

  test('tells in the log what has become of the user since, once', async () => {
    const { id, userPrincipalName } = the('free');
    await repair('free');
    const known = logged('repair_found_changed').length;
    const proxyAddresses = [`SMTP:${userPrincipalName}`, `smtp:${temporaryOf('free')}`, 'smtp:new@contoso.com'];
    await control.tenant({ users: [{ id, onPremisesImmutableId: 'overwritten==', proxyAddresses }] });
    await sweep(6 * minuteMs);
    await sweep(60 * minuteMs);
    const told = logged('repair_found_changed').slice(known);
    expect(told).toHaveLength(1);
    expect(told[0]?.message).toMatch(/Somebody else has changed .* New addresses .*: smtp:new@contoso\.com/);
  });

  test('is looked at twice, and once more for each time that it was written to', async () => {
    await fault('free', { kind: 'landsLate', afterMs: 86_400_000 }, { skip: 1 });
    await repair('free');
    const reads = async () => (await control.calls({ method: 'GET', path: `/users/${the('free').id}` })).length;
    const looksAfter = async (ms: number) => {
      const before = await reads();
      await sweep(ms);
      return (await reads()) - before;
    };
    expect(await looksAfter(minuteMs)).toBe(0);
    expect(await looksAfter(5 * minuteMs)).toBe(1);
    expect(await looksAfter(5 * minuteMs)).toBe(0);
    await landLate();
    // An hour after the end: it is away, is brought home, and seen there.
    expect(await looksAfter(50 * minuteMs)).toBe(2);
    expect(await looksAfter(6 * minuteMs)).toBe(1);
    expect(await looksAfter(60 * minuteMs)).toBe(1);
    expect(await looksAfter(600 * minuteMs)).toBe(0);
    expect(await seen('free')).toMatchObject({ userPrincipalName: the('free').userPrincipalName });
  });

  test('that nothing was ever sent for is not looked at, and all are forgotten in the end', async () => {
    await repair('free');
    const find = async () => {
      const { body } = await repair('free', { dryRun: true });
      return body?.outcome;
    };
    await sweep(10 * minuteMs);
    await sweep(100 * minuteMs);
    expect(await find()).toBe('unchanged');
    await sweep(400 * 24 * 60 * minuteMs);
    expect(await repairRows()).toEqual([]);
  });
});

const tableOf = (name: string) =>
  TableClient.fromConnectionString(app.storage, name, { allowInsecureConnection: true });

async function repairRows(): Promise<string[]> {
  const keys: string[] = [];
  for await (const { rowKey } of tableOf('repairs').listEntities()) keys.push(rowKey ?? '');
  return keys;
}

describe('a message of a repair', () => {
  test('that names none, or one that is not due, is nobody’s', async () => {
    await repair('free');
    await control.clearCalls();
    for (const message of ['no repair', {}, { userId: the('free').id, repairId: 'another' }]) {
      await app.fire('resumeRepair', message);
      await app.fire('resumeRepairPoison', message);
    }
    expect(logged('repair_poisoned').at(-1)).toMatchObject({ userId: the('free').id, repairId: 'another' });
    expect(await control.calls({ upstream: 'graph' })).toEqual([]);
  });
});

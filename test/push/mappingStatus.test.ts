import { afterAll, beforeEach, describe, expect, test } from '@jest/globals';
import { setImmediate } from 'node:timers/promises';
import { systemClock } from '../../shared/clock.ts';
import { createPushMappingStore } from '../../shared/push/store/mappingStore.ts';
import { createTables } from '../../shared/store/tables.ts';
import { auditRows } from '../support/auditRows.ts';
import { readCast } from '../support/directory.ts';
import { testCall } from '../support/rooms.ts';
import { startWorld } from '../support/world.ts';
import { endOf } from '../members/setting.ts';
import {
  activeMapping,
  crew,
  newPair,
  type Pair,
  pushMapping,
  putMapping,
  readMapping,
  setStatus,
} from './mappingWorld.ts';
import { orgOf } from './oktaWorld.ts';

const world = await startWorld();
const { control } = world;
const app = await world.startApp();
const org = orgOf(world);
const cast = await readCast(control);
const [kaya, liam, mina, noel, , amara, bruno] = crew;
const otherPlan = 'f'.repeat(32);

// The world is not reset: that would take Okta's token from the app.
beforeEach(async () => {
  await control.clearFaults();
  await control.clearCalls();
});
afterAll(() => world.close());

const idsOf = (...upns: string[]): string[] => upns.map(cast.idOf).sort();
const membersOf = async ({ target }: Pair): Promise<string[]> => (await control.membersOf(target)).sort();
const emptyOkta = (pair: Pair, logins: readonly string[]) =>
  org.tell('POST', `groups/${pair.oktaGroupId}/members`, { remove: logins });

/** A mapping in ERROR: its Okta group was emptied, and the worker found the guard in its way. */
async function brokenMapping(): Promise<Pair> {
  const pair = await activeMapping(world, app);
  await emptyOkta(pair, [kaya, liam, mina]);
  await app.fire('reconcilePushMapping', { oktaGroupId: pair.oktaGroupId });
  expect((await readMapping(app, pair)).body).toMatchObject({ status: 'ERROR', reasonCode: 'would_empty_group' });
  await control.clearCalls();
  return pair;
}

describe('a mapping that waits for approval', () => {
  test('becomes ACTIVE by the plan that was looked at, and the plan is carried out', async () => {
    const pair = await newPair(world, { inTarget: [amara] });
    const { planId } = (await putMapping(app, pair)).body ?? {};
    const answer = await setStatus(app, pair, { status: 'ACTIVE', planId });
    expect(answer).toMatchObject({
      status: 200,
      body: {
        ok: true,
        outcome: 'updated',
        changed: true,
        dryRun: false,
        status: 'ACTIVE',
        reasonCode: null,
        approvedAt: expect.any(String),
        lastReconcileAt: expect.any(String),
        lastAddedCount: 3,
        planId,
        done: true,
        addedCount: 3,
        removedCount: 0,
      },
    });
    expect(await membersOf(pair)).toEqual(idsOf(kaya, liam, mina, amara));
    expect((await readMapping(app, pair)).body).toMatchObject({ status: 'ACTIVE', managedCount: 3 });
    const rows = await auditRows(app.storage, String(answer.body?.requestId));
    expect(rows.find(({ operation }) => operation === 'PUT push-mappings/{oktaGroupId}/status')).toMatchObject({
      state: 'succeeded',
      targetId: pair.targetId,
      before: { status: 'INACTIVE' },
      planned: { status: 'ACTIVE', planId },
      after: { status: 'ACTIVE' },
    });
  });

  test('stays as it is without a plan, by another plan, and by one that reality has overtaken', async () => {
    const pair = await newPair(world);
    const { planId } = (await putMapping(app, pair)).body ?? {};
    const refused = await setStatus(app, pair, { status: 'ACTIVE' });
    expect(refused).toMatchObject({ status: 409, body: { code: 'not_approved' } });
    expect(refused.body?.fix).toMatch(/dryRun/);
    const other = await setStatus(app, pair, { status: 'ACTIVE', planId: otherPlan });
    expect(other).toMatchObject({ status: 409, body: { code: 'plan_changed' } });
    await org.tell('PUT', `groups/${pair.oktaGroupId}/members/${noel}`);
    const late = await setStatus(app, pair, { status: 'ACTIVE', planId });
    expect(late).toMatchObject({ status: 409, body: { code: 'plan_changed' } });
    expect(await control.writes()).toEqual([]);
    expect((await readMapping(app, pair)).body).toMatchObject({ status: 'INACTIVE', approvedAt: null });
    const rows = await auditRows(app.storage, String(late.body?.requestId));
    expect(rows).toMatchObject([{ state: 'failed', code: 'plan_changed' }]);
  });

  test('is told what becoming ACTIVE would do, and nothing is done', async () => {
    const pair = await newPair(world);
    await putMapping(app, pair);
    const answer = await setStatus(app, pair, { status: 'ACTIVE', dryRun: true });
    expect(answer.body).toMatchObject({
      ok: true,
      outcome: 'planned',
      changed: false,
      dryRun: true,
      status: 'INACTIVE',
      plannedCount: 3,
    });
    expect(answer.body?.message).toContain('would become ACTIVE');
    expect(await control.writes()).toEqual([]);
    expect(await auditRows(app.storage, String(answer.body?.requestId))).toEqual([]);
    expect((await readMapping(app, pair)).body).toMatchObject({ status: 'INACTIVE', approvedAt: null });
  });

  test('becomes ACTIVE where nobody has to come or go', async () => {
    const pair = await newPair(world, { inTarget: [kaya, liam, mina] });
    const { planId } = (await putMapping(app, pair)).body ?? {};
    const answer = await setStatus(app, pair, { status: 'ACTIVE', planId });
    expect(answer.body).toMatchObject({ ok: true, outcome: 'updated', changed: true, status: 'ACTIVE', addedCount: 0 });
    expect(await control.writes()).toEqual([]);
  });

  test('needs the guard lifted for a large removal, as every push', async () => {
    const inTarget = cast.staff.filter((upn) => !crew.includes(upn as never)).slice(0, 7);
    const pair = await newPair(world, { inTarget });
    const put = await putMapping(app, pair, { authority: 'exclusive' });
    expect(put.body?.warnings).toEqual(expect.arrayContaining([expect.stringContaining('too_many_removals')]));
    const request = { status: 'ACTIVE', planId: put.body?.planId };
    expect(await setStatus(app, pair, request)).toMatchObject({ status: 409, body: { code: 'too_many_removals' } });
    expect((await readMapping(app, pair)).body).toMatchObject({ status: 'INACTIVE' });
    const allowed = await setStatus(app, pair, { ...request, maxRemovals: 7 });
    expect(allowed.body).toMatchObject({ ok: true, status: 'ACTIVE', removedCount: 7, addedCount: 3 });
  });

  test('goes on as an operation where its plan is long', async () => {
    const people = Array.from({ length: 130 }, (_, index) => `sailor${index}@contoso.com`);
    await control.tenant({ users: people.map((upn) => ({ userPrincipalName: upn, mail: upn })) });
    await org.tell('PUT', 'org', { users: people.map((login) => ({ login })) });
    const pair = await newPair(world, { inOkta: people });
    const { planId } = (await putMapping(app, pair)).body ?? {};
    const answer = await setStatus(app, pair, { status: 'ACTIVE', planId });
    expect(answer).toMatchObject({ status: 202, body: { ok: false, outcome: 'running', done: false } });
    expect((await endOf(app, answer)).body).toMatchObject({ state: 'succeeded', addedCount: 130 });
    expect((await readMapping(app, pair)).body).toMatchObject({ status: 'ACTIVE', managedCount: 130 });
  });
});

describe('a mapping that is made ACTIVE again', () => {
  test('is left alone when it is ACTIVE', async () => {
    const pair = await activeMapping(world, app);
    const answer = await setStatus(app, pair, { status: 'ACTIVE' });
    expect(answer.body).toMatchObject({
      ok: true,
      outcome: 'unchanged',
      changed: false,
      status: 'ACTIVE',
      planId: null,
    });
    expect(await control.calls({ upstream: 'exchange' })).toEqual([]);
    expect(await control.calls({ upstream: 'graph' })).toEqual([]);
  });

  test('needs no approval after a pause, and catches up', async () => {
    const pair = await activeMapping(world, app);
    await setStatus(app, pair, { status: 'INACTIVE' });
    await org.tell('POST', `groups/${pair.oktaGroupId}/members`, { add: [noel], remove: [kaya] });
    const answer = await setStatus(app, pair, { status: 'ACTIVE' });
    expect(answer.body).toMatchObject({
      ok: true,
      outcome: 'updated',
      addedCount: 1,
      removedCount: 1,
      status: 'ACTIVE',
    });
    expect(await membersOf(pair)).toEqual(idsOf(liam, mina, noel));
  });

  test('from ERROR wants what stopped it allowed, and is well then', async () => {
    const pair = await brokenMapping();
    expect(await setStatus(app, pair, { status: 'ACTIVE' })).toMatchObject({ status: 409 });
    expect(await membersOf(pair)).toHaveLength(3);
    const allowed = await setStatus(app, pair, { status: 'ACTIVE', allowEmpty: true });
    expect(allowed.body).toMatchObject({ ok: true, status: 'ACTIVE', reasonCode: null, removedCount: 3 });
  });

  test('stays in ERROR when somebody could not be removed', async () => {
    const pair = await brokenMapping();
    const match = { cmdlet: 'Remove-DistributionGroupMember' };
    await control.fault({ upstream: 'exchange', match, fault: { kind: 'batchParts', indexes: [0], status: 403 } });
    const answer = await setStatus(app, pair, { status: 'ACTIVE', allowEmpty: true });
    expect(answer.body).toMatchObject({ ok: false, status: 'ERROR', removedCount: 2 });
    expect((await readMapping(app, pair)).body).toMatchObject({ status: 'ERROR', reasonCode: 'would_empty_group' });
    await control.clearFaults();
    const again = await setStatus(app, pair, { status: 'ACTIVE', allowEmpty: true });
    expect(again.body).toMatchObject({ ok: true, status: 'ACTIVE', reasonCode: null, removedCount: 1 });
  });

  test('is refused when the settings are changed while its plan is made, and writes nothing', async () => {
    const pair = await newPair(world);
    const { planId } = (await putMapping(app, pair)).body ?? {};
    const match = { path: `/groups/${pair.targetId}/members` };
    await control.fault({ upstream: 'graph', match, fault: { kind: 'throttle', seconds: 1 }, times: 1 });
    await control.clearCalls();
    const activated = setStatus(app, pair, { status: 'ACTIVE', planId });
    while (!(await control.calls()).some(({ status }) => status === 429)) await setImmediate();
    const tables = createTables({ type: 'connectionString', connectionString: app.storage });
    const call = testCall();
    await createPushMappingStore({ tables, clock: systemClock }).update(
      pair.oktaGroupId,
      ({ settings }) => ({ settings: { ...settings, adoptMembers: true } }),
      call,
    );
    call.end();
    expect(await activated).toMatchObject({ status: 409, body: { code: 'plan_changed' } });
    expect(await membersOf(pair)).toEqual([]);
    expect((await readMapping(app, pair)).body).toMatchObject({ status: 'INACTIVE', adoptMembers: true });
  });
});

describe('a mapping that is made INACTIVE', () => {
  test('is so at once: no upstream is asked, no member touched, and nothing waits any more', async () => {
    const pair = await activeMapping(world, app);
    const members = await membersOf(pair);
    await org.tell('DELETE', `groups/${pair.oktaGroupId}/members/${kaya}`);
    await control.clearCalls();
    const answer = await setStatus(app, pair, { status: 'INACTIVE' });
    expect(answer).toMatchObject({
      status: 200,
      body: {
        ok: true,
        outcome: 'updated',
        changed: true,
        status: 'INACTIVE',
        reasonCode: 'set_by_person',
        approvedAt: expect.any(String),
        planId: null,
        addedCount: null,
        done: true,
      },
    });
    expect(await control.calls()).toEqual([]);
    expect(await membersOf(pair)).toEqual(members);
    expect((await readMapping(app, pair)).body).toMatchObject({ status: 'INACTIVE', pendingCount: 0 });
    const rows = await auditRows(app.storage, String(answer.body?.requestId));
    expect(rows).toMatchObject([{ before: { status: 'ACTIVE' }, after: { status: 'INACTIVE' }, state: 'succeeded' }]);
    const again = await setStatus(app, pair, { status: 'INACTIVE' });
    expect(again.body).toMatchObject({ outcome: 'unchanged', changed: false, reasonCode: 'set_by_person' });
    expect(await pushMapping(app, pair)).toMatchObject({ status: 409, body: { code: 'push_mapping_inactive' } });
  });

  test('loses what waits, also when it is given more power', async () => {
    for (const stop of [
      (pair: Pair) => setStatus(app, pair, { status: 'INACTIVE' }),
      (pair: Pair) => putMapping(app, pair, { authority: 'exclusive' }),
    ]) {
      const pair = await activeMapping(world, app);
      const login = 'new.hire@contoso.com';
      await org.tell('PUT', `groups/${pair.oktaGroupId}/members/${login}`);
      await pushMapping(app, pair);
      expect((await readMapping(app, pair)).body).toMatchObject({
        pendingCount: 1,
        pendingSince: expect.any(String),
        nextDueAt: expect.any(String),
      });
      expect((await stop(pair)).body).toMatchObject({ status: 'INACTIVE' });
      expect((await readMapping(app, pair)).body).toMatchObject({
        pendingCount: 0,
        pendingSince: null,
        nextDueAt: null,
      });
    }
  });

  test('is only told so by a dry run', async () => {
    const pair = await activeMapping(world, app);
    const answer = await setStatus(app, pair, { status: 'INACTIVE', dryRun: true });
    expect(answer.body).toMatchObject({ outcome: 'planned', changed: false, status: 'ACTIVE' });
    expect((await readMapping(app, pair)).body).toMatchObject({ status: 'ACTIVE' });
  });

  test('may be one in ERROR', async () => {
    const pair = await brokenMapping();
    const answer = await setStatus(app, pair, { status: 'INACTIVE' });
    expect(answer.body).toMatchObject({ outcome: 'updated', status: 'INACTIVE', reasonCode: 'set_by_person' });
  });

  test('is INACTIVE however often at the same time', async () => {
    const pair = await activeMapping(world, app);
    const answers = await Promise.all([1, 2, 3].map(() => setStatus(app, pair, { status: 'INACTIVE' })));
    expect(answers.map(({ body }) => body?.status)).toEqual(['INACTIVE', 'INACTIVE', 'INACTIVE']);
  });
});

describe('a status', () => {
  test.each([[{ status: 'ERROR' }], [{}], [{ status: 'ACTIVE', planId: 'short' }]])(
    'as %j is refused',
    async (body) => {
      const pair = await newPair(world);
      expect(await setStatus(app, pair, body)).toMatchObject({ status: 400, body: { code: 'invalid_request' } });
    },
  );

  test('of a mapping that is not there is a 404, as is a push of it', async () => {
    const pair = await newPair(world);
    for (const status of ['ACTIVE', 'INACTIVE']) {
      expect(await setStatus(app, pair, { status })).toMatchObject({
        status: 404,
        body: { code: 'push_mapping_not_found' },
      });
    }
    expect(await pushMapping(app, pair)).toMatchObject({ status: 404, body: { code: 'push_mapping_not_found' } });
  });
});

describe('a push by a person', () => {
  test('makes the members what the Okta group says, and says what it did', async () => {
    const pair = await activeMapping(world, app, { inTarget: [bruno] });
    await org.tell('POST', `groups/${pair.oktaGroupId}/members`, { add: [noel], remove: [liam] });
    const planned = await pushMapping(app, pair, { dryRun: true });
    expect(planned.body).toMatchObject({ outcome: 'planned', changed: false, dryRun: true, plannedCount: 2 });
    expect(await control.writes()).toEqual([]);
    const { planId } = planned.body ?? {};
    const pushed = await pushMapping(app, pair, { planId });
    expect(pushed).toMatchObject({
      status: 200,
      body: {
        ok: true,
        outcome: 'updated',
        status: 'ACTIVE',
        planId,
        addedCount: 1,
        removedCount: 1,
        addedOutsideCount: 1,
      },
    });
    expect(await membersOf(pair)).toEqual(idsOf(kaya, mina, noel, bruno));
    expect((await pushMapping(app, pair)).body).toMatchObject({ outcome: 'unchanged', changed: false });
    expect(await pushMapping(app, pair, { planId: otherPlan })).toMatchObject({
      status: 409,
      body: { code: 'plan_changed' },
    });
  });

  test('may empty the target, and remove many, only where it is allowed to', async () => {
    const pair = await activeMapping(world, app);
    await emptyOkta(pair, [kaya, liam, mina]);
    expect(await pushMapping(app, pair)).toMatchObject({ status: 409, body: { code: 'would_empty_group' } });
    expect(await pushMapping(app, pair, { allowEmpty: true, maxRemovals: 2 })).toMatchObject({
      status: 409,
      body: { code: 'too_many_removals' },
    });
    expect((await pushMapping(app, pair, { allowEmpty: true })).body).toMatchObject({ ok: true, removedCount: 3 });
    expect(await membersOf(pair)).toEqual([]);
  });

  test('takes a match that has changed only where it may be found anew', async () => {
    const login = 'transferred.sailor@contoso.com';
    const [first, second] = ['11111111-aaaa-4111-8111-111111111111', '22222222-bbbb-4222-8222-222222222222'];
    const users = [first, second].map((id, index) => {
      const upn = `transferred${index}@contoso.com`;
      return { id, userPrincipalName: upn, mail: upn };
    });
    await control.tenant({ users });
    await org.addUser(login);
    await org.putAccount(login, { externalId: first });
    const oktaAppId = await org.appId();
    const pair = await activeMapping(world, app, { inOkta: [login, kaya] }, { oktaAppId });
    expect(await membersOf(pair)).toContain(first);
    await org.putAccount(login, { externalId: second });
    expect((await pushMapping(app, pair)).body).toMatchObject({
      ok: false,
      firstError: expect.stringContaining(login),
    });
    expect(await membersOf(pair)).toContain(first);
    await pushMapping(app, pair, { repin: `${login}, nobody@contoso.com` });
    expect(await membersOf(pair)).toContain(second);
  });

  test.each([[{ repin: [''] }], [{ maxRemovals: -1 }], [{ allowEmpty: 'perhaps' }]])(
    'as %j is refused',
    async (body) => {
      const pair = await newPair(world);
      expect(await pushMapping(app, pair, body)).toMatchObject({ status: 400, body: { code: 'invalid_request' } });
    },
  );
});

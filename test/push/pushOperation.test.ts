import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import type { Answer } from '../support/world.ts';
import { endOf } from '../members/setting.ts';
import {
  linkMapping,
  mappingOf,
  pushNow,
  type PushWorld,
  putList,
  putMapping,
  setStatus,
  startPushWorld,
} from './setting.ts';

let push: PushWorld;
let numbered = '';
beforeAll(async () => {
  push = await startPushWorld();
  await push.okta.seed({ users: 700, groups: 4, members: { 'Okta Group 0001': 700, 'Okta Group 0002': 150 } });
  numbered = await push.okta.groupId('Okta Group 0001');
});
beforeEach(async () => {
  await push.world.control.clearFaults();
  await push.world.control.tenant({ settings: { latencyMs: { graph: 0, exchange: 0 } } });
});
afterAll(() => push.close());

const login = (number: number) => `person${String(number).padStart(6, '0')}@contoso.com`;

async function stateOf({ body }: Answer): Promise<Record<string, unknown>> {
  return (await push.app.call('GET', `operations/${String(body?.operationId)}`)).body ?? {};
}

async function approved(oktaGroupId: string, mail: string): Promise<string> {
  const target = await putList(push, mail);
  await linkMapping(push.app, oktaGroupId, { target });
  return target;
}

describe('a push that is long', () => {
  test('stops when the mapping is set INACTIVE in the middle of it, and says so', async () => {
    const target = await putList(push, 'anchor-all@contoso.com');
    const put = await putMapping(push.app, numbered, { target });
    await push.world.control.tenant({ settings: { latencyMs: { graph: 0, exchange: 40 } } });
    const started = await setStatus(push.app, numbered, { status: 'ACTIVE', planId: put.body?.planId });
    expect(started.status).toBe(202);
    // The first slice is at work.
    while ((await push.world.control.membersOf(target)).length === 0) push.app.host.lookIntoQueues();
    await setStatus(push.app, numbered, { status: 'INACTIVE' });
    const ended = await endOf(push.app, started);
    expect(ended.body).toMatchObject({
      state: 'failed',
      code: 'push_mapping_inactive',
      addedCount: 500,
      totalCount: 700,
    });
    expect(await push.world.control.membersOf(target)).toHaveLength(500);
    expect(await mappingOf(push.app, numbered)).toMatchObject({ status: 'INACTIVE' });

    // Approved once, it may go on; who is in already is not written again.
    await push.world.control.tenant({ settings: { latencyMs: { graph: 0, exchange: 0 } } });
    const again = await endOf(push.app, await setStatus(push.app, numbered, { status: 'ACTIVE' }));
    expect(again.body).toMatchObject({ state: 'succeeded', addedCount: 200, unchangedCount: 500 });
    expect(await mappingOf(push.app, numbered)).toMatchObject({ status: 'ACTIVE', lastReconcileClean: true });
  }, 60_000);

  test('is one operation for the same request, and keeps another one from the group', async () => {
    const oktaGroupId = await push.okta.groupId('Okta Group 0002');
    const target = await putList(push, 'anchor-some@contoso.com');
    const put = await putMapping(push.app, oktaGroupId, { target });
    await push.world.control.tenant({ settings: { latencyMs: { graph: 0, exchange: 60 } } });
    const first = await setStatus(push.app, oktaGroupId, { status: 'ACTIVE', planId: put.body?.planId });
    const same = await setStatus(push.app, oktaGroupId, { status: 'ACTIVE', planId: put.body?.planId });
    expect(same.body).toMatchObject({ operationId: first.body?.operationId });
    const other = await pushNow(push.app, oktaGroupId, { maxRemovals: 3 });
    expect([other.status, other.body?.code]).toEqual([409, expect.stringMatching(/group_busy|push_mapping_inactive/)]);
    expect((await endOf(push.app, first)).body).toMatchObject({ state: 'succeeded', addedCount: 150 });
  }, 60_000);

  test('waits out a throttle, and tells whom it leaves alone', async () => {
    const oktaGroupId = await push.okta.groupId('Okta Group 0003');
    const target = await approved(oktaGroupId, 'anchor-later@contoso.com');
    await push.okta.changeMembers('Okta Group 0003', { add: Array.from({ length: 120 }, (_, at) => login(at + 1)) });
    await push.world.control.addMember(target, 'olga.petrova@contoso.com');
    await push.world.control.fault({
      upstream: 'exchange',
      match: { cmdlet: 'Add-DistributionGroupMember' },
      fault: { kind: 'throttle', seconds: 2 },
      skip: 3,
      times: 1,
    });
    const answer = await pushNow(push.app, oktaGroupId);
    expect(answer.status).toBe(202);
    const ended = await endOf(push.app, answer);
    expect(ended.body).toMatchObject({ state: 'succeeded', addedCount: 120, keptCount: 1 });
    expect(await push.world.control.membersOf(target)).toHaveLength(121);
  }, 60_000);
});

describe('a limit for removals', () => {
  test('holds for the whole of a push, however many slices it takes', async () => {
    await push.okta.org({ groups: [{ name: 'Few Left', members: ['mina.sato@contoso.com'] }] });
    const oktaGroupId = await push.okta.groupId('Few Left');
    const members = Array.from({ length: 600 }, (_, at) => login(at + 1));
    const target = await putList(push, 'few-left@contoso.com', members);
    const put = await putMapping(push.app, oktaGroupId, { target, authority: 'exclusive' });
    await push.world.control.tenant({ settings: { latencyMs: { graph: 0, exchange: 20 } } });
    const { planId } = put.body ?? {};
    const started = await setStatus(push.app, oktaGroupId, { status: 'ACTIVE', planId, maxRemovals: 600 });
    expect(started.status).toBe(202);
    // The first slice is at work when one more comes in from outside.
    while ((await push.world.control.membersOf(target)).length >= 600) push.app.host.lookIntoQueues();
    await push.world.control.addMember(target, login(601));
    const ended = await endOf(push.app, started);
    expect(ended.body).toMatchObject({ state: 'failed', code: 'too_many_removals', removedCount: 500 });
    expect(await push.world.control.membersOf(target)).toHaveLength(102);
  }, 60_000);
});

describe('a survey that takes too long for a request', () => {
  test('is made by an operation: of a dry run the plan alone, else all of it', async () => {
    const oktaGroupId = await push.okta.groupId('Okta Group 0004');
    const target = await approved(oktaGroupId, 'anchor-slow@contoso.com');
    await push.okta.changeMembers('Okta Group 0004', { add: [login(1), login(2)] });
    // More than the 12 s that a request has for it.
    const throttle = { kind: 'throttle', seconds: 14 } as const;
    const match = { path: '/members' };
    await push.world.control.fault({ upstream: 'graph', match, fault: throttle, times: 1 });
    const dry = await pushNow(push.app, oktaGroupId, { dryRun: true });
    expect([dry.status, dry.body?.outcome, dry.body?.dryRun]).toEqual([202, 'running', true]);
    expect((await endOf(push.app, dry)).body).toMatchObject({ state: 'succeeded', planOnly: true, totalCount: 2 });
    expect(await push.world.control.membersOf(target)).toEqual([]);

    await push.world.control.fault({ upstream: 'graph', match, fault: throttle, times: 1 });
    const real = await pushNow(push.app, oktaGroupId);
    expect([real.status, real.body?.outcome]).toEqual([202, 'running']);
    const ended = await endOf(push.app, real);
    expect(ended.body).toMatchObject({ state: 'succeeded', addedCount: 2, totalCount: 2 });
    expect((await stateOf(real)).planId).toMatch(/^[0-9a-f]{32}$/);
    expect(await push.world.control.membersOf(target)).toHaveLength(2);
  }, 90_000);
});

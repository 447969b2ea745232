import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { endOf } from '../members/setting.ts';
import {
  linkMapping,
  mapGroup,
  mappingOf,
  memberNames,
  type NewGroup,
  pushNow,
  type PushWorld,
  putList,
  putMapping,
  setStatus,
  startPushWorld,
} from './setting.ts';

let push: PushWorld;

beforeAll(async () => {
  push = await startPushWorld();
  await push.hook();
});
beforeEach(async () => {
  await push.world.control.clearFaults();
  await push.world.control.clearCalls();
});
afterAll(() => push.close());

const [mina, noel, olga, pedro, quinn] = [
  'mina.sato@contoso.com',
  'noel.fischer@contoso.com',
  'olga.petrova@contoso.com',
  'pedro.alves@contoso.com',
  'quinn.harper@contoso.com',
];

const mapped = (...group: NewGroup) => mapGroup(push, ...group);

const upnsOf = (target: string) => memberNames(push, { target });

describe('a person', () => {
  test('who joins the Okta group appears in the list, and is gone after leaving', async () => {
    const { oktaGroupId, target, answer } = await mapped('Harbour Crew', [mina]);
    expect(answer.body).toMatchObject({ outcome: 'updated', addedCount: 1, status: 'ACTIVE' });
    expect(await upnsOf(target)).toEqual([mina]);

    await push.okta.join('Harbour Crew', noel);
    await push.served(oktaGroupId);
    expect(await upnsOf(target)).toEqual([mina, noel]);

    await push.okta.leave('Harbour Crew', mina);
    await push.served(oktaGroupId);
    expect(await upnsOf(target)).toEqual([noel]);
    expect(await mappingOf(push.app, oktaGroupId)).toMatchObject({ status: 'ACTIVE', pendingCount: 0 });
  });

  test('who is deactivated is gone from the list', async () => {
    const { oktaGroupId, target } = await mapped('Harbour Night', [mina, quinn]);
    // For good: nothing brings anybody back in this file.
    await push.okta.status(quinn, 'DEPROVISIONED');
    await push.served(oktaGroupId);
    expect(await upnsOf(target)).toEqual([mina]);
  });
});

describe('a mapping that limits additions', () => {
  test('does not count again who has come already, when events come twice before Graph shows it', async () => {
    const { oktaGroupId, target } = await mapped('Gangway', [mina], { maxAdditions: 2 });
    await push.world.control.tenant({ settings: { replicationLagMs: { exchangeToEntra: 3_600_000 } } });
    await push.okta.join('Gangway', noel);
    await push.served(oktaGroupId);
    for (const person of [mina, noel]) {
      const ids = [
        { type: 'User', id: await push.okta.userId(person) },
        { type: 'UserGroup', id: oktaGroupId },
      ];
      await push.okta.send('POST', 'events', [{ eventType: 'group.user_membership.add', target: ids }]);
    }
    await push.served(oktaGroupId);
    expect(await mappingOf(push.app, oktaGroupId)).toMatchObject({ status: 'ACTIVE', reasonCode: null });

    // Two have come, and one more would be one too many.
    await push.okta.join('Gangway', olga);
    await push.served(oktaGroupId);
    expect(await mappingOf(push.app, oktaGroupId)).toMatchObject({
      status: 'ERROR',
      reasonCode: 'too_many_additions',
    });
    expect(await upnsOf(target)).toEqual([mina, noel]);
    await push.world.control.tenant({ settings: { replicationLagMs: { exchangeToEntra: 0 } } });
  });
});

describe('a linked list', () => {
  const outsiders = [
    'guest.partner_example.com#EXT#@contoso.onmicrosoft.com',
    'front.desk@contoso.com',
    'harbour-nested@contoso.com',
    olga,
  ];

  /** With a guest, a shared mailbox, a nested list, a contact and somebody whom its owner has added. */
  async function linked(name: string, more: object = {}) {
    const { control } = push.world;
    await putList(push, 'harbour-nested@contoso.com');
    const mail = `${name.toLowerCase()}-contact@example.com`;
    await control.tenant({ contacts: [{ displayName: `${name} Contact`, mail }] });
    await push.okta.org({ groups: [{ name, members: [mina, pedro] }] });
    const oktaGroupId = await push.okta.groupId(name);
    const members = [...outsiders, mail, mina];
    const target = await putList(push, `${name.toLowerCase()}@contoso.com`, members);
    const put = await putMapping(push.app, oktaGroupId, { target, ...more });
    return { oktaGroupId, target, put, mail };
  }

  test('keeps its contacts, guests, shared mailboxes, lists and owner-added people under managed', async () => {
    const { oktaGroupId, target, put, mail } = await linked('Quay');
    expect(put.body).toMatchObject({
      outcome: 'created',
      status: 'INACTIVE',
      reasonCode: 'awaiting_approval',
      plannedCount: 1,
      addedOutsideCount: 5,
      exclusiveWouldRemoveCount: 5,
    });
    expect(put.body?.exclusiveWouldRemove).toContain(mail);
    expect(await push.world.control.writes()).toEqual([]);
    const before = await push.world.control.membersOf(target);

    const approved = await setStatus(push.app, oktaGroupId, { status: 'ACTIVE', planId: put.body?.planId });
    expect(approved.body).toMatchObject({ outcome: 'updated', addedCount: 1, removedCount: 0, keptCount: 5 });
    const after = await push.world.control.membersOf(target);
    expect(after).toEqual(expect.arrayContaining(before));
    expect(after).toHaveLength(before.length + 1);
  });

  test('loses them under exclusive, once somebody has seen and allowed it', async () => {
    const { oktaGroupId, target, put } = await linked('Berth', { authority: 'exclusive' });
    const planId = put.body?.planId;
    expect(put.body).toMatchObject({ plannedCount: 6, exclusiveWouldRemoveCount: 0 });
    const allowed = await setStatus(push.app, oktaGroupId, { status: 'ACTIVE', planId, maxRemovals: 5 });
    expect(allowed.body).toMatchObject({ outcome: 'updated', addedCount: 1, removedCount: 5, status: 'ACTIVE' });
    expect(await upnsOf(target)).toEqual([mina, pedro]);
  });

  test('is left alone while nobody has approved the plan, and when reality has overtaken it', async () => {
    const { oktaGroupId, target, put } = await linked('Mole');
    const before = await push.world.control.membersOf(target);
    expect((await setStatus(push.app, oktaGroupId, { status: 'ACTIVE' })).body).toMatchObject({ code: 'not_approved' });
    expect((await pushNow(push.app, oktaGroupId)).body).toMatchObject({ code: 'push_mapping_inactive' });
    await push.okta.join('Mole', noel);
    await push.served(oktaGroupId);
    const late = await setStatus(push.app, oktaGroupId, { status: 'ACTIVE', planId: put.body?.planId });
    expect(late.body).toMatchObject({ code: 'plan_changed' });
    expect(await push.world.control.membersOf(target)).toEqual(before);
    expect(await mappingOf(push.app, oktaGroupId)).toMatchObject({ status: 'INACTIVE', pendingCount: 0 });
  });
});

describe('a member who was there before the mapping', () => {
  test('stays when leaving the Okta group, since the mapping has not added it', async () => {
    const { oktaGroupId, target } = await mapped('Slip', [mina, noel], {}, [mina]);
    await push.okta.leave('Slip', mina);
    await push.served(oktaGroupId);
    expect(await upnsOf(target)).toEqual([mina, noel]);
    const { body } = await pushNow(push.app, oktaGroupId, { dryRun: true });
    expect(body).toMatchObject({ outcome: 'unchanged', plannedCount: 0, addedOutside: [mina] });
  });

  test('goes when leaving it, where the mapping adopts', async () => {
    const { oktaGroupId, target } = await mapped('Dock', [mina, noel], { adoptMembers: true }, [mina]);
    await push.okta.leave('Dock', mina);
    await push.served(oktaGroupId);
    expect(await upnsOf(target)).toEqual([noel]);
  });
});

describe('a group', () => {
  test('that is renamed goes on, and its list keeps its name', async () => {
    const { oktaGroupId, target } = await mapped('Ferry', [mina]);
    await push.okta.rename('Ferry', 'Ferry Line');
    await push.okta.join('Ferry Line', noel);
    await push.served(oktaGroupId);
    expect(await upnsOf(target)).toEqual([mina, noel]);
    expect(await mappingOf(push.app, oktaGroupId)).toMatchObject({ status: 'ACTIVE', oktaGroupName: 'Ferry Line' });
    expect((await push.app.call('GET', `groups/${target}`)).body).toMatchObject({ displayName: 'ferry' });
  });

  test('that is renamed takes its list along where the mapping asks for it', async () => {
    const { oktaGroupId, target } = await mapped('Pilot', [mina], { renameTarget: true });
    await push.okta.rename('Pilot', 'Pilot Boats');
    await push.served(oktaGroupId);
    expect((await push.app.call('GET', `groups/${target}`)).body).toMatchObject({ displayName: 'Pilot Boats' });
    await push.world.control.clearCalls();
    await push.app.fire('reconcilePushMapping', { oktaGroupId });
    expect(await push.world.control.writes()).toEqual([]);
  });

  test('that is deleted makes the mapping INACTIVE and touches no member', async () => {
    const { oktaGroupId, target } = await mapped('Buoy', [mina, noel]);
    await push.okta.deleteGroup('Buoy');
    await push.served(oktaGroupId);
    expect(await upnsOf(target)).toEqual([mina, noel]);
    expect(await mappingOf(push.app, oktaGroupId)).toMatchObject({
      status: 'INACTIVE',
      reasonCode: 'okta_group_deleted',
    });
  });

  test('that is merely out of sight when its name changes puts the mapping in ERROR: nobody has told of its end', async () => {
    const { oktaGroupId, target } = await mapped('Fog', [mina, noel]);
    const body = JSON.stringify({
      errorCode: 'E0000007',
      errorSummary: 'Not found: Resource not found',
      errorCauses: [],
    });
    const fault = { kind: 'status', status: 404, body, contentType: 'application/json' } as const;
    await push.world.control.fault({ upstream: 'okta', match: { path: `/groups/${oktaGroupId}` }, fault, times: 99 });
    await push.okta.rename('Fog', 'Thick Fog');
    await push.served(oktaGroupId);
    expect(await upnsOf(target)).toEqual([mina, noel]);
    expect(await mappingOf(push.app, oktaGroupId)).toMatchObject({
      status: 'ERROR',
      reasonCode: 'okta_object_not_found',
    });
    await push.world.control.clearFaults();
    await push.app.fire('reconcilePushMapping', { oktaGroupId });
    expect(await mappingOf(push.app, oktaGroupId)).toMatchObject({ status: 'ACTIVE', oktaGroupName: 'Thick Fog' });
  });
});

describe('a reconcile', () => {
  test('keeps and reports what somebody did in Exchange, and waits with whom it has just added itself', async () => {
    const { control } = push.world;
    const { oktaGroupId, target } = await mapped('Tide', [mina, noel]);
    await control.addMember(target, olga);
    await control.removeMember(target, noel);
    // What Graph shows of a write of ours is believed only after a while.
    const drift = await pushNow(push.app, oktaGroupId, { dryRun: true });
    expect(drift.body).toMatchObject({ addedOutside: [olga], removedOutsideCount: 0 });
  });

  test('makes no call but one where nothing has moved', async () => {
    const { oktaGroupId } = await mapped('Ebb', [mina]);
    await push.app.fire('reconcilePushMapping', { oktaGroupId });
    await push.world.control.clearCalls();
    await push.app.fire('reconcilePushMapping', { oktaGroupId });
    const calls = await push.world.control.calls();
    expect(calls.map(({ upstream, method }) => `${upstream} ${method}`)).toEqual(['okta GET']);
  });

  test('looks at everybody again once the settings of the mapping are others', async () => {
    const { oktaGroupId, target } = await mapped('Neap', [mina, 'vera.kovac@contoso.com']);
    expect(await upnsOf(target)).toEqual([mina]);
    // Who is suspended counts from now on.
    const desiredStatuses = ['ACTIVE', 'RECOVERY', 'PASSWORD_EXPIRED', 'LOCKED_OUT', 'SUSPENDED'];
    const changed = await putMapping(push.app, oktaGroupId, { target, desiredStatuses });
    expect(changed.body).toMatchObject({ outcome: 'updated', status: 'ACTIVE', plannedCount: 1 });
    await push.app.fire('reconcilePushMapping', { oktaGroupId });
    expect(await upnsOf(target)).toEqual([mina, 'vera.kovac@contoso.com']);
  });

  test('of every mapping but the INACTIVE ones is asked for by the timer', async () => {
    const { oktaGroupId } = await mapped('Flood', [mina]);
    await setStatus(push.app, oktaGroupId, { status: 'INACTIVE' });
    const other = await mapped('Spring Tide', [mina]);
    await push.okta.send('POST', 'groups/Spring%20Tide/members', { add: [noel] });
    await push.okta.settle();
    await push.app.fire('reconcilePushMappings');
    await push.app.idle();
    expect(await upnsOf(other.target)).toEqual([mina, noel]);
    expect(await mappingOf(push.app, oktaGroupId)).toMatchObject({ status: 'INACTIVE' });
  });
});

describe('a push that is long', () => {
  test('goes on as an operation, and ends with everybody in the list', async () => {
    await push.okta.seed({ users: 300, groups: 1, members: { 'Okta Group 0001': 300 } });
    const oktaGroupId = await push.okta.groupId('Okta Group 0001');
    const target = await putList(push, 'harbour-all@contoso.com');
    const answer = await linkMapping(push.app, oktaGroupId, { target });
    expect(answer.status).toBe(202);
    expect(answer.body).toMatchObject({ outcome: 'running', done: false, plannedCount: 0 });
    const ended = await endOf(push.app, answer);
    expect(ended.body).toMatchObject({ state: 'succeeded', type: 'push', addedCount: 300, doneCount: 300 });
    expect(await push.world.control.membersOf(target)).toHaveLength(300);
    expect(await mappingOf(push.app, oktaGroupId)).toMatchObject({ status: 'ACTIVE' });
  }, 60_000);
});

import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { mapGroup, mappingOf, type NewGroup, type PushWorld, setStatus, startPushWorld } from './setting.ts';

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

const [mina, noel, olga] = ['mina.sato@contoso.com', 'noel.fischer@contoso.com', 'olga.petrova@contoso.com'];

const mapped = (...group: NewGroup) => mapGroup(push, ...group);

describe('a message that nobody can serve', () => {
  test('says so and does nothing', async () => {
    await push.app.fire('processPendingChanges', 'no mapping');
    await push.app.fire('processPendingChanges', { oktaGroupId: '00gNobody' });
    await push.app.fire('reconcilePushMapping', 'no mapping');
    await push.app.fire('reconcilePushMapping', { oktaGroupId: '00gNobody' });
    await push.app.fire('processPendingChangesPoison', 'no mapping');
    await push.app.fire('processPendingChangesPoison', { oktaGroupId: '00gNobody' });
    expect(await push.world.control.calls()).toEqual([]);
  });
});

describe('a poisoned message', () => {
  test.each(['processPendingChangesPoison', 'reconcilePushMappingPoison'])(
    'of %s puts the mapping in ERROR, and a clean reconcile makes it ACTIVE',
    async (poison) => {
      const { oktaGroupId, target } = await mapped(poison, [mina]);
      await push.app.fire(poison, { oktaGroupId });
      expect(await mappingOf(push.app, oktaGroupId)).toMatchObject({ status: 'ERROR', reasonCode: 'internal_error' });
      // ERROR still receives changes.
      await push.okta.join(poison, noel);
      await push.served(oktaGroupId);
      expect(await push.world.control.membersOf(target)).toHaveLength(2);
      expect(await mappingOf(push.app, oktaGroupId)).toMatchObject({ status: 'ERROR' });
      await push.app.fire('reconcilePushMapping', { oktaGroupId });
      expect(await mappingOf(push.app, oktaGroupId)).toMatchObject({ status: 'ACTIVE', reasonCode: null });
    },
  );

  test('leaves alone what a person has set INACTIVE', async () => {
    const { oktaGroupId } = await mapped('Rest', [mina]);
    await setStatus(push.app, oktaGroupId, { status: 'INACTIVE' });
    await push.app.fire('processPendingChangesPoison', { oktaGroupId });
    expect(await mappingOf(push.app, oktaGroupId)).toMatchObject({ status: 'INACTIVE', reasonCode: 'set_by_person' });
  });
});

describe('a target that is gone', () => {
  test('puts the mapping in ERROR, by an event and by a reconcile', async () => {
    for (const name of ['Wreck', 'Wreck Too']) {
      const { oktaGroupId, target } = await mapped(name, [mina]);
      const deleted = await push.app.call('DELETE', `groups/${target}`, {
        query: { confirm: `${name.toLowerCase().replaceAll(' ', '-')}@contoso.com` },
      });
      expect(deleted.status).toBe(200);
      await push.okta.join(name, noel);
      if (name === 'Wreck') await push.served(oktaGroupId);
      else await push.app.fire('reconcilePushMapping', { oktaGroupId });
      expect(await mappingOf(push.app, oktaGroupId)).toMatchObject({ status: 'ERROR', reasonCode: 'group_not_found' });
    }
  });
});

describe('what passes by itself', () => {
  test('of Okta neither removes anybody nor makes an ERROR', async () => {
    const { oktaGroupId, target } = await mapped('Swell', [mina, noel]);
    await push.world.control.fault({ upstream: 'okta', fault: { kind: 'status', status: 500 }, times: 500 });
    await push.okta.leave('Swell', noel);
    await push.okta.settle();
    await push.app.idle();
    await push.app.fire('processPendingChanges', { oktaGroupId });
    expect(await push.world.control.membersOf(target)).toHaveLength(2);
    expect(await mappingOf(push.app, oktaGroupId)).toMatchObject({ status: 'ACTIVE', pendingCount: 1 });
    await push.world.control.clearFaults();
  });
});

describe('what a worker could not do beside its work', () => {
  test('stands in the log', async () => {
    const { oktaGroupId } = await mapped('Burgee', [mina], { renameTarget: true });
    const match = { cmdlet: 'Set-DistributionGroup' };
    await push.world.control.fault({ upstream: 'exchange', match, fault: { kind: 'status', status: 403 }, times: 9 });
    await push.okta.rename('Burgee', 'Burgee Anew');
    await push.served(oktaGroupId);
    await push.world.control.clearFaults();
    const lines = push.app.host.logs.map(({ message }) => message).filter((line) => line.includes('worker_warning'));
    expect(lines).toContainEqual(expect.stringContaining('its target could not follow'));
  });

  test('stands there also where Exchange refuses one member', async () => {
    const { oktaGroupId, target } = await mapped('Jetsam', [mina, noel, olga]);
    await push.world.control.fault({
      upstream: 'exchange',
      match: { cmdlet: 'Remove-DistributionGroupMember' },
      fault: { kind: 'batchParts', indexes: [0], status: 403 },
      times: 9,
    });
    await push.okta.leave('Jetsam', noel);
    await push.served(oktaGroupId);
    await push.world.control.clearFaults();
    expect(await push.world.control.membersOf(target)).toHaveLength(3);
    const lines = push.app.host.logs.map(({ message }) => message).filter((line) => line.includes('push_refused'));
    expect(lines).toEqual([expect.stringMatching(new RegExp(`"oktaGroupId":"${oktaGroupId}".*"refusedCount":1`))]);
  });
});

describe('what does not pass', () => {
  test('puts the mapping in ERROR when its reconcile is given up, until a clean one', async () => {
    const { oktaGroupId } = await mapped('Doldrums', [mina]);
    await push.okta.changeMembers('Doldrums', { add: [noel] });
    await push.world.control.fault({ upstream: 'okta', fault: { kind: 'status', status: 500 }, times: 50 });
    await push.app.fire('reconcilePushMapping', { oktaGroupId, attempt: 9 });
    expect(await mappingOf(push.app, oktaGroupId)).toMatchObject({ status: 'ACTIVE' });
    await push.app.fire('reconcilePushMapping', { oktaGroupId, attempt: 10 });
    expect(await mappingOf(push.app, oktaGroupId)).toMatchObject({ status: 'ERROR', reasonCode: 'upstream_failed' });
    await push.world.control.clearFaults();
    await push.app.fire('reconcilePushMapping', { oktaGroupId });
    expect(await mappingOf(push.app, oktaGroupId)).toMatchObject({ status: 'ACTIVE', reasonCode: null });
  });
});

describe('somebody whom the mapping has never added, and who is to go', () => {
  test('is still pending when Exchange does not let it happen now', async () => {
    const { oktaGroupId, target } = await mapped('Flotsam', [mina, noel], { authority: 'exclusive' }, [mina, noel]);
    await push.world.control.fault({
      upstream: 'exchange',
      match: { cmdlet: 'Remove-DistributionGroupMember' },
      fault: { kind: 'status', status: 503 },
      times: 20,
    });
    await push.okta.leave('Flotsam', noel);
    await push.served(oktaGroupId);
    await push.world.control.clearFaults();
    expect(await push.world.control.membersOf(target)).toHaveLength(2);
    expect(await mappingOf(push.app, oktaGroupId)).toMatchObject({ status: 'ACTIVE', pendingCount: 1 });
  });
});

describe('two Okta users who are the same object in Entra', () => {
  test('keep it a member until the last one leaves', async () => {
    const minaId = await push.world.control.membersOf((await mapped('Twin Probe', [mina])).target);
    await push.okta.org({
      users: [{ login: 'mina.second@contoso.com' }],
      appUsers: [{ app: await appId(), user: 'mina.second@contoso.com', externalId: minaId[0] }],
    });
    const { oktaGroupId, target } = await mapped('Twins', [mina, 'mina.second@contoso.com', olga], {
      oktaAppId: await appId(),
    });
    expect(await push.world.control.membersOf(target)).toHaveLength(2);
    await push.okta.leave('Twins', mina);
    await push.served(oktaGroupId);
    expect(await push.world.control.membersOf(target)).toHaveLength(2);
    await push.app.fire('reconcilePushMapping', { oktaGroupId });
    expect(await push.world.control.membersOf(target)).toHaveLength(2);
    await push.okta.leave('Twins', 'mina.second@contoso.com');
    await push.served(oktaGroupId);
    await push.app.fire('reconcilePushMapping', { oktaGroupId });
    expect(await push.world.control.membersOf(target)).toHaveLength(1);
  });
});

describe('a throttle for long', () => {
  test('is tried again and makes no ERROR', async () => {
    const { oktaGroupId, target } = await mapped('Surf', [mina]);
    await push.world.control.fault({
      upstream: 'exchange',
      match: { cmdlet: 'Add-DistributionGroupMember' },
      fault: { kind: 'throttle', seconds: 600 },
      times: 1,
    });
    await push.okta.join('Surf', noel);
    await push.served(oktaGroupId);
    expect(await mappingOf(push.app, oktaGroupId)).toMatchObject({ status: 'ACTIVE', pendingCount: 1 });
    expect(await push.world.control.membersOf(target)).toHaveLength(1);
  });
});

async function appId(): Promise<string> {
  const { apps } = (await push.okta.send('GET', 'state')) as { apps: { id: string; name: string }[] };
  const id = apps.find(({ name }) => name === 'office365')?.id;
  if (id === undefined) throw new Error('no Office 365 app');
  return id;
}

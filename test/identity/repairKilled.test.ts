import { afterAll, afterEach, expect, test } from '@jest/globals';
import { setTimeout as delay } from 'node:timers/promises';
import { ownStorage } from '../support/environment.ts';
import { type HostProcess, startHostProcess } from '../support/hostProcess.ts';
import { repairOf, startRepairWorld, stepsOf } from './repairSetting.ts';

const { world, seed, the, seen } = await startRepairWorld();
const { control } = world;
const settings = { OKTA_ORG_URL: '', OKTA_CLIENT_ID: '', OKTA_PRIVATE_KEY: '', OKTA_KEY_ID: '' };
const hosts: HostProcess[] = [];

afterEach(async () => {
  await Promise.all(hosts.splice(0).map((host) => host.kill()));
});
afterAll(() => world.close());

async function start(storage: string): Promise<HostProcess> {
  const host = await startHostProcess(world, storage, { settings });
  hosts.push(host);
  return host;
}

/** Of a PATCH that was accepted. */
const written = async (name: string, property: string) =>
  (await control.calls({ method: 'PATCH', path: `/users/${the(name).id}` })).some(
    ({ status, requestBody }) => status === 204 && property in (requestBody as object),
  );

/** Kills the process that repairs somebody once this property was written, and asks another one by `asked`. */
async function killAndAskAnother(name: string, property: string, asked: 'ownName' | 'temporaryName'): Promise<void> {
  const { userPrincipalName, expected } = the(name);
  const storage = await ownStorage();
  const first = await start(storage);
  const request = repairOf(first, userPrincipalName, { externalId: expected }).catch(() => null);
  while (!(await written(name, property))) await delay(20);
  await first.kill();
  await request;
  const { userPrincipalName: temporary } = await seen(name);
  expect(temporary).toMatch(/@contoso\.onmicrosoft\.com$/);

  const second = await start(storage);
  for (;;) {
    const again = await repairOf(second, asked === 'ownName' ? userPrincipalName : temporary, {});
    if (again.body?.done === true) {
      expect(again.body).toMatchObject({ ok: true, outcome: 'repaired' });
      // What the dead one had sent was stored before.
      expect(stepsOf(again).slice(0, 2)).toEqual(['setImmutableId refused', expect.stringMatching(/^moveUpn /)]);
      break;
    }
    // Under way while the lease of the dead ends.
    expect(again.status).toBe(202);
    await delay(500);
  }
  expect(await seen(name)).toEqual({ userPrincipalName, immutableId: expected });
  expect((await second.call('GET', 'operations')).body).toMatchObject({ operations: [{ state: 'succeeded' }] });
}

// Whoever is killed leaves a lease of 15 s, which nobody may break: both are waited for at once.
test('whoever was away when the process was killed is brought home repaired by another one', async () => {
  await seed();
  // Slow enough to be caught in the middle.
  await control.tenant({ settings: { latencyMs: { graph: 400 } } });
  await Promise.all([
    killAndAskAnother('free', 'userPrincipalName', 'ownName'),
    killAndAskAnother('bare', 'onPremisesImmutableId', 'temporaryName'),
  ]);
}, 120_000);

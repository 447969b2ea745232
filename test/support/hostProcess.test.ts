import { afterAll, afterEach, describe, expect, test } from '@jest/globals';
import { type HostProcess, startHostProcess } from './hostProcess.ts';
import { ownStorage, startWorld } from './world.ts';

const world = await startWorld();
const started: HostProcess[] = [];

async function start(storage: string): Promise<HostProcess> {
  const host = await startHostProcess(world, storage);
  started.push(host);
  return host;
}

afterEach(async () => {
  await Promise.all(started.splice(0).map((host) => host.kill()));
});
afterAll(() => world.close());

describe('the host as a process', () => {
  test('serves the app in the tenant of the world, and is gone once killed', async () => {
    const host = await start(await ownStorage());
    const answer = await host.call('GET', 'connection');
    expect(answer).toMatchObject({ status: 200, body: { ok: true, failedCount: 0 } });
    await host.kill();
    await expect(fetch(host.api)).rejects.toThrow();
  });

  test('another one on the same storage finds what the first one wrote', async () => {
    const storage = await ownStorage();
    const first = await start(storage);
    const body = { kind: 'distributionList', displayName: 'Kept', alias: 'kept', owners: ['amara.osei@contoso.com'] };
    expect((await first.call('POST', 'groups', { body })).status).toBe(201);
    await first.kill();
    const second = await start(storage);
    expect((await second.call('GET', 'groups/kept@contoso.com')).body).toMatchObject({ displayName: 'Kept' });
  });
});

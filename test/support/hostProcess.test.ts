import { afterAll, afterEach, describe, expect, test } from '@jest/globals';
import { auditRows } from './auditRows.ts';
import { ownStorage } from './environment.ts';
import { type HostProcess, startHostProcess } from './hostProcess.ts';
import { startWorld } from './world.ts';

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
    const answer = await host.call('GET', 'groups/nobody@contoso.com');
    expect(answer).toMatchObject({ status: 404, body: { code: 'group_not_found' } });
    await host.kill();
    await expect(fetch(host.api)).rejects.toThrow();
  });

  test('two on the same storage write into the same tables', async () => {
    const storage = await ownStorage();
    const [first, second] = await Promise.all([start(storage), start(storage)]);
    const body = { kind: 'distributionList', displayName: 'Kept', alias: 'kept', owners: ['amara.osei@contoso.com'] };
    for (const [index, host] of [first, second].entries()) {
      const answer = await host.call('POST', 'groups', {
        body: { ...body, displayName: `Kept ${index}`, alias: `kept${index}` },
      });
      expect(await auditRows(storage, String(answer.body?.requestId))).not.toEqual([]);
    }
  });

  test('fires a function through its admin door, and says when there is none', async () => {
    const host = await start(await ownStorage());
    await expect(host.fire('noSuchFunction')).rejects.toThrow('answered 404');
  });
});

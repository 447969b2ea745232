import { afterAll, afterEach, expect, test } from '@jest/globals';
import { setTimeout as delay } from 'node:timers/promises';
import { directoryOf } from '../support/directory.ts';
import { ownStorage } from '../support/environment.ts';
import { type HostProcess, startHostProcess } from '../support/hostProcess.ts';
import { type JsonObject, startWorld } from '../support/world.ts';
import { settableKinds } from '../members/setting.ts';

const world = await startWorld();
const { control } = world;
const hosts: HostProcess[] = [];
const { name: address } = settableKinds.distributionList;

afterEach(async () => {
  await Promise.all(hosts.splice(0).map((host) => host.kill()));
});
afterAll(() => world.close());

const kills = 10;
/** Of ten slices: the last kill must find one. */
const longestLives = 8;
const person = (number: number): string => `person${String(number).padStart(6, '0')}@contoso.com`;
const people = (from: number, to: number): string[] =>
  Array.from({ length: to - from + 1 }, (_, index) => person(from + index));

/** As POSIX has drand48's multiplier: enough for moments that nobody planned, and the same again for the same seed. */
function chanceOf(seed: number): () => number {
  let state = BigInt(seed);
  return () => {
    state = (state * 25_214_903_917n + 11n) % 2n ** 48n;
    return Number(state >> 16n) / 2 ** 32;
  };
}

async function start(storage: string): Promise<HostProcess> {
  const host = await startHostProcess(world, storage, { messageLockSeconds: 2 });
  hosts.push(host);
  return host;
}

async function look(host: HostProcess, operationId: string): Promise<JsonObject> {
  return (await host.call('GET', `operations/${operationId}`)).body ?? {};
}

// Each worker that is killed leaves a lease of 15 s, which nobody may break: ten of them take minutes.
test('an operation whose host is killed ten times ends with the membership as desired and every change counted', async () => {
  const seed = Number(process.env.KILL_SEED ?? Date.now() % 1_000_000);
  process.stderr.write(`KILL_SEED=${seed}\n`);
  const chance = chanceOf(seed);
  await control.seed({ users: 2_500 });
  // 1,000 stay, 1,000 go, 1,000 come.
  await control.tenant({
    settings: { latencyMs: { exchange: 100, graph: 0 } },
    groups: [
      {
        mail: address,
        displayName: 'harbour-list',
        mailEnabled: true,
        securityEnabled: false,
        owners: ['amara.osei@contoso.com'],
      },
    ],
  });
  await control.seed({ users: 2_500, members: { [address]: 1_500 } });
  const desired = [...people(1, 500), ...people(1_501, 2_500)];
  const users = new Map((await directoryOf(control)).users.map(({ userPrincipalName, id }) => [id, userPrincipalName]));
  const storage = await ownStorage();
  let host = await start(storage);
  const answer = await host.call('PUT', `groups/${address}/members`, {
    body: { members: desired, maxRemovals: 1_000 },
  });
  expect(answer).toMatchObject({ status: 202, body: { plannedCount: 2_000 } });
  const operationId = String(answer.body?.operationId);

  const doneAtKills: unknown[] = [];
  let longLives = 0;
  while (doneAtKills.length < kills) {
    const before = await look(host, operationId);
    // Somebody is at work: since the last kill something has been stored.
    for (;;) {
      const now = await look(host, operationId);
      if (now.done === true) break;
      if (now.state === 'running' && (now.updatedAt !== before.updatedAt || doneAtKills.length === 0)) break;
      await delay(50);
    }
    const successor = start(storage).catch((error: unknown) => error as Error);
    // Some lives are too short for a slice, some end in the middle of the one after.
    if (chance() < 0.6 && longLives < longestLives) {
      longLives += 1;
      const { doneCount } = await look(host, operationId);
      while ((await look(host, operationId)).doneCount === doneCount) await delay(20);
      await delay(chance() * 1_500);
    } else await delay(chance() * 2_000);
    const { state, doneCount } = await look(host, operationId);
    expect(state).toBe('running');
    // A successor that is up already may be the next one to work, which is as well.
    await host.kill();
    doneAtKills.push(doneCount);
    const next = await successor;
    if (next instanceof Error) throw next;
    host = next;
  }
  let end = await look(host, operationId);
  while (end.done !== true) {
    end = (await host.call('GET', `operations/${operationId}`, { query: { waitSeconds: '20' } })).body ?? {};
  }
  expect(end).toMatchObject({
    state: 'succeeded',
    totalCount: 2_000,
    doneCount: 2_000,
    addedCount: 1_000,
    removedCount: 1_000,
    unchangedCount: 500,
    failedCount: 0,
  });
  expect(new Set(doneAtKills).size).toBeGreaterThan(2);
  const members = (await control.membersOf(address)).map((id) => users.get(id));
  expect(new Set(members)).toEqual(new Set(desired));

  // Nobody who was desired was ever sent to be removed.
  const wanted = new Set(desired);
  const removed = (await control.calls({ cmdlet: 'Remove-DistributionGroupMember' })).map(({ requestBody }) => {
    const { CmdletInput } = requestBody as { CmdletInput?: { Parameters: { Member: string } } };
    return users.get(CmdletInput?.Parameters.Member ?? '');
  });
  expect(removed.length).toBeGreaterThanOrEqual(1_000);
  expect(removed.filter((upn) => upn === undefined || wanted.has(upn))).toEqual([]);

  const rows: JsonObject[] = [];
  for (let page = 1; page <= 10; page += 1) {
    const { body } = await host.call('GET', `operations/${operationId}`, { query: { cursor: String(page) } });
    rows.push(...(body?.results as JsonObject[]));
  }
  expect(new Set(rows.map(({ member }) => member)).size).toBe(2_000);
  expect(rows).toHaveLength(2_000);
  // The group is free again.
  expect(await host.call('POST', `groups/${address}/members`, { body: { members: [person(1)] } })).toMatchObject({
    status: 200,
  });
}, 600_000);

test.each([50, 300, 1_000])(
  'a request whose host is killed %d ms after it was sent leaves nothing half done, and a free group',
  async (afterMs) => {
    const storage = await ownStorage();
    const crew = `crew-${afterMs}@contoso.com`;
    await control.seed({ users: 300 });
    await control.tenant({
      groups: [{ mail: crew, displayName: `crew-${afterMs}`, mailEnabled: true, owners: ['amara.osei@contoso.com'] }],
    });
    const first = await start(storage);
    const body = { members: people(1, 250) };
    const request = first.call('PUT', `groups/${crew}/members`, { body }).catch(() => null);
    await delay(afterMs);
    await first.kill();
    await request;
    const host = await start(storage);
    for (;;) {
      const again = await host.call('PUT', `groups/${crew}/members`, { body });
      if (again.body?.outcome === 'unchanged') break;
      // Busy while the lease of the dead ends, perhaps for all the time of a request; accepted then: the operation that
      // was begun, or a new one.
      expect([202, 409, 504]).toContain(again.status);
      if (again.status !== 202) await delay(500);
      else await host.call('GET', `operations/${String(again.body?.operationId)}`, { query: { waitSeconds: '5' } });
    }
    expect(await control.membersOf(crew)).toHaveLength(250);
    const listed = (await host.call('GET', 'operations')).body?.operations as JsonObject[];
    // What was never queued is nobody's work, and ended by the sweep.
    expect(listed.filter(({ state }) => state !== 'succeeded' && state !== 'preparing')).toEqual([]);
  },
  90_000,
);

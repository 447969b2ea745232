import { afterAll, afterEach, beforeEach, expect, test } from '@jest/globals';
import { setTimeout as delay } from 'node:timers/promises';
import { apiTokenOf } from '../push/movedClock.ts';
import { ownStorage } from '../support/environment.ts';
import { type HostProcess, startHostProcess } from '../support/hostProcess.ts';
import { type Answer, type JsonObject, rowsOf } from '../support/world.ts';
import { seedCrew, startOktaRepairs } from './oktaRepairs.ts';

const repairs = await startOktaRepairs();
const { world, control } = repairs;
const hosts: HostProcess[] = [];

beforeEach(() => repairs.reset());
afterEach(async () => {
  await Promise.all(hosts.splice(0).map((host) => host.kill()));
});
afterAll(() => world.close());

const userCount = 200;
const badCount = 20;
/** One in ten. */
const isBad = (index: number): boolean => index % (userCount / badCount) === 7;

async function start(storage: string): Promise<HostProcess> {
  const settings = apiTokenOf(world.simulator);
  const host = await startHostProcess(world, storage, { settings, messageLockSeconds: 2 });
  hosts.push(host);
  return host;
}

const look = (host: HostProcess, { body }: Answer): Promise<Answer> =>
  host.call('GET', `operations/${String(body?.operationId)}`, { query: { waitSeconds: '20' } });

async function until(host: HostProcess, answer: Answer, isSo: (operation: JsonObject) => boolean): Promise<Answer> {
  for (;;) {
    const operation = await host.call('GET', `operations/${String(answer.body?.operationId)}`);
    if (isSo(operation.body ?? {})) return operation;
    await delay(50);
  }
}

test('a list of 200 with 20 bad rows, killed in the middle and overlapped by another, repairs 180 and leaves Okta as it was', async () => {
  const crew = await seedCrew(repairs, userCount, 'corp.contoso.com');
  const oktaAppId = (await repairs.office()).id;
  // Half of the bad ones are synced from on-premises, the others nobody.
  const bad = crew.names.filter((_, index) => isBad(index));
  const synced = bad.slice(0, badCount / 2);
  await control.tenant({
    users: synced.map((userPrincipalName) => ({ userPrincipalName, onPremisesSyncEnabled: true })),
  });
  const users = crew.wanted.map((each) =>
    bad.includes(each.user) && !synced.includes(each.user) ? { ...each, user: `no.${each.user}` } : each,
  );
  await control.clearCalls();

  const storage = await ownStorage();
  const first = await start(storage);
  const answer = await first.call('POST', 'users/immutable-id/repairs', { body: { users, oktaAppId } });
  expect(answer.status).toBe(202);
  await until(first, answer, ({ repairedCount }) => Number(repairedCount) >= 20);
  // Another list at the same app, of which half is in the first one too.
  const others = crew.wanted.slice(150, 160).filter((_, index) => !isBad(150 + index));
  const overlapping = await first.call('POST', 'users/immutable-id/repairs', { body: { users: others, oktaAppId } });
  await until(first, answer, ({ repairedCount }) => Number(repairedCount) >= 40);
  const successor = start(storage);
  // Somebody is unassigned just then.
  const assignedCount = async () =>
    (await repairs.office()).users.filter(({ profile }) => profile.department === 'Crew').length;
  while ((await assignedCount()) === userCount) await delay(5);
  await first.kill();
  expect(await assignedCount()).toBeLessThan(userCount);
  expect(await repairs.feature()).toBe('DISABLED');

  const host = await successor;
  let operation = await look(host, answer);
  while (operation.body?.done !== true) operation = await look(host, answer);
  let other = await look(host, overlapping);
  while (other.body?.done !== true) other = await look(host, overlapping);

  const rows = rowsOf(operation, 'results');
  const count = (outcome: string) => rows.filter((row) => row.outcome === outcome).length;
  expect(rows.map(({ member }) => member)).toEqual(users.map(({ user }) => user));
  rows.forEach((row, index) => {
    const code = synced.includes(crew.names[index] ?? '') ? 'on_premises_synced' : 'member_not_found';
    if (isBad(index)) expect(row).toMatchObject({ outcome: 'failed', code });
  });
  expect(operation.body).toMatchObject({ state: 'partial', failedCount: badCount, code: null });
  // Who is in both lists is repaired by the one that comes first, and found well by the other.
  expect(count('repaired') + count('unchanged')).toBe(userCount - badCount);
  expect(count('unchanged')).toBeLessThanOrEqual(others.length);
  expect(other.body).toMatchObject({ state: 'succeeded', failedCount: 0 });

  expect(await repairs.feature()).toBe('ENABLED');
  const byName = new Map((await repairs.users()).map((user) => [user.userPrincipalName, user]));
  const assigned = new Map((await repairs.office()).users.map((each) => [each.userName, each]));
  crew.names.forEach((name, index) => {
    expect(byName.get(name)).toMatchObject({
      accountEnabled: true,
      onPremisesImmutableId: isBad(index) ? `wrong-${index}` : `right-${index}`,
    });
    expect(assigned.get(name)).toMatchObject({ scope: 'USER', profile: { email: name, department: 'Crew' } });
  });
}, 300_000);

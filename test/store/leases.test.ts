import { BlobServiceClient, type ContainerClient } from '@azure/storage-blob';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { setTimeout as delay } from 'node:timers/promises';
import { connectionString } from '../../local/processes/azurite.ts';
import { type Clock, systemClock } from '../../shared/clock.ts';
import { createBlobs } from '../../shared/store/blobs.ts';
import { createLeases, type Lease } from '../../shared/store/leases.ts';
import { takeNumber } from '../support/counter.ts';
import { testAzurite } from '../support/environment.ts';
import { createFakeClock } from '../support/fakeClock.ts';
import { preload } from '../support/preload.ts';
import { type Proxy, startProxy } from '../support/proxy.ts';
import { faultOf, type TestCall, testCall } from '../support/rooms.ts';

await preload();

const name = 'groups/a.json';
let proxy: Proxy;
let container: ContainerClient;
let connection: string;
let call: TestCall;
const taken: Lease[] = [];

beforeEach(async () => {
  const { endpoints, accounts, counter } = testAzurite();
  const account = await takeNumber(counter);
  proxy = await startProxy(endpoints.blob);
  container = BlobServiceClient.fromConnectionString(connectionString(endpoints, accounts, account)).getContainerClient(
    'okta-m365-actions',
  );
  connection = connectionString({ ...endpoints, blob: proxy.url }, accounts, account);
  call = testCall();
});
afterEach(async () => {
  proxy.mode = 'forward';
  await Promise.all(taken.splice(0).map((lease) => lease.release()));
  call.end();
  await proxy.close();
});

/** As another instance of the app has them. */
const leasesOf = (clock: Clock = systemClock) =>
  createLeases(createBlobs({ type: 'connectionString', connectionString: connection }), clock);

async function take(leases = leasesOf()): Promise<Lease | null> {
  const lease = await leases.acquire(name, call);
  if (lease !== null) taken.push(lease);
  return lease;
}

async function mustTake(leases = leasesOf()): Promise<Lease> {
  const lease = await take(leases);
  if (lease === null) throw new Error('it is taken');
  return lease;
}

const stateOf = async () => (await container.getBlobClient(name).getProperties()).leaseState;
const renewals = () =>
  proxy.seen.filter((line) => line.startsWith('PUT') && line.includes('comp=lease') && line.includes(encodeURI(name)))
    .length;

async function until(isSo: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await isSo())) await delay(10);
}

describe('a lease', () => {
  test('is one holder’s alone, and free once released', async () => {
    const lease = await mustTake();
    expect(await take()).toBeNull();
    expect(lease.lost.aborted).toBe(false);
    await lease.release();
    expect(await stateOf()).toBe('available');
    const next = await mustTake();
    expect(next.id).not.toBe(lease.id);
  });

  test('goes to exactly one of many who ask for what is not there yet', async () => {
    const asked = await Promise.all(Array.from({ length: 12 }, () => leasesOf().acquire(name, testCall())));
    taken.push(...asked.filter((lease) => lease !== null));
    expect(asked.filter((lease) => lease !== null)).toHaveLength(1);
    expect(await container.getBlobClient(name).exists()).toBe(true);
  });

  test('keeps what its blob holds', async () => {
    const blobs = createBlobs({ type: 'connectionString', connectionString: connection });
    await blobs.write(name, { kept: true }, call);
    await mustTake();
    expect(await blobs.read(name, call)).toEqual({ kept: true });
  });

  test('is taken again after somebody has removed the container', async () => {
    const leases = leasesOf();
    await (await mustTake(leases)).release();
    await container.delete();
    expect((await faultOf(leases.acquire(name, call))).code).toBe('storage_unavailable');
    await mustTake(leases);
  });

  test('of a storage that cannot be reached is a fault', async () => {
    proxy.mode = 'refuse';
    const fault = await faultOf(leasesOf().acquire(name, call));
    expect([fault.code, fault.message]).toEqual([
      'storage_unavailable',
      expect.stringContaining('the lease of groups/a.json'),
    ]);
  });

  test('outlives its fifteen seconds while it is renewed, and ends within them when its holder is dead', async () => {
    const lease = await mustTake();
    await delay(16_500);
    expect(lease.lost.aborted).toBe(false);
    expect(await take()).toBeNull();
    // As if the process were gone: nothing of it reaches the storage.
    proxy.mode = 'refuse';
    const diedAtMs = Date.now();
    const other = container.getBlobClient(name).getBlobLeaseClient();
    for (;;) {
      try {
        await other.acquireLease(15);
        break;
      } catch {
        await delay(50);
      }
    }
    expect(Date.now() - diedAtMs).toBeLessThan(15_500);
    // The holder knew before anybody else could have it.
    expect(lease.lost.aborted).toBe(true);
  }, 60_000);
});

describe('by its own clock a lease', () => {
  test('is renewed every four seconds, and is not lost while that works', async () => {
    const clock = createFakeClock();
    const lease = await mustTake(leasesOf(clock));
    for (let round = 1; round <= 10; round += 1) {
      const before = renewals();
      clock.advance(4_000);
      await until(() => renewals() > before);
      // The answer has come when the next renewal counts from it.
      await delay(30);
    }
    expect(lease.lost.aborted).toBe(false);
    await lease.release();
    expect(clock.pending).toBe(0);
  });

  test('is given up three seconds before it ends, whether its renewals fail or hang', async () => {
    for (const mode of ['refuse', 'hang'] as const) {
      const clock = createFakeClock();
      proxy.mode = 'forward';
      const lease = await mustTake(leasesOf(clock));
      proxy.mode = mode;
      clock.advance(11_999);
      expect(lease.lost.aborted).toBe(false);
      clock.advance(1);
      expect(lease.lost.aborted).toBe(true);
      // Nothing is renewed any more: others must not be kept waiting by somebody who has given up.
      expect(clock.pending).toBe(0);
      proxy.mode = 'forward';
      await container.getBlobClient(name).getBlobLeaseClient().breakLease(0);
    }
  });

  test('survives one renewal that fails', async () => {
    const clock = createFakeClock();
    const lease = await mustTake(leasesOf(clock));
    proxy.mode = 'refuse';
    clock.advance(4_000);
    await until(() => renewals() >= 2);
    proxy.mode = 'forward';
    const before = renewals();
    clock.advance(4_000);
    await until(() => renewals() > before);
    await delay(1_500);
    clock.advance(3_999);
    clock.advance(1);
    expect(lease.lost.aborted).toBe(false);
  });

  test('is lost at once when the storage says that it is another’s', async () => {
    const clock = createFakeClock();
    const lease = await mustTake(leasesOf(clock));
    const blob = container.getBlobClient(name);
    await blob.getBlobLeaseClient().breakLease(0);
    await blob.getBlobLeaseClient().acquireLease(15);
    clock.advance(4_000);
    await until(() => lease.lost.aborted);
    expect(clock.pending).toBe(0);
    await lease.release();
    expect(await stateOf()).toBe('leased');
  });

  test('that was asked for so long ago that it may have ended is lost from the start', async () => {
    const clock = createFakeClock();
    proxy.onRequest = (line) => {
      if (line.includes('comp=lease')) clock.advance(12_000);
    };
    const lease = await mustTake(leasesOf(clock));
    proxy.onRequest = () => undefined;
    clock.advance(0);
    expect(lease.lost.aborted).toBe(true);
  });

  test('that cannot be given back holds nobody up for more than two seconds', async () => {
    const lease = await mustTake();
    proxy.mode = 'hang';
    const startedAtMs = Date.now();
    await lease.release();
    expect(Date.now() - startedAtMs).toBeLessThan(3_000);
    expect(lease.lost.aborted).toBe(false);
  });
});

import { BlobServiceClient, type ContainerClient } from '@azure/storage-blob';
import { type QueueClient, QueueServiceClient } from '@azure/storage-queue';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { createServer, type Server } from 'node:https';
import { listen } from '../../local/host/listen.ts';
import { connectionString } from '../../local/processes/azurite.ts';
import { systemClock } from '../../shared/clock.ts';
import { type Blobs, createBlobs } from '../../shared/store/blobs.ts';
import { createQueues, encodeMessage, type Queues } from '../../shared/store/queues.ts';
import { issueServerCertificate } from '../../simulator/certificates/certificates.ts';
import { readCertificateAuthority } from '../support/certificateAuthority.ts';
import { takeNumber } from '../support/counter.ts';
import { testAzurite, testCaFiles } from '../support/environment.ts';
import { createFakeClock } from '../support/fakeClock.ts';
import { preload } from '../support/preload.ts';
import { type Proxy, startProxy } from '../support/proxy.ts';
import { faultOf, type TestCall, testCall } from '../support/rooms.ts';
import { closedPort, type ScriptedServer, startScriptedServer } from '../support/scriptedServer.ts';

await preload();

let proxies: { blob: Proxy; queue: Proxy };
let storage: { type: 'connectionString'; connectionString: string };
/** Past the proxy. */
let container: ContainerClient;
let queue: QueueClient;
let blobs: Blobs;
let queues: Queues;
let call: TestCall;

beforeEach(async () => {
  const { endpoints, accounts, counter } = testAzurite();
  const account = await takeNumber(counter);
  const [blob, queueProxy] = await Promise.all([startProxy(endpoints.blob), startProxy(endpoints.queue)]);
  proxies = { blob, queue: queueProxy };
  const direct = connectionString(endpoints, accounts, account);
  const proxied = connectionString({ ...endpoints, blob: blob.url, queue: queueProxy.url }, accounts, account);
  storage = { type: 'connectionString', connectionString: proxied };
  container = BlobServiceClient.fromConnectionString(direct).getContainerClient('okta-m365-actions');
  queue = QueueServiceClient.fromConnectionString(direct).getQueueClient('work');
  blobs = createBlobs(storage);
  queues = createQueues(storage, systemClock);
  call = testCall();
});
afterEach(async () => {
  call.end();
  await Promise.all([proxies.blob.close(), proxies.queue.close()]);
});

const noTime = { totalMs: 300, proofMs: 0 };

describe('blobs', () => {
  test('give back what was stored, and nothing for what never was', async () => {
    expect(await blobs.read('a/1.json', call)).toBeNull();
    const value = { name: 'Ünïcode', list: [1, null, 'x'.repeat(100_000)] };
    await blobs.write('a/1.json', value, call);
    expect(await blobs.read('a/1.json', call)).toEqual(value);
    await blobs.write('a/1.json', 'over it', call);
    expect(await blobs.read('a/1.json', call)).toBe('over it');
    const { contentType } = await container.getBlobClient('a/1.json').getProperties();
    expect(contentType).toBe('application/json');
  });

  test('with a lease are written by its holder alone', async () => {
    await blobs.write('a', 'first', call);
    const lease = container.getBlobClient('a').getBlobLeaseClient();
    const { leaseId } = await lease.acquireLease(15);
    expect((await faultOf(blobs.write('a', 'by anybody', call))).code).toBe('storage_unavailable');
    expect((await faultOf(blobs.write('a', 'by another', call, crypto.randomUUID()))).code).toBe('storage_unavailable');
    expect(await blobs.read('a', call)).toBe('first');
    await blobs.write('a', 'by its holder', call, leaseId);
    expect(await blobs.read('a', call)).toBe('by its holder');
  });

  test('are listed in order, by the beginning of their names, page by page', async () => {
    for (const name of ['b/1', 'a/3', 'a/1', 'a/2']) await blobs.write(name, 1, call);
    const list = (after: string | null, limit: number) => blobs.list({ prefix: 'a/', after, limit }, call);
    expect(await list(null, 10)).toEqual(['a/1', 'a/2', 'a/3']);
    expect(await list(null, 2)).toEqual(['a/1', 'a/2']);
    expect(await list('a/2', 2)).toEqual(['a/3']);
    expect(await list('a/3', 2)).toEqual([]);
  });

  test('are removed one by one or all that begin so, those that are gone included', async () => {
    for (let index = 0; index < 120; index += 1) await blobs.write(`a/${index}`, index, call);
    await blobs.write('ab', 'stays', call);
    await blobs.remove('a/7', call);
    await blobs.remove('a/7', call);
    expect(await blobs.read('a/7', call)).toBeNull();
    await blobs.removeAll('a/', call);
    expect(await blobs.list({ prefix: '', after: null, limit: 10 }, call)).toEqual(['ab']);
    await blobs.removeAll('a/', call);
  });

  test('are stored again after somebody has removed their container', async () => {
    await blobs.write('a', 1, call);
    await container.delete();
    expect(await blobs.read('a', call)).toBeNull();
    // One use finds out, the next one makes it anew.
    expect((await faultOf(blobs.write('a', 2, call))).code).toBe('storage_unavailable');
    await blobs.write('a', 3, call);
    expect(await blobs.read('a', call)).toBe(3);
  });

  test('that cannot be reached are a fault that says what to look at, and no longer than that', async () => {
    proxies.blob.mode = 'refuse';
    const fault = await faultOf(blobs.write('a', 1, call));
    expect(fault).toMatchObject({ code: 'storage_unavailable', upstream: 'storage' });
    expect(fault.message).toContain('writing a');
    expect(fault.fix).toContain('AzureWebJobsStorage');
    proxies.blob.mode = 'forward';
    await blobs.write('a', 2, call);
    proxies.blob.mode = 'refuse';
    for (const work of [blobs.read('a', call), blobs.remove('a', call), blobs.removeAll('a', call)]) {
      expect((await faultOf(work)).code).toBe('storage_unavailable');
    }
  });

  test.each(['at first', 'later on'])('that never answer, %s, take no longer than the call has', async (when) => {
    if (when === 'later on') await blobs.write('a', 1, call);
    proxies.blob.mode = 'hang';
    const startedAtMs = Date.now();
    for (const work of [
      (within: TestCall) => blobs.read('a', within),
      (within: TestCall) => blobs.write('a', 2, within),
      (within: TestCall) => blobs.list({ prefix: '', after: null, limit: 1 }, within),
    ]) {
      const short = testCall({ times: noTime });
      expect((await faultOf(work(short))).code).toBe('deadline_exceeded');
      expect((await faultOf(work(short))).code).toBe('deadline_exceeded');
      short.end();
    }
    expect(Date.now() - startedAtMs).toBeLessThan(4_000);
  });
});

describe('queues', () => {
  const peek = async () => (await queue.peekMessages({ numberOfMessages: 32 })).peekedMessageItems;
  const decode = (text = ''): unknown => JSON.parse(Buffer.from(text, 'base64').toString('utf8'));

  test('carry a message as base64 of its JSON, for ever', async () => {
    await queues.send('work', { operationId: 'ä', more: 'text' }, call);
    const [message, ...others] = await peek();
    expect(others).toEqual([]);
    expect(message?.messageText).toMatch(/^[A-Za-z\d+/]+=*$/);
    expect(decode(message?.messageText)).toEqual({ operationId: 'ä', more: 'text' });
    expect(message?.messageText).toBe(encodeMessage({ operationId: 'ä', more: 'text' }));
    expect(message?.expiresOn.getUTCFullYear()).toBeGreaterThan(9_000);
  });

  test('hide a message until it is due, which it says itself', async () => {
    const dueAtMs = Date.now() + 3_600_000;
    await queues.send('work', { operationId: 'later' }, call, dueAtMs);
    await queues.send('work', { operationId: 'late' }, call, Date.now() - 5_000);
    const seen = (await peek()).map(({ messageText }) => decode(messageText));
    expect(seen).toEqual([{ operationId: 'late', dueAt: expect.any(String) }]);
    expect((await queue.getProperties()).approximateMessagesCount).toBe(2);
    const [visibility] = proxies.queue.seen.flatMap((line) => /visibilitytimeout=(\d+)/.exec(line)?.[1] ?? []);
    expect(Number(visibility)).toBeGreaterThan(3_590);
    expect(Number(visibility)).toBeLessThanOrEqual(3_600);
  });

  test('hide no message for more than the seven days that Azure allows', async () => {
    const clock = createFakeClock();
    const dueAtMs = clock.now() + 30 * 24 * 3_600_000;
    await createQueues(storage, clock).send('work', { operationId: 'far' }, call, dueAtMs);
    const [visibility] = proxies.queue.seen.flatMap((line) => /visibilitytimeout=(\d+)/.exec(line)?.[1] ?? []);
    expect(Number(visibility)).toBe(7 * 24 * 3_600 - 60);
  });

  test('are made where they are missing, and the message is sent all the same', async () => {
    await queues.send('work', { n: 1 }, call);
    expect(proxies.queue.seen).toHaveLength(3);
    await queue.delete();
    await queues.send('work', { n: 2 }, call);
    expect((await peek()).map(({ messageText }) => decode(messageText))).toEqual([{ n: 2 }]);
    await queue.delete();
    await queues.probe('work', call);
    expect(await queue.exists()).toBe(true);
  });

  test('take a message in one request', async () => {
    await queue.create();
    const message = { list: [{ n: 1, none: null }], yes: true };
    await queues.send('work', message, call);
    expect(proxies.queue.seen).toEqual([expect.stringMatching(/^POST [^?]*\/work\/messages\?/)]);
    expect((await peek()).map(({ messageText }) => decode(messageText))).toEqual([message]);
  });

  test('that cannot be reached are a fault, and once they can all is well', async () => {
    proxies.queue.mode = 'refuse';
    const fault = await faultOf(queues.send('work', { n: '1' }, call));
    expect([fault.code, fault.message]).toEqual(['storage_unavailable', expect.stringContaining('the queue work')]);
    proxies.queue.mode = 'forward';
    await queues.send('work', { n: '2' }, call);
    expect(await peek()).toHaveLength(1);
  });

  test('that never answer take no longer than the call has', async () => {
    proxies.queue.mode = 'hang';
    const short = testCall({ times: noTime });
    const startedAtMs = Date.now();
    expect((await faultOf(queues.send('work', { n: '1' }, short))).code).toBe('deadline_exceeded');
    expect((await faultOf(queues.send('work', { n: '1' }, short))).code).toBe('deadline_exceeded');
    expect(Date.now() - startedAtMs).toBeLessThan(3_000);
    short.end();
  });
});

describe('storage by identity', () => {
  let identity: ScriptedServer;
  let server: Server;
  let url: string;
  let heard: string[] = [];

  beforeAll(async () => {
    identity = await startScriptedServer();
    const expires_on = String(Math.floor(Date.now() / 1_000) + 86_400);
    identity.respond(() => ({ body: { access_token: 'storage-token', expires_on, token_type: 'Bearer' } }));
    // Before the identity library is used for the first time, which remembers it.
    process.env.IDENTITY_ENDPOINT = `${identity.url}/msi/token`;
    process.env.IDENTITY_HEADER = 'a-header';
    const authority = await readCertificateAuthority(testCaFiles());
    const { certificatePem, keyPem } = await issueServerCertificate(authority);
    server = createServer({ cert: certificatePem, key: keyPem }, (request, response) => {
      heard.push(`${request.url?.split('?')[0] ?? ''} ${request.headers.authorization ?? ''}`);
      request.resume();
      request.on('end', () => response.writeHead(201).end());
    });
    url = `https://127.0.0.1:${await listen(server, 0)}`;
  });
  afterAll(async () => {
    await identity.close();
    await new Promise<void>((resolve) => {
      server.close(() => resolve());
      server.closeAllConnections();
    });
  });

  test.each([
    ['system-assigned', null],
    ['user-assigned', '22222222-2222-4222-8222-222222222222'],
  ])('shows the token of the %s identity to blobs and queues', async (_, clientId) => {
    heard = [];
    identity.heard.length = 0;
    const byIdentity = {
      type: 'identity',
      tableServiceUri: url,
      blobServiceUri: url,
      // A path, since an address of numbers has no name of an account in it.
      queueServiceUri: `${url}/account`,
      clientId,
    } as const;
    await createBlobs(byIdentity).write('a', 1, call);
    // What this server answers is no queue's answer; that it was asked with the token is the point.
    await createQueues(byIdentity, systemClock)
      .send('work', { n: '1' }, call)
      .catch(() => undefined);
    const token = 'Bearer storage-token';
    expect(heard).toEqual(expect.arrayContaining([`/okta-m365-actions/a ${token}`, `/account/work/messages ${token}`]));
    const asked = new URL(identity.heard[0]?.path ?? '', identity.url).searchParams;
    expect(asked.get('client_id')).toBe(clientId);
  });
});

test('a storage that is not there is a fault', async () => {
  const { endpoints, accounts } = testAzurite();
  const nowhere = `http://127.0.0.1:${await closedPort()}`;
  const gone = { ...endpoints, blob: nowhere, queue: nowhere };
  const connection = { type: 'connectionString', connectionString: connectionString(gone, accounts, 0) } as const;
  expect((await faultOf(createBlobs(connection).read('a', call))).code).toBe('storage_unavailable');
  const send = createQueues(connection, systemClock).send('work', {}, call);
  expect((await faultOf(send)).code).toBe('storage_unavailable');
});

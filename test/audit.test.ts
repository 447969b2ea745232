import { createServer } from 'node:https';
import { TableClient } from '@azure/data-tables';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { listen } from '../local/host/listen.ts';
import { connectionString } from '../local/processes/azurite.ts';
import { type Audit, createAudit, type Intent } from '../shared/audit/audit.ts';
import { systemClock } from '../shared/clock.ts';
import { Fault } from '../shared/errors.ts';
import { createTables, type Tables } from '../shared/store/tables.ts';
import { issueServerCertificate } from '../simulator/certificates/certificates.ts';
import { readCertificateAuthority } from './support/certificateAuthority.ts';
import { takeNumber } from './support/counter.ts';
import { testAzurite, testCaFiles } from './support/environment.ts';
import { type Proxy, startProxy } from './support/proxy.ts';
import { faultOf, type TestCall, testCall } from './support/rooms.ts';
import { closedPort, type ScriptedServer, startScriptedServer } from './support/scriptedServer.ts';
import { startWorld, type World } from './support/world.ts';

type StoredRow = Record<string, unknown>;

let world: World;
let proxy: Proxy;
/** Past the proxy, so that a test sees what is stored whatever the proxy does. */
let direct: string;
let proxied: string;
let audit: Audit;
let call: TestCall;

beforeAll(async () => {
  world = await startWorld();
});
beforeEach(async () => {
  await world.control.reset();
  const { endpoints, accounts, counter } = testAzurite();
  const account = await takeNumber(counter);
  proxy = await startProxy(endpoints.table);
  direct = connectionString(endpoints, accounts, account);
  proxied = connectionString({ ...endpoints, table: proxy.url }, accounts, account);
  audit = auditIn(proxied);
  call = testCall();
});
afterEach(async () => {
  call.end();
  await proxy.close();
});
afterAll(() => world.close());

const auditIn = (storage: string): Audit =>
  createAudit(createTables({ type: 'connectionString', connectionString: storage }), systemClock);

async function storedRows(): Promise<StoredRow[]> {
  const table = TableClient.fromConnectionString(direct, 'audit', { allowInsecureConnection: true });
  const rows: StoredRow[] = [];
  for await (const row of table.listEntities<StoredRow>()) rows.push(row);
  return rows;
}

const intent: Intent = {
  operation: 'Set-DistributionGroup',
  targetType: 'group',
  targetId: 'an-id',
  targetName: 'team@contoso.com',
  before: { alias: 'old' },
  planned: { alias: 'new' },
};
const written = { result: 'the result', after: { alias: 'new' }, upstreamRequestId: 'their-id' };

describe('a write on record', () => {
  test('finds its intent stored when it begins, and leaves its outcome', async () => {
    const startedAt = Date.now();
    let during: StoredRow[] = [];
    const result = await audit.record(intent, call, async () => {
      during = await storedRows();
      return written;
    });
    expect(result).toBe('the result');
    const [seen] = during;
    expect(during).toHaveLength(1);
    expect(seen).toMatchObject({
      requestId: 'test-request',
      action: 'test',
      operation: 'Set-DistributionGroup',
      targetType: 'group',
      targetId: 'an-id',
      targetName: 'team@contoso.com',
      state: 'intent',
      before: '{"alias":"old"}',
      planned: '{"alias":"new"}',
    });
    expect(seen).not.toHaveProperty('after');
    expect(Date.parse(String(seen?.at))).toBeGreaterThanOrEqual(startedAt);
    expect(seen?.partitionKey).toBe(String(seen?.at).slice(0, 10));

    const rows = await storedRows();
    expect(rows).toHaveLength(1);
    expect(rows[0]).toMatchObject({
      rowKey: seen?.rowKey,
      state: 'succeeded',
      after: '{"alias":"new"}',
      upstreamRequestId: 'their-id',
      code: '',
      message: '',
      before: '{"alias":"old"}',
      targetName: 'team@contoso.com',
    });
    expect(Date.parse(String(rows[0]?.finishedAt))).toBeGreaterThanOrEqual(startedAt);
    expect(call.warnings).toEqual([]);
  });

  test.each([
    [
      'a refusal',
      'failed',
      new Fault('address_in_use', { detail: 'taken', fix: '-', upstreamRequestId: 'r' }),
      'address_in_use',
    ],
    ['a lost answer', 'unknown', new Fault('outcome_unknown', { detail: 'lost', fix: '-' }), 'outcome_unknown'],
    ['a defect of ours', 'unknown', new TypeError('no property of undefined'), 'internal_error'],
  ])('that ends with %s is on record as %s, and throws just that', async (_, state, error, code) => {
    const write = () => Promise.reject(error);
    await expect(audit.record(intent, call, write)).rejects.toBe(error);
    const [row] = await storedRows();
    expect(row).toMatchObject({ state, code, after: 'null' });
    expect(row?.message).not.toBe('');
  });

  test('says nothing secret in its message', async () => {
    const fault = new Fault('upstream_failed', { detail: 'sent Bearer abc.def to it', fix: '-' });
    await faultOf(audit.record(intent, call, () => Promise.reject(fault)));
    expect(JSON.stringify(await storedRows())).not.toContain('abc.def');
  });

  test('shortens values that a table could not hold, whatever is in them', async () => {
    const long = '"\\ü\u0000'.repeat(40_000);
    await audit.record({ ...intent, before: { long }, planned: null }, call, () =>
      Promise.resolve({ ...written, after: { long }, upstreamRequestId: null }),
    );
    const [row] = await storedRows();
    expect(row).toMatchObject({ state: 'succeeded', planned: 'null', upstreamRequestId: '' });
    for (const value of [row?.before, row?.after]) {
      expect(String(value).length).toBeLessThan(32_768);
      expect(Object.keys(JSON.parse(String(value)) as object)).toEqual(['truncated']);
    }
  });

  test('stands before those that were made earlier', async () => {
    for (const operation of ['first', 'second', 'third']) {
      await audit.record({ ...intent, operation }, call, () => Promise.resolve(written));
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    expect((await storedRows()).map(({ operation }) => operation)).toEqual(['third', 'second', 'first']);
  });

  test('opens the table once for all', async () => {
    for (let count = 0; count < 3; count += 1) await audit.record(intent, call, () => Promise.resolve(written));
    expect(proxy.seen.filter((line) => /^POST .*\/Tables/.test(line))).toHaveLength(1);
  });
});

describe('a store out of reach', () => {
  const refused = async (from: Audit, during = call, code = 'audit_unavailable') => {
    let began = false;
    const write = () => {
      began = true;
      return Promise.resolve(written);
    };
    const fault = await faultOf(from.record(intent, during, write));
    expect(began).toBe(false);
    expect(fault.code).toBe(code);
    return fault;
  };

  test.each([
    ['that nobody answers for', async () => `http://127.0.0.1:${await closedPort()}/a`],
    ['that is no store', async () => `${await htmlServer()}/a`],
  ])('(%s) lets no write begin', async (_, endpoint) => {
    const table = `TableEndpoint=${await endpoint()};`;
    const fault = await refused(auditIn(`DefaultEndpointsProtocol=http;AccountName=a;AccountKey=a2V5;${table}`));
    expect(fault.upstream).toBe('storage');
    expect(fault.fix).toContain('AzureWebJobsStorage');
  });

  test('(with a wrong key) lets no write begin', async () => {
    await refused(auditIn(proxied.replace(/AccountKey=[^;]+/, 'AccountKey=d3Jvbmc=')));
  });

  test('(with a connection string that is none) lets no write begin', async () => {
    await refused(auditIn('not a connection string'));
  });

  test('(whose library throws a text) lets no write begin, and is asked for anew', async () => {
    const forgotten: string[] = [];
    const tables: Tables = {
      open: (_, abortSignal) => {
        AbortSignal.abort('AccountKey=hush').throwIfAborted();
        return Promise.reject(new Error(String(abortSignal.aborted)));
      },
      forget: (name) => forgotten.push(name),
    };
    const fault = await refused(createAudit(tables, systemClock));
    expect(fault.message).toContain('(no answer)');
    expect(fault.message).not.toContain('hush');
    expect(forgotten).toEqual(['audit']);
  });

  test('(lost after a first write) lets no other begin, and is used again once it is back', async () => {
    await audit.record(intent, call, () => Promise.resolve(written));
    proxy.mode = 'refuse';
    await refused(audit);
    proxy.mode = 'forward';
    expect(await audit.record(intent, call, () => Promise.resolve(written))).toBe('the result');
  });

  test('(that never answers) is given up before the call is over, and lets no write begin', async () => {
    proxy.mode = 'hang';
    const quick = { ...systemClock, after: (ms: number, callback: () => void) => systemClock.after(ms / 20, callback) };
    const tables = createTables({ type: 'connectionString', connectionString: proxied });
    const fault = await refused(createAudit(tables, quick));
    expect(fault.message).toContain('did not answer in time');
    expect(call.deadline.signal.aborted).toBe(false);
  });

  test('(that answers too late) ends with the deadline, and lets no write begin', async () => {
    proxy.mode = 'hang';
    const short = testCall({ times: { totalMs: 500, proofMs: 100 } });
    const startedAt = Date.now();
    await refused(audit, short, 'deadline_exceeded');
    expect(Date.now() - startedAt).toBeLessThan(3_000);
    short.end();
  });

  test('(that there is no time left to ask) lets no write begin', async () => {
    const over = testCall({ times: { totalMs: 20, proofMs: 10 } });
    await new Promise((resolve) => setTimeout(resolve, 60));
    await refused(audit, over, 'deadline_exceeded');
    over.end();
  });

  test('(that did not answer the first request) is used again once it answers', async () => {
    proxy.mode = 'hang';
    const short = testCall({ times: { totalMs: 300, proofMs: 100 } });
    await refused(audit, short, 'deadline_exceeded');
    short.end();
    proxy.mode = 'forward';
    const next = testCall({ times: { totalMs: 3_000, proofMs: 1_000 } });
    expect(await audit.record(intent, next, () => Promise.resolve(written))).toBe('the result');
    next.end();
  });

  test('(lost between intent and outcome) keeps the result, with a warning in the reply and an error in the log', async () => {
    const result = await audit.record(intent, call, () => {
      proxy.mode = 'refuse';
      return Promise.resolve(written);
    });
    expect(result).toBe('the result');
    expect(call.warnings).toEqual([expect.stringContaining('could not be stored in the audit')]);
    const [row] = await storedRows();
    expect(row).toMatchObject({ state: 'intent' });
    const errors = call.lines.filter(({ level }) => level === 'error');
    expect(errors).toHaveLength(1);
    expect(errors[0]?.fields).toEqual({
      event: 'audit_outcome_lost',
      requestId: 'test-request',
      operation: 'Set-DistributionGroup',
      targetId: 'an-id',
      state: 'succeeded',
      auditRow: `${String(row?.partitionKey)}/${String(row?.rowKey)}`,
    });
    expect(errors[0]?.cause).toBeDefined();
  });

  test('(lost between intent and failure) keeps the failure', async () => {
    const fault = new Fault('outcome_unknown', { detail: 'lost', fix: '-' });
    const record = audit.record(intent, call, () => {
      proxy.mode = 'refuse';
      return Promise.reject(fault);
    });
    await expect(record).rejects.toBe(fault);
    expect(call.warnings).toHaveLength(1);
    expect(call.lines.at(-1)?.fields).toMatchObject({ event: 'audit_outcome_lost', state: 'unknown' });
  });

  test('(for the outcome) has the time that was kept back, when the rest is over', async () => {
    const short = testCall({ times: { totalMs: 4_000, proofMs: 3_500 } });
    await audit.record(intent, short, async () => {
      await new Promise((resolve) => setTimeout(resolve, 700));
      return written;
    });
    expect(short.deadline.signal.aborted).toBe(true);
    expect(short.warnings).toEqual([]);
    expect(await storedRows()).toMatchObject([{ state: 'succeeded' }]);
    short.end();
  });
});

describe('the probe of the store', () => {
  test('passes where an intent could be stored, and writes none', async () => {
    await audit.probe(call);
    expect(proxy.seen.length).toBeGreaterThan(0);
    expect((await storedRows()).filter(({ state }) => state === 'intent')).toEqual([]);
  });

  test('fails where none could be, also after it has passed', async () => {
    await audit.probe(call);
    proxy.mode = 'refuse';
    expect(await faultOf(audit.probe(call))).toMatchObject({ code: 'audit_unavailable' });
    proxy.mode = 'forward';
    await audit.probe(call);
  });
});

describe('through an action', () => {
  const body = {
    kind: 'distributionList',
    displayName: 'On Record',
    alias: 'on-record',
    primarySmtpAddress: 'on-record@contoso.com',
    owners: ['amara.osei@contoso.com'],
  };

  test('an unreachable store is a 503, and nothing is written', async () => {
    const app = await world.startApp({ AzureWebJobsStorage: proxied });
    proxy.mode = 'refuse';
    const answer = await app.call('POST', 'groups', { body });
    expect(answer).toMatchObject({ status: 503, body: { code: 'audit_unavailable', retryable: true } });
    expect(await world.control.writes()).toEqual([]);
  });

  test('a store lost during the write is a warning beside the result', async () => {
    const app = await world.startApp({ AzureWebJobsStorage: proxied });
    proxy.onRequest = (line) => {
      // The outcome is the first thing that is merged.
      if (/^(PATCH|MERGE|PUT)/.test(line)) proxy.mode = 'refuse';
    };
    const answer = await app.call('POST', 'groups', { body });
    expect(answer).toMatchObject({
      status: 201,
      body: { outcome: 'created', warnings: [expect.stringContaining('could not be stored in the audit')] },
    });
    expect(app.host.logs.filter(({ message }) => message.includes('audit_outcome_lost'))).toHaveLength(1);
    expect(await storedRows()).toMatchObject([{ state: 'intent', operation: 'New-DistributionGroup' }]);
  });
});

describe('storage by identity', () => {
  let identity: ScriptedServer;
  let store: { url: string; heard: { line: string; authorization: string }[]; close: () => Promise<void> };

  beforeAll(async () => {
    identity = await startScriptedServer();
    const expires_on = String(Math.floor(Date.now() / 1000) + 86_400);
    identity.respond(() => ({ body: { access_token: 'storage-token', expires_on, token_type: 'Bearer' } }));
    // Before the identity library is loaded for the first time, which remembers it.
    process.env.IDENTITY_ENDPOINT = `${identity.url}/msi/token`;
    store = await startTableStore();
  });
  afterAll(async () => {
    await Promise.all([identity.close(), store.close()]);
  });

  test.each([
    ['system-assigned', null],
    ['user-assigned', '12345678-1234-4234-8234-123456789012'],
  ])('takes the token of the %s identity', async (_, clientId) => {
    identity.heard.length = 0;
    store.heard.length = 0;
    const tables = createTables({
      type: 'identity',
      tableServiceUri: store.url,
      queueServiceUri: store.url,
      blobServiceUri: store.url,
      clientId,
    });
    await createAudit(tables, systemClock).record(intent, call, () => Promise.resolve(written));
    expect(store.heard.map(({ line }) => line.replace(/\?.*|\(.*/, ''))).toEqual([
      'POST /Tables',
      'POST /audit',
      'PATCH /audit',
    ]);
    expect(new Set(store.heard.map(({ authorization }) => authorization))).toEqual(new Set(['Bearer storage-token']));
    const asked = new URL(identity.heard[0]?.path ?? '', identity.url).searchParams;
    expect(asked.get('resource')).toMatch(/^https:\/\/storage\.azure\.com\/?$/);
    expect(asked.get('client_id')).toBe(clientId);
  });

  test('fails as an unreachable store where there is no identity', async () => {
    identity.respond(() => ({ status: 400, body: { statusCode: 400, message: 'No managed identity found' } }));
    const clientId = '87654321-1234-4234-8234-123456789012';
    const tables = createTables({
      type: 'identity',
      tableServiceUri: store.url,
      queueServiceUri: store.url,
      blobServiceUri: store.url,
      clientId,
    });
    const fault = await faultOf(createAudit(tables, systemClock).probe(call));
    expect(fault).toMatchObject({ code: 'audit_unavailable' });
    expect(fault.message).toContain('No managed identity found');
  });
});

const htmlServers: ScriptedServer[] = [];
afterAll(() => Promise.all(htmlServers.map((server) => server.close())));

async function htmlServer(): Promise<string> {
  const server = await startScriptedServer();
  htmlServers.push(server);
  server.script({ status: 403, headers: { 'content-type': 'text/html' }, body: '<html>proxy</html>' });
  return server.url;
}

/** A table store that takes everything, over TLS: without it no token is sent. */
async function startTableStore() {
  const authority = await readCertificateAuthority(testCaFiles());
  const { certificatePem, keyPem } = await issueServerCertificate(authority);
  const heard: { line: string; authorization: string }[] = [];
  const server = createServer({ cert: certificatePem, key: keyPem }, (request, response) => {
    request.resume();
    request.on('end', () => {
      heard.push({
        line: `${request.method ?? ''} ${request.url ?? ''}`,
        authorization: request.headers.authorization ?? '',
      });
      response.writeHead(204).end();
    });
  });
  const port = await listen(server, 0);
  const close = () =>
    new Promise<void>((resolve) => {
      server.close(() => resolve());
      server.closeAllConnections();
    });
  // By the name localhost the SDK would take it for the emulator of Cosmos DB.
  return { url: `https://127.0.0.1:${port}`, heard, close };
}

import { TableClient, type TransactionAction } from '@azure/data-tables';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { connectionString } from '../local/processes/azurite.ts';
import { createAudit } from '../shared/audit/audit.ts';
import { type AuditRetention, createAuditRetention } from '../shared/audit/retention.ts';
import { newRowKey } from '../shared/audit/rows.ts';
import { readConfig } from '../shared/config.ts';
import { createTables } from '../shared/store/tables.ts';
import { takeNumber } from './support/counter.ts';
import { testAzurite } from './support/environment.ts';
import { createFakeClock, type FakeClock } from './support/fakeClock.ts';
import { type Proxy, startProxy } from './support/proxy.ts';
import { faultOf, type TestCall, testCall } from './support/rooms.ts';

let proxy: Proxy;
let direct: string;
let proxied: string;
let clock: FakeClock;
let call: TestCall;
let retention: AuditRetention;
let table: TableClient;

beforeEach(async () => {
  const { endpoints, accounts, counter } = testAzurite();
  const account = await takeNumber(counter);
  proxy = await startProxy(endpoints.table);
  direct = connectionString(endpoints, accounts, account);
  proxied = connectionString({ ...endpoints, table: proxy.url }, accounts, account);
  clock = createFakeClock();
  call = testCall({ clock });
  retention = createAuditRetention({
    tables: createTables({ type: 'connectionString', connectionString: proxied }),
    clock,
  });
  table = TableClient.fromConnectionString(direct, 'audit', { allowInsecureConnection: true });
  await table.createTable();
});
afterEach(async () => {
  call.end();
  await proxy.close();
});

/** Rows of one day, in batches. */
async function fill(day: string, count: number): Promise<void> {
  for (let done = 0; done < count; done += 100) {
    const actions = Array.from({ length: Math.min(100, count - done) }, (_, index): TransactionAction => [
      'create',
      { ...newRowKey(Date.parse(day) + done + index), action: 'test' },
    ]);
    await table.submitTransaction(actions);
  }
}

async function daysLeft(): Promise<Record<string, number>> {
  const days: Record<string, number> = {};
  for await (const { partitionKey = '' } of table.listEntities()) days[partitionKey] = (days[partitionKey] ?? 0) + 1;
  return days;
}

const noon = (day: string) => Date.parse(`${day}T12:00:00Z`);

describe('the retention', () => {
  test('removes whole days that had ended, a hundred rows at a time, and touches no later one', async () => {
    await fill('2025-09-30', 1);
    await fill('2025-10-01', 250);
    await fill('2025-10-02', 3);
    await fill('2025-10-03', 2);
    proxy.seen.length = 0;
    const removed = await retention.removeAuditBefore(noon('2025-10-02'), call);
    expect(removed).toEqual({ removedCount: 251, isDone: true });
    expect(await daysLeft()).toEqual({ '2025-10-02': 3, '2025-10-03': 2 });
    expect(proxy.seen.filter((line) => line.includes('$batch'))).toHaveLength(4);
    expect(await retention.removeAuditBefore(noon('2025-10-02'), call)).toEqual({ removedCount: 0, isDone: true });
  });

  test('removes nothing of a table that was never written to', async () => {
    await table.deleteTable();
    expect(await retention.removeAuditBefore(noon('2025-10-02'), call)).toEqual({ removedCount: 0, isDone: true });
  });

  test('stops when its time is over, and goes on with the next run', async () => {
    await fill('2025-10-01', 300);
    let batches = 0;
    proxy.onRequest = (line) => {
      if (line.includes('$batch')) batches += 1;
      if (batches === 2 && line.startsWith('GET')) clock.advance(30_000);
    };
    expect(await retention.removeAuditBefore(noon('2025-10-02'), call)).toEqual({ removedCount: 200, isDone: false });
    proxy.onRequest = () => undefined;
    const next = testCall({ clock });
    expect(await retention.removeAuditBefore(noon('2025-10-02'), next)).toEqual({ removedCount: 100, isDone: true });
    next.end();
    expect(await daysLeft()).toEqual({});
  });

  test('does not mind what another instance removes under its hands', async () => {
    await fill('2025-10-01', 5);
    const rows: { partitionKey?: string; rowKey?: string }[] = [];
    for await (const row of table.listEntities()) rows.push(row);
    const [{ partitionKey = '', rowKey = '' } = {}] = rows;
    // Between the listing and the transaction.
    const crowded = TableClient.fromConnectionString(direct, 'audit', { allowInsecureConnection: true });
    const submit = crowded.submitTransaction.bind(crowded);
    crowded.submitTransaction = async (...args) => {
      await table.deleteEntity(partitionKey, rowKey).catch(() => undefined);
      return submit(...args);
    };
    const tables = { open: () => Promise.resolve(crowded), forget: () => undefined };
    const crowdedRetention = createAuditRetention({ tables, clock });
    const removed = await crowdedRetention.removeAuditBefore(noon('2025-10-02'), call);
    expect(removed).toEqual({ removedCount: 4, isDone: true });
    expect(await daysLeft()).toEqual({});
  });

  test('says so when the store cannot be reached', async () => {
    await fill('2025-10-01', 1);
    proxy.mode = 'refuse';
    const fault = await faultOf(retention.removeAuditBefore(noon('2025-10-02'), call));
    expect(fault).toMatchObject({ code: 'audit_unavailable', upstream: 'storage' });
    expect(fault.message).toContain('cannot be cleared');
  });

  test('knows the rows that the audit writes', async () => {
    const audit = createAudit(createTables({ type: 'connectionString', connectionString: direct }), clock);
    const intent = {
      operation: 'x',
      targetType: 'group',
      targetId: 'i',
      targetName: 'n',
      before: 1,
      planned: 2,
    } as const;
    await audit.record(intent, call, () => Promise.resolve({ result: 0, after: 3, upstreamRequestId: null }));
    expect((await retention.removeAuditBefore(clock.now(), call)).removedCount).toBe(0);
    expect((await retention.removeAuditBefore(clock.now() + 86_400_000, call)).removedCount).toBe(1);
  });
});

describe('AUDIT_RETENTION_DAYS', () => {
  const read = (value?: string) => {
    const env = { AZURE_TENANT_ID: '11111111-1111-4111-8111-111111111111', AzureWebJobsStorage: 'x' };
    const result = readConfig({ ...env, AUDIT_RETENTION_DAYS: value });
    return result.ok ? result.config.auditRetentionDays : result.fault.errors;
  };

  test.each([
    [undefined, 400],
    ['1', 1],
    [' 3650 ', 3_650],
  ])('of %p is %p days', (value, days) => {
    expect(read(value)).toBe(days);
  });

  test.each(['0', '3651', '1.5', '-1', 'many'])('of %s is wrong, with its range', (value) => {
    expect(read(value)).toEqual([
      {
        pointer: 'AUDIT_RETENTION_DAYS',
        message: expect.any(String),
        fix: expect.stringContaining('1 to 3650'),
      },
    ]);
  });
});

import { afterAll, beforeEach, describe, expect, test } from '@jest/globals';
import { connectionString } from '../../local/processes/azurite.ts';
import { takeNumber } from '../support/counter.ts';
import { testAzurite } from '../support/environment.ts';
import { startProxy } from '../support/proxy.ts';
import { type App, rowsOf } from '../support/world.ts';
import { createHurriedClock, operationOf, repairOf, startRepairWorld, swingPatches } from './repairSetting.ts';

const setting = await startRepairWorld();
const { world, the, seen, patches } = setting;
const { control } = world;
const { endpoints, accounts, counter } = testAzurite();
const tables = await startProxy(endpoints.table);
const queues = await startProxy(endpoints.queue);
const urls = { ...endpoints, table: tables.url, queue: queues.url };
const withoutOkta = { OKTA_ORG_URL: '', OKTA_CLIENT_ID: '', OKTA_PRIVATE_KEY: '', OKTA_KEY_ID: '' };
const minuteMs = 60_000;
let app: App;
let clock: ReturnType<typeof createHurriedClock>;

beforeEach(async () => {
  for (const proxy of [tables, queues]) passAll(proxy);
  clock = createHurriedClock();
  const AzureWebJobsStorage = connectionString(urls, accounts, await takeNumber(counter));
  app = await world.startApp({ ...withoutOkta, AzureWebJobsStorage }, { clock });
  await setting.seed();
  // All tables are there, and the one of the audit is not made anew without a word.
  expect((await repair('managed')).body).toMatchObject({ outcome: 'repaired' });
  await control.clearCalls();
});
afterAll(async () => {
  await world.close();
  await Promise.all([tables.close(), queues.close()]);
});

const repair = (name: string) => repairOf(app, the(name).userPrincipalName, { externalId: the(name).expected });
function passAll(proxy: typeof tables): void {
  proxy.mode = 'forward';
  proxy.onRequest = () => undefined;
}
/** Nothing that fits comes through any more. */
function refuse(proxy: typeof tables, fits: RegExp): void {
  proxy.onRequest = (line) => {
    proxy.mode = fits.test(line) ? 'refuse' : 'forward';
  };
}
const patchesSeen = async () => (await patches()).length;
const repaired = async (name: string) => {
  const { userPrincipalName, expected } = the(name);
  expect(await seen(name)).toEqual({ userPrincipalName, immutableId: expected });
};
async function goOn(operationId: unknown): Promise<void> {
  clock.advance(10 * minuteMs);
  await app.fire('runOperation', { operationId });
  await app.idle();
}
const logged = (event: string) => app.host.logs.filter(({ message }) => message.includes(`"event":"${event}"`));

describe('a repair, where the audit', () => {
  test('cannot be reached, is not begun', async () => {
    refuse(tables, /^POST \/\w+\/Tables/);
    expect(await repair('free')).toMatchObject({ status: 503, body: { code: 'audit_unavailable', retryable: true } });
    expect(await patches()).toEqual([]);
    expect(rowsOf(await app.call('GET', 'operations'), 'operations')).toHaveLength(1);
  });

  test('goes away before the first write, waits for it', async () => {
    refuse(tables, /\/audit/);
    const answer = await repair('free');
    expect(answer).toMatchObject({ status: 202, body: { outcome: 'running', changed: false } });
    expect(rowsOf(answer, 'steps')).toMatchObject([{ step: 'setImmutableId', outcome: 'not_sent' }]);
    expect(await patches()).toEqual([]);
    passAll(tables);
    await goOn(answer.body?.operationId);
    expect(await operationOf(app, answer)).toMatchObject({ state: 'succeeded' });
    await repaired('free');
  });

  test('goes away while the user is, brings the user home all the same, and the log has it', async () => {
    let intents = 0;
    tables.onRequest = (line) => {
      const isIntent = /^POST \/\w+\/audit/.test(line);
      if (isIntent) intents += 1;
      // Of the direct way and of the move.
      tables.mode = isIntent && intents > 2 ? 'refuse' : 'forward';
    };
    const answer = await repair('free');
    expect(answer.body).toMatchObject({ outcome: 'repaired' });
    expect(logged('audit_intent_lost').length).toBeGreaterThan(0);
    expect(await patches()).toEqual(swingPatches);
    await repaired('free');
  });
});

describe('a repair, where the storage', () => {
  test('does not take the message that would have somebody come, is not begun', async () => {
    refuse(queues, /^POST \/\w+\/operations\/messages/);
    expect(await repair('free')).toMatchObject({ status: 503, body: { code: 'storage_unavailable' } });
    expect(await patches()).toEqual([]);
    passAll(queues);
    // What was stored of it is ended by the sweep, and stands in nobody's way.
    clock.advance(10 * minuteMs);
    await app.fire('sweep');
    await app.idle();
    const [operation] = rowsOf(await app.call('GET', 'operations'), 'operations');
    expect(operation).toMatchObject({ state: 'failed', code: 'not_attempted' });
    expect((await repair('free')).body).toMatchObject({ outcome: 'repaired' });
  });

  test('goes away in the middle, writes no further step, calls a person, and goes on when it is back', async () => {
    let moved = 0;
    tables.onRequest = (line) => {
      if (/^PUT \/\w+\/repairs/.test(line)) moved += 1;
      // Stored are the direct way and the move; what follows is not.
      tables.mode = line.includes('repairs') && moved > 2 ? 'refuse' : 'forward';
    };
    const answer = await repair('free');
    expect(answer).toMatchObject({ status: 202, body: { outcome: 'running', changed: true } });
    expect(answer.body?.warnings).toEqual([expect.stringContaining('storing a repair')]);
    expect(await patchesSeen()).toBe(2);
    expect(logged('repair_needs_attention').at(-1)?.message).toContain('unreachable in the middle of a repair');
    passAll(tables);
    await goOn(answer.body?.operationId);
    expect(await operationOf(app, answer)).toMatchObject({ state: 'succeeded' });
    await repaired('free');
  });

  test('does not take how it ended, is found out by its worker', async () => {
    tables.onRequest = (line) => {
      const isEnd =
        line.includes('operations') && tables.seen.filter((each) => /^PUT \/\w+\/repairs/.test(each)).length > 4;
      tables.mode = isEnd ? 'refuse' : 'forward';
    };
    tables.seen.length = 0;
    const answer = await repair('free');
    expect(answer.body).toMatchObject({ outcome: 'repaired' });
    expect(logged('repair_not_told')).toHaveLength(1);
    passAll(tables);
    expect(await operationOf(app, answer)).toMatchObject({ done: false });
    await goOn(answer.body?.operationId);
    expect(await operationOf(app, answer)).toMatchObject({ state: 'succeeded' });
    expect(await patches()).toEqual(swingPatches);
  });

  test('fails whoever looks at an ended repair, leaves it to the next sweep', async () => {
    await repair('free');
    const isLook = (line: string) => /^PUT \/\w+\/repairs/.test(line);
    tables.onRequest = (line) => {
      tables.mode = isLook(line) ? 'refuse' : 'forward';
    };
    clock.advance(6 * minuteMs);
    await app.fire('sweep');
    await app.idle();
    expect(logged('repair_put_off').length).toBeGreaterThan(0);
    passAll(tables);
    tables.seen.length = 0;
    await app.fire('sweep');
    await app.idle();
    // That of the other user, too.
    expect(tables.seen.filter(isLook)).toHaveLength(2);
  });
});

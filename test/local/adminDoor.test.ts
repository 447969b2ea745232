import { app, type InvocationContext } from '@azure/functions';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { EventEmitter, once } from 'node:events';
import { type LocalHost, startLocalHost } from '../../local/host/host.ts';

let host: LocalHost;
const signals = new EventEmitter();
let seen: unknown[] = [];

beforeEach(async () => {
  seen = [];
  const see = (value: unknown) => {
    seen.push(value);
    signals.emit('seen');
  };
  host = await startLocalHost({
    load: () =>
      Promise.resolve().then(() => {
        app.http('web', { authLevel: 'anonymous', route: 'web', handler: () => ({}) });
        app.timer('Tick', { schedule: '0 0 0 1 1 *', handler: () => see('fired') });
        // Without a connection it is triggered by hand alone.
        app.storageQueue('work', {
          queueName: 'work',
          connection: 'None',
          handler: (message: unknown, { triggerMetadata }: InvocationContext) => see({ message, triggerMetadata }),
        });
        app.timer('broken', {
          schedule: '0 0 0 1 1 *',
          handler: () => {
            throw new Error('the cause');
          },
        });
      }),
    timers: false,
  });
});
afterEach(() => host.close());

interface Ask {
  key?: string | null;
  method?: string;
  body?: string;
  type?: string;
}

async function ask(path: string, { key = host.masterKey, method = 'POST', body, type = 'application/json' }: Ask = {}) {
  const headers = {
    ...(key !== null && { 'x-functions-key': key }),
    ...(body !== undefined && { 'content-type': type }),
  };
  const response = await fetch(`${host.url}${path}`, { method, headers, ...(body !== undefined && { body }) });
  return { status: response.status, text: await response.text() };
}

describe('the admin door', () => {
  test('fires a timer, and says no more than that it was accepted', async () => {
    const fired = once(signals, 'seen');
    expect(await ask('/admin/functions/tick', { body: '{"input":null}' })).toEqual({ status: 202, text: '' });
    await fired;
    expect(seen).toEqual(['fired']);
  });

  test('gives a queue function its input as the message', async () => {
    const run = once(signals, 'seen');
    const input = '{"operationId":"a"}';
    expect((await ask('/admin/functions/work', { body: JSON.stringify({ input }) })).status).toBe(202);
    await run;
    const message = { operationId: 'a' };
    expect(seen).toEqual([{ message, triggerMetadata: { queueTrigger: message, dequeueCount: 0 } }]);
  });

  test('lets nobody in without the master key, and does not tell which functions there are', async () => {
    const body = '{}';
    for (const key of [null, 'wrong', host.functionKey]) {
      for (const path of ['/admin/functions/tick', '/admin/functions/unknown', '/admin/anything']) {
        expect(await ask(path, { key, body })).toEqual({ status: 401, text: '' });
      }
      expect(await ask('/admin/functions', { key, method: 'GET' })).toEqual({ status: 401, text: '' });
    }
    expect(seen).toEqual([]);
  });

  test.each([
    ['an unknown function', '/admin/functions/unknown', { body: '{}' }, 404],
    ['an unknown path', '/admin/host/unknown', { body: '{}' }, 404],
    ['a body that is no JSON', '/admin/functions/tick', { body: '{' }, 400],
    ['a body that is no object', '/admin/functions/tick', { body: 'null' }, 400],
    ['an input that is no text', '/admin/functions/tick', { body: '{"input":{}}' }, 400],
    ['another content type', '/admin/functions/tick', { body: '{}', type: 'text/plain' }, 415],
    ['no body', '/admin/functions/tick', {}, 415],
  ])('refuses %s', async (_what, path, request, status) => {
    expect(await ask(path, request)).toEqual({ status, text: '' });
    expect(seen).toEqual([]);
  });

  test('lists the functions with their triggers', async () => {
    const { status, text } = await ask('/admin/functions', { method: 'GET' });
    expect(status).toBe(200);
    const listed = JSON.parse(text) as { name: string; config: { bindings: { type: string }[] } }[];
    expect(listed.map(({ name, config }) => [name, config.bindings[0]?.type])).toEqual([
      ['web', 'httpTrigger'],
      ['Tick', 'timerTrigger'],
      ['work', 'queueTrigger'],
      ['broken', 'timerTrigger'],
    ]);
  });

  test('says that the host runs', async () => {
    const { text } = await ask('/admin/host/status', { method: 'GET' });
    expect(JSON.parse(text)).toEqual({ state: 'Running' });
  });

  test('accepts what then fails, and the log says how', async () => {
    expect((await ask('/admin/functions/broken', { body: '{}' })).status).toBe(202);
    await host.idle();
    expect(host.logs).toContainEqual(
      expect.objectContaining({ functionName: 'broken', message: expect.stringContaining('the cause') }),
    );
  });
});

describe('a function run by whoever holds the host', () => {
  test('has ended when the run is over, and its error is the error of the run', async () => {
    await host.run('work', 'text');
    expect(seen).toMatchObject([{ message: 'text' }]);
    await expect(host.run('broken')).rejects.toThrow('the cause');
  });

  test.each([
    ['unknown', 'There is no function "unknown".'],
    ['web', '"web" is triggered by HTTP'],
  ])('cannot be %s', async (name, message) => {
    await expect(host.run(name)).rejects.toThrow(message);
  });
});

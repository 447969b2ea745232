import { app } from '@azure/functions';
import { afterEach, describe, expect, test } from '@jest/globals';
import { EventEmitter, once } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import { type LocalHost, startLocalHost } from '../../local/host/host.ts';
import { ownStorage } from '../support/environment.ts';
import { preload } from '../support/preload.ts';
import { countIn, startQueueHost, textsIn } from './queueHost.ts';

await preload();
const hosts: LocalHost[] = [];
afterEach(async () => {
  await Promise.all(hosts.splice(0).map((host) => host.close()));
});

const start: typeof startQueueHost = async (...given) => {
  const started = await startQueueHost(...given);
  hosts.push(started.host);
  return started;
};
const encode = (text: string) => Buffer.from(text).toString('base64');

/** Until it is so; the test's own time limit is the limit. */
async function until(isSo: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await isSo())) await delay(10);
}

describe('what a queue function gets', () => {
  test.each([
    ['{"operationId":"a","n":1}', { operationId: 'a', n: 1 }],
    ['42', 42],
    ['no JSON, but ä text', 'no JSON, but ä text'],
    ['', ''],
  ])('the message %j arrives as %j', async (sent, expected) => {
    const seen: unknown[] = [];
    const { host, work, send } = await start((message) => void seen.push(message));
    await send(sent);
    await host.idle();
    expect(seen).toEqual([expected]);
    expect(await countIn(work)).toBe(0);
  });

  test('what is known of a message besides', async () => {
    const seen: unknown[] = [];
    const { host, work } = await start((_message, context) => void seen.push(context.triggerMetadata));
    const { messageId } = await work.sendMessage(encode('"text"'), { messageTimeToLive: 3_600 });
    await host.idle();
    const time = expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\+00:00$/);
    expect(seen).toEqual([
      {
        queueTrigger: 'text',
        id: messageId,
        dequeueCount: 1,
        insertionTime: time,
        expirationTime: time,
        nextVisibleTime: time,
        popReceipt: expect.stringMatching(/./),
      },
    ]);
    const { insertionTime, expirationTime, nextVisibleTime } = seen[0] as Record<string, string>;
    const since = (then = '') => (Date.parse(then) - Date.parse(insertionTime ?? '')) / 1000;
    expect(since(expirationTime)).toBe(3_600);
    expect(since(nextVisibleTime)).toBeGreaterThanOrEqual(600);
  });

  test('the queue and the connection are those that the settings name', async () => {
    const storage = await ownStorage();
    const { host: another, send } = await startQueueHost(() => undefined, {}, storage);
    await another.close();
    await send('there');
    const seen: unknown[] = [];
    const host = await startLocalHost({
      load: () =>
        Promise.resolve().then(() =>
          app.storageQueue('work', {
            queueName: '%QUEUE%',
            connection: 'Other',
            handler: (message) => void seen.push(message),
          }),
        ),
      settings: { AzureWebJobsOther: storage, QUEUE: 'work' },
      queues: { maxPollingIntervalMs: 50 },
    });
    hosts.push(host);
    await host.idle();
    expect(seen).toEqual(['there']);
  });

  test.each([{}, { AzureWebJobsStorage: '' }, { AzureWebJobsStorage: 'nonsense' }])(
    'with the settings %j the function is left alone, and the log says why',
    async (settings) => {
      const host = await startLocalHost({
        load: () =>
          Promise.resolve().then(() =>
            app.storageQueue('work', { queueName: 'w', connection: 'AzureWebJobsStorage', handler: () => undefined }),
          ),
        settings,
      });
      hosts.push(host);
      await host.idle();
      expect(host.logs).toContainEqual(
        expect.objectContaining({
          level: 'warning',
          functionName: 'work',
          message: expect.stringContaining('not triggered'),
        }),
      );
    },
  );

  test('a queue that does not exist yet is made', async () => {
    const seen: unknown[] = [];
    const { host, work, send } = await start((message) => void seen.push(message));
    await work.delete();
    await until(() => work.exists());
    await send('later');
    await until(() => seen.length > 0);
    await host.idle();
    expect(seen).toEqual(['later']);
  });
});

describe('a message whose function fails', () => {
  const failing =
    (count: number, tries: number[]) =>
    (_message: unknown, { triggerMetadata }: { triggerMetadata?: unknown }) => {
      tries.push((triggerMetadata as { dequeueCount: number }).dequeueCount);
      if (tries.length <= count) throw new Error('not yet');
    };

  test('comes again until it succeeds, and then is gone', async () => {
    const tries: number[] = [];
    const { host, work, poison, send } = await start(failing(2, tries));
    await send('again');
    await host.idle();
    expect(tries).toEqual([1, 2, 3]);
    expect(await countIn(work)).toBe(0);
    expect(await poison.exists()).toBe(false);
    expect(host.logs).toContainEqual(expect.objectContaining({ message: expect.stringContaining('not yet') }));
  });

  test('is not seen before the visibility timeout has passed', async () => {
    const tries: number[] = [];
    const times: number[] = [];
    const { host, work, send } = await start(
      (message, context) => {
        times.push(Date.now());
        failing(1, tries)(message, context);
      },
      { visibilityTimeoutMs: 2_000 },
    );
    await send('later');
    await until(() => tries.length === 1);
    await host.idle();
    expect(await countIn(work)).toBe(1);
    expect(await textsIn(work)).toEqual([]);
    await until(() => tries.length === 2);
    const [first = 0, second = 0] = times;
    // The queue's clock has whole seconds.
    expect(second - first).toBeGreaterThan(900);
  });

  test('goes to the poison queue as it was after five tries', async () => {
    const tries: number[] = [];
    const { host, work, poison, send } = await start(failing(99, tries));
    await send('{"bad":true}');
    await host.idle();
    expect(tries).toEqual([1, 2, 3, 4, 5]);
    expect(await countIn(work)).toBe(0);
    expect(await textsIn(poison)).toEqual([encode('{"bad":true}')]);
  });

  test('that is no UTF-8 is one of them', async () => {
    const seen: unknown[] = [];
    const { host, work, poison } = await start((message) => void seen.push(message));
    await work.sendMessage('/w==');
    await host.idle();
    expect(seen).toEqual([]);
    expect(await textsIn(poison)).toEqual(['/w==']);
  });

  test('is moved without another try when a host died over the last one', async () => {
    const storage = await ownStorage();
    const tries: number[] = [];
    const prepared = await startQueueHost(() => undefined, {}, storage);
    await prepared.host.close();
    await prepared.send('deadly');
    for (let index = 0; index < 5; index++) {
      const { receivedMessageItems } = await prepared.work.receiveMessages({ visibilityTimeout: 30 });
      const [message] = receivedMessageItems;
      if (!message) throw new Error('It should be there.');
      await prepared.work.updateMessage(message.messageId, message.popReceipt, undefined, 0);
    }
    const { host, poison } = await start(failing(99, tries), {}, storage);
    await host.idle();
    expect(tries).toEqual([]);
    expect(await textsIn(poison)).toEqual([encode('deadly')]);
  });
});

describe('a message in raw text', () => {
  test('goes to the poison queue at once, as it is, and never reaches the function', async () => {
    const seen: unknown[] = [];
    const { host, work, poison } = await start((message) => void seen.push(message));
    await work.sendMessage('{"raw":true}');
    await host.idle();
    expect(seen).toEqual([]);
    expect(await countIn(work)).toBe(0);
    expect(await textsIn(poison)).toEqual(['{"raw":true}']);
  });

  test('is what counts where host.json has no encoding', async () => {
    const seen: unknown[] = [];
    const { host, work } = await start((message) => void seen.push(message), { messageEncoding: 'none' });
    await work.sendMessage('{"raw":true}');
    await host.idle();
    expect(seen).toEqual([{ raw: true }]);
  });
});

describe('a poison queue', () => {
  async function startBoth(onPoison: (message: unknown) => unknown) {
    const storage = await ownStorage();
    const started = await startQueueHost(() => undefined, {}, storage);
    await started.host.close();
    await started.poison.createIfNotExists();
    const host = await startLocalHost({
      load: () =>
        Promise.resolve().then(() => {
          const connection = 'AzureWebJobsStorage';
          app.storageQueue('work', {
            queueName: 'work',
            connection,
            handler: () => {
              throw new Error('always');
            },
          });
          app.storageQueue('workPoison', { queueName: 'work-poison', connection, handler: onPoison });
        }),
      settings: { AzureWebJobsStorage: storage },
      queues: { visibilityTimeoutMs: 0, maxPollingIntervalMs: 50 },
    });
    hosts.push(host);
    return { ...started, host };
  }

  test('has a function like any other', async () => {
    const seen: unknown[] = [];
    const { host, poison, send } = await startBoth((message) => void seen.push(message));
    await send('{"bad":true}');
    await host.idle();
    expect(seen).toEqual([{ bad: true }]);
    expect(await countIn(poison)).toBe(0);
  });

  test('has no poison queue of its own: what fails there stays, unseen until its lock ends', async () => {
    let tries = 0;
    const { host, poison, send } = await startBoth(() => {
      tries += 1;
      throw new Error('here too');
    });
    await send('bad');
    await host.idle();
    expect(tries).toBe(1);
    expect(await countIn(poison)).toBe(1);
    expect(await textsIn(poison)).toEqual([]);
  });

  test('keeps raw text unread', async () => {
    const seen: unknown[] = [];
    const { host, work, poison } = await startBoth((message) => void seen.push(message));
    await work.sendMessage('{"raw":true}');
    await host.idle();
    expect(seen).toEqual([]);
    expect(await countIn(poison)).toBe(1);
  });
});

describe('how many at once', () => {
  test('a batch and the threshold below which the next is taken, and no more', async () => {
    const signals = new EventEmitter().setMaxListeners(50);
    let atOnce = 0;
    let most = 0;
    const { host, send } = await start(
      async () => {
        atOnce += 1;
        most = Math.max(most, atOnce);
        await once(signals, 'finish');
        atOnce -= 1;
      },
      { batchSize: 4, newBatchThreshold: 2 },
    );
    for (let index = 0; index < 12; index++) await send(String(index));
    await until(() => atOnce === 4);
    // All four end: the next batches come while there is room.
    signals.emit('finish');
    const pulse = setInterval(() => signals.emit('finish'), 200);
    await host.idle();
    clearInterval(pulse);
    expect(most).toBeGreaterThanOrEqual(4);
    expect(most).toBeLessThanOrEqual(6);
  });

  test('one after the other with a batch of one and no threshold', async () => {
    let atOnce = 0;
    let most = 0;
    const { host, send } = await start(
      async () => {
        most = Math.max(most, ++atOnce);
        await delay(5);
        atOnce -= 1;
      },
      { batchSize: 1, newBatchThreshold: 0 },
    );
    for (let index = 0; index < 5; index++) await send(String(index));
    await host.idle();
    expect(most).toBe(1);
  });
});

describe('the lock of a message', () => {
  test.each([
    ['gone', undefined],
    ['with somebody else', 0],
  ])('is nothing to insist on when the message is %s', async (_where, visibilitySeconds) => {
    const seen: number[] = [];
    const { host, work, send } = await start(async (_message, { triggerMetadata }) => {
      const { id, popReceipt, dequeueCount } = triggerMetadata as {
        id: string;
        popReceipt: string;
        dequeueCount: number;
      };
      seen.push(dequeueCount);
      if (dequeueCount > 1) return;
      if (visibilitySeconds === undefined) await work.deleteMessage(id, popReceipt);
      else await work.updateMessage(id, popReceipt, undefined, visibilitySeconds);
    });
    await send('taken');
    await host.idle();
    expect(seen).toEqual(visibilitySeconds === undefined ? [1] : [1, 2]);
    expect(await countIn(work)).toBe(0);
    expect(host.logs.filter(({ category }) => category === 'host')).toEqual([]);
  });

  test('is renewed while its function runs', async () => {
    let runs = 0;
    const { host, work, send } = await start(
      async () => {
        runs += 1;
        await delay(3_500);
      },
      { messageLockMs: 1_000 },
    );
    await send('long');
    await until(() => runs > 0);
    await host.idle();
    expect(runs).toBe(1);
    expect(await countIn(work)).toBe(0);
  });
});

describe('a host that closes', () => {
  test('lets work come to its end, and takes no more', async () => {
    const signals = new EventEmitter();
    const seen: unknown[] = [];
    const begun = once(signals, 'begun');
    const { host, work, send } = await startQueueHost(
      async (message) => {
        signals.emit('begun');
        await once(signals, 'finish');
        seen.push(message);
      },
      { batchSize: 1, newBatchThreshold: 0 },
    );
    await send('first');
    await send('second');
    await begun;
    const closed = host.close();
    signals.emit('finish');
    await closed;
    expect(seen).toEqual(['first']);
    expect(await textsIn(work)).toEqual([encode('second')]);
  });

  test('has brought away what failed for the last time', async () => {
    const signals = new EventEmitter();
    const begun = once(signals, 'begun');
    const { host, work, send } = await startQueueHost(
      async () => {
        signals.emit('begun');
        await once(signals, 'finish');
        throw new Error('the last time');
      },
      { maxDequeueCount: 1 },
    );
    await send('bad');
    await begun;
    const closed = host.close();
    signals.emit('finish');
    await closed;
    expect(await countIn(work)).toBe(0);
  });
});

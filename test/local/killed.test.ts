import { QueueServiceClient } from '@azure/storage-queue';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { type Child, isJsonLine, startChild } from '../../local/processes/child.ts';
import { ownStorage } from '../support/environment.ts';

const root = fileURLToPath(new URL('../../', import.meta.url));
let folder = '';
const started: Child[] = [];

beforeAll(async () => {
  // Inside the project, so that @azure/functions is found.
  await mkdir(`${root}.cache`, { recursive: true });
  folder = await mkdtemp(`${root}.cache/killed-`);
  await writeFile(`${folder}/package.json`, JSON.stringify({ type: 'module', main: 'index.js' }));
  await writeFile(
    `${folder}/index.js`,
    `import { app } from '@azure/functions';
    import { appendFileSync } from 'node:fs';
    app.storageQueue('work', {
      queueName: 'work',
      connection: 'AzureWebJobsStorage',
      handler: (message, { triggerMetadata: { dequeueCount } }) => {
        appendFileSync(process.env.DIARY, \`\${message} \${dequeueCount} \${Date.now()}\\n\`);
        // The first try never ends.
        return dequeueCount === 1 ? new Promise(() => undefined) : undefined;
      },
    });`,
  );
});
afterAll(async () => {
  await Promise.all(started.map((child) => child.stop()));
  await rm(folder, { recursive: true });
});

async function startHost(storage: string, diary: string): Promise<Child> {
  const child = await startChild({
    name: 'The local host',
    script: 'local/host/main.ts',
    args: ['--app', folder, '--message-lock-seconds', '3', '--max-polling-interval-ms', '50'],
    env: { ...process.env, AzureWebJobsStorage: storage, DIARY: diary },
    isReady: isJsonLine,
  });
  started.push(child);
  return child;
}

test('a message that a killed host worked on comes back when its lock has ended', async () => {
  const storage = await ownStorage();
  const diary = `${folder}/diary`;
  await writeFile(diary, '');
  const entries = async () => (await readFile(diary, 'utf8')).split('\n').filter((line) => line !== '');
  const until = async (count: number) => {
    while ((await entries()).length < count) await delay(10);
  };
  const queue = QueueServiceClient.fromConnectionString(storage).getQueueClient('work');
  await queue.createIfNotExists();
  await queue.sendMessage(Buffer.from('kept').toString('base64'));

  const first = await startHost(storage, diary);
  await until(1);
  // One renewal of the lock: the message stays with the host that works on it.
  const second = await startHost(storage, diary);
  await delay(4_000);
  expect(await entries()).toHaveLength(1);

  const killedAt = Date.now();
  process.kill(first.pid, 'SIGKILL');
  expect(await first.ended).toContain('SIGKILL');
  await until(2);
  const [message, dequeueCount, at] = (await entries())[1]?.split(' ') ?? [];
  expect([message, dequeueCount]).toEqual(['kept', '2']);
  expect(Number(at) - killedAt).toBeGreaterThan(200);
  while (((await queue.getProperties()).approximateMessagesCount ?? 0) > 0) await delay(10);
  expect(await entries()).toHaveLength(2);
  await second.stop();
});

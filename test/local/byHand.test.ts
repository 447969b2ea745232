import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { type Everything, startEverything } from '../../local/everything.ts';

const hasShell = ['bash', 'curl'].every((program) => spawnSync(program, ['--version']).status === 0);

let everything: Everything;
beforeAll(async () => {
  everything = await startEverything({ settings: { AZURE_TENANT_ID: '', AzureWebJobsStorage: '' } });
});
afterAll(async () => {
  // A command that waits for what never comes waits for ever, and so do its children.
  for (const { pid, exitCode } of shells) if (pid !== undefined && exitCode === null) process.kill(-pid, 'SIGKILL');
  await everything.close();
});

const shells: ChildProcess[] = [];

/** The commands of one section of a document, in order. */
async function commandsOf(document: string, heading: string): Promise<string> {
  const text = await readFile(new URL(`../../docs/${document}`, import.meta.url), 'utf8');
  const [, section = ''] = text.split(`\n## ${heading}\n`);
  const [body = ''] = section.split('\n## ');
  return [...body.matchAll(/```sh\n(.*?)```/gs)].map(([, block]) => block).join('\n');
}

async function run(commands: string, env: Record<string, string>): Promise<{ code: number | null; lines: string[] }> {
  const shell = spawn('bash', ['-euo', 'pipefail', '-c', commands], {
    env: { ...process.env, ...env },
    detached: true,
  });
  shells.push(shell);
  let out = '';
  shell.stdout.on('data', (chunk: Buffer) => (out += chunk.toString()));
  await once(shell, 'close');
  return { code: shell.exitCode, lines: out.trim().split('\n') };
}

describe('the commands of docs/group-push.md', () => {
  (hasShell ? test : test.skip)(
    'do what the document says, from linking to what the hook refuses',
    async () => {
      const { api, key, masterKey, hookSecret, simulator } = everything;
      const env = {
        API: api,
        KEY: key,
        MASTER_KEY: masterKey,
        CONTROL: simulator?.control ?? '',
        HOOK_SECRET: hookSecret ?? '',
      };
      const { code, lines } = await run(await commandsOf('group-push.md', 'Try it by hand'), env);
      expect(code).toBe(0);
      expect(lines).toContain('Field Crew');
      expect(lines).toContain("[ 'pat.supplier@example.com' ]");
      const people = ['bruno.keller', 'chiara.lind', 'kaya.demir', 'liam.corrigan', 'olga.petrova'];
      const expected = [...people.map((name) => `${name}@contoso.com`), 'pat.supplier@example.com'];
      expect(lines.at(-5)?.split(' ').sort()).toEqual(expected.sort());
      expect(lines.slice(-4)).toEqual(['401', '400', '413', '204']);
    },
    120_000,
  );
});

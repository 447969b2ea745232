import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { relative } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

const root = fileURLToPath(new URL('../../', import.meta.url));
const tsx = pathToFileURL(createRequire(import.meta.url).resolve('tsx')).href;
let folder = '';

beforeAll(async () => {
  // Inside the project, so that packages are found and paths are those of the project.
  await mkdir(`${root}.cache`, { recursive: true });
  folder = relative(root, await mkdtemp(`${root}.cache/build-`));
});
afterAll(() => rm(`${root}${folder}`, { recursive: true }));

async function buildOf(name: string, source: string): Promise<{ code: number | null; stderr: string; files: boolean }> {
  const entry = `${folder}/${name}.ts`;
  const outdir = `${folder}/${name}`;
  await writeFile(`${root}${entry}`, source);
  const args = ['--entry', entry, '--outdir', outdir, '--metafile', `${folder}/${name}.json`];
  const child = spawn(process.execPath, ['--import', tsx, 'build.ts', ...args], { cwd: root });
  let stderr = '';
  child.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString()));
  await once(child, 'close');
  return { code: child.exitCode, stderr, files: existsSync(`${root}${outdir}/index.js`) };
}

describe('the build', () => {
  test('takes an Azure SDK that is loaded when first needed', async () => {
    const built = await buildOf('lazy', "export const load = () => import('@azure/data-tables');");
    expect(built).toEqual({ code: 0, stderr: '', files: true });
  });

  test('refuses one that is loaded with the entry, and names the chain', async () => {
    await writeFile(`${root}${folder}/between.ts`, "export { TableClient } from '@azure/data-tables';");
    const built = await buildOf('eager', "export { TableClient } from './between.ts';");
    expect(built).toMatchObject({ code: 1, files: false });
    expect(built.stderr).toContain(
      `loaded with the entry: ${folder}/eager.ts → ${folder}/between.ts → node_modules/@azure/data-tables/`,
    );
  });

  test('refuses what is for development, and names who imports it', async () => {
    const built = await buildOf('stranger', "export * from '../../local/host/keys.ts';");
    expect(built).toMatchObject({ code: 1, files: false });
    expect(built.stderr).toContain(`local/host/keys.ts is in it, imported by ${folder}/stranger.ts`);
  });

  test('refuses a warning', async () => {
    const built = await buildOf('warning', 'export const never = (x: unknown) => (typeof x as string) === "nothing";');
    expect(built).toMatchObject({ code: 1, files: false });
    expect(built.stderr).toContain('esbuild warned 1 times');
  });
});

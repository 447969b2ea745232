import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { cp, mkdir, mkdtemp, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { join, relative } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { build } from 'esbuild';

const root = fileURLToPath(new URL('../../', import.meta.url));

/** Plain JavaScript, all of it: tsx would make each `import()` of the app a round trip to another thread. */
export interface Programs {
  readonly folder: string;
  /** Scripts, relative to the project. */
  readonly host: string;
  readonly proxy: string;
  /** A folder with a package.json and `dist/`. */
  readonly app: string;
}

export async function preparePrograms(): Promise<Programs> {
  await mkdir(join(root, '.cache'), { recursive: true });
  // Inside the project, so that packages are found.
  const folder = await mkdtemp(join(root, '.cache/overhead-'));
  await build({
    entryPoints: { 'local/host/main': join(root, 'local/host/main.ts'), proxy: join(root, 'bench/overhead/proxy.ts') },
    outdir: folder,
    outExtension: { '.js': '.mjs' },
    bundle: true,
    packages: 'external',
    format: 'esm',
    platform: 'node',
    target: 'node20',
    logLevel: 'warning',
  });
  // The host looks for them beside it.
  await cp(join(root, 'local/host/functionsCore.cjs'), join(folder, 'local/host/functionsCore.cjs'));
  await cp(join(root, 'host.json'), join(folder, 'host.json'));
  await buildApp(folder);
  const place = relative(root, folder);
  return { folder, app: folder, host: join(place, 'local/host/main.mjs'), proxy: join(place, 'proxy.mjs') };
}

/** The product, built from the present sources. */
async function buildApp(folder: string): Promise<void> {
  const tsx = pathToFileURL(createRequire(import.meta.url).resolve('tsx')).href;
  const args = ['--outdir', relative(root, join(folder, 'dist')), '--metafile', join(folder, 'meta.json')];
  const child = spawn(process.execPath, ['--import', tsx, 'build.ts', ...args], {
    cwd: root,
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  await once(child, 'close');
  if (child.exitCode !== 0) throw new Error('The app could not be built.');
  await writeFile(join(folder, 'package.json'), JSON.stringify({ type: 'module', main: 'dist/index.js' }));
}

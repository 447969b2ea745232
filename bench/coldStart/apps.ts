import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { cp, mkdir, mkdtemp, readdir, readFile, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { build } from 'esbuild';
import ts from 'typescript';

type ModuleType = 'module' | 'commonjs';

const root = fileURLToPath(new URL('../../', import.meta.url));

/** What the processes run: plain JavaScript all of it, so that nobody compiles TypeScript while time is taken. */
export interface Programs {
  readonly folder: string;
  /** Does nothing but say so. */
  readonly empty: string;
  /** Imports an app as the worker does, and says so. */
  readonly register: string;
  /** The local host; the app is an argument. */
  readonly host: string;
  /** Folders with a package.json. */
  readonly apps: Readonly<Record<AppName, string>>;
}

/** The peers: the same source unbundled, as ES modules like ours and as CommonJS, which Node.js loads faster. */
export type AppName = 'ours' | 'esm' | 'commonJs';

export async function preparePrograms(): Promise<Programs> {
  await mkdir(join(root, '.cache'), { recursive: true });
  // Inside the project, so that the peer finds its packages.
  const folder = await mkdtemp(join(root, '.cache/coldStart-'));
  const programs = {
    folder,
    empty: join(folder, 'empty.mjs'),
    register: join(folder, 'local/host/register.mjs'),
    host: join(folder, 'local/host/main.mjs'),
    apps: { ours: join(folder, 'ours'), esm: join(folder, 'esm'), commonJs: join(folder, 'commonJs') },
  };
  await writeFile(programs.empty, saysReady);
  const { apps } = programs;
  await prepareHost(programs);
  await prepareOurs(apps.ours);
  await preparePeer(apps.esm, 'module');
  await preparePeer(apps.commonJs, 'commonjs');
  return programs;
}

/** Memory is told at the end, when time is no longer taken. */
const tellsMemory = `
import { writeSync } from 'node:fs';
process.on('exit', () => writeSync(1, JSON.stringify({ rssBytes: process.memoryUsage.rss() }) + '\\n'));
`;
const saysReady = `${tellsMemory}
writeSync(1, JSON.stringify({ ready: true }) + '\\n');
process.exit();
`;

/** Bundled where its sources lie, as seen from the folder: it looks for files beside it. */
async function prepareHost({ folder, host, register }: Programs): Promise<void> {
  const place = join(folder, 'local/host');
  await build({
    stdin: { contents: `${tellsMemory}\nawait import('./main.ts');`, resolveDir: join(root, 'local/host') },
    outfile: host,
    bundle: true,
    packages: 'external',
    format: 'esm',
    platform: 'node',
    target: 'node20',
    logLevel: 'warning',
  });
  await build({
    entryPoints: [join(root, 'local/host/appState.ts'), join(root, 'local/host/injectCore.ts')],
    outdir: place,
    outExtension: { '.js': '.mjs' },
    bundle: true,
    packages: 'external',
    format: 'esm',
    platform: 'node',
    target: 'node20',
    logLevel: 'warning',
  });
  await cp(join(root, 'local/host/functionsCore.cjs'), join(place, 'functionsCore.cjs'));
  await cp(join(root, 'host.json'), join(folder, 'host.json'));
  await writeFile(
    register,
    `${tellsMemory}
import { createSink, loadInto } from './appState.mjs';
import { injectCore } from './injectCore.mjs';
import { readFileSync } from 'node:fs';

injectCore();
const folder = process.argv[2];
const { main } = JSON.parse(readFileSync(folder + '/package.json', 'utf8'));
const sink = createSink(() => undefined);
await loadInto(sink, () => import(folder + '/' + main));
writeSync(1, JSON.stringify({ ready: true, functions: [...sink.functions.keys()] }) + '\\n');
process.exit();
`,
  );
}

/** The product, built from the present sources. */
async function prepareOurs(folder: string): Promise<void> {
  await mkdir(folder);
  const tsx = pathToFileURL(createRequire(import.meta.url).resolve('tsx')).href;
  const args = ['--outdir', relative(root, join(folder, 'dist')), '--metafile', join(folder, 'meta.json')];
  const child = spawn(process.execPath, ['--import', tsx, 'build.ts', ...args], {
    cwd: root,
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  await once(child, 'close');
  if (child.exitCode !== 0) throw new Error('The app could not be built.');
  await writePackage(folder, 'dist/index.js', 'module');
}

/** The same sources, each file compiled for itself, as `tsc` does it, and the SDKs imported at the top. */
async function preparePeer(folder: string, type: ModuleType): Promise<void> {
  for (const top of ['functions', 'shared']) {
    for (const name of await readdir(join(root, top), { recursive: true })) {
      if (name.endsWith('.ts')) await compile(join(top, name), folder, type);
    }
  }
  const imports = [
    '@azure/identity',
    '@azure/data-tables',
    './shared/graph/sdk.js',
    './shared/action/compile.js',
    './functions/index.js',
  ];
  const load = (name: string) => (type === 'module' ? `import '${name}';` : `require('${name}');`);
  await writeFile(join(folder, 'main.js'), imports.map((name) => load(name)).join('\n'));
  await writePackage(folder, 'main.js', type);
}

async function compile(file: string, folder: string, type: ModuleType): Promise<void> {
  const { outputText } = ts.transpileModule(await readFile(join(root, file), 'utf8'), {
    fileName: file,
    compilerOptions: {
      target: ts.ScriptTarget.ES2022,
      ...(type === 'module'
        ? { module: ts.ModuleKind.ESNext, verbatimModuleSyntax: true }
        : { module: ts.ModuleKind.CommonJS, esModuleInterop: true }),
      rewriteRelativeImportExtensions: true,
    },
  });
  const target = join(folder, file.replace(/\.ts$/, '.js'));
  await mkdir(dirname(target), { recursive: true });
  await writeFile(target, outputText);
}

async function writePackage(folder: string, main: string, type: ModuleType): Promise<void> {
  await writeFile(join(folder, 'package.json'), JSON.stringify({ main, type }));
}

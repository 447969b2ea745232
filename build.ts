import { build, type Metafile } from 'esbuild';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { parseArgs } from 'node:util';

/** Bundles the functions into `dist/`, which the Azure Functions Node.js worker loads through package.json's `main`. */
const { values } = parseArgs({
  options: {
    entry: { type: 'string', default: 'functions/index.ts' },
    outdir: { type: 'string', default: 'dist' },
    metafile: { type: 'string', default: '.cache/meta.json' },
  },
});

await rm(values.outdir, { recursive: true, force: true });
const { metafile, warnings } = await build({
  entryPoints: { index: values.entry },
  outdir: values.outdir,
  bundle: true,
  format: 'esm',
  platform: 'node',
  target: 'node20',
  // `import()` becomes a file of its own: Azure's SDKs cost most of a cold start (reference/functions.md §5).
  splitting: true,
  // It exists only inside the worker, which hands it to `require`.
  external: ['@azure/functions-core'],
  // CommonJS packages inside an ES module bundle still call `require`.
  banner: { js: "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);" },
  sourcemap: 'linked',
  metafile: true,
  logLevel: 'warning',
});
await mkdir('.cache', { recursive: true });
await writeFile(values.metafile, JSON.stringify(metafile));

const faults = [...findStrangers(metafile), ...findEagerPackages(metafile)];
if (warnings.length > 0) faults.push(`esbuild warned ${warnings.length} times`);
if (faults.length > 0) {
  await rm(values.outdir, { recursive: true, force: true });
  throw new Error(`The bundle is not as it should be:\n${faults.join('\n')}`);
}

/** What production must not carry. */
function findStrangers({ inputs }: Metafile): string[] {
  return Object.keys(inputs)
    .filter((input) => /^(simulator|local|test|bench)\//.test(input))
    .map((input) => `${input} is in it, imported by ${importersOf(input, inputs).join(', ')}`);
}

function importersOf(input: string, inputs: Metafile['inputs']): string[] {
  return Object.keys(inputs).filter((name) => inputs[name]?.imports.some(({ path }) => path === input));
}

/** What may be loaded only when first needed, when it is loaded together with the entry: the chain that does it. */
function findEagerPackages({ inputs }: Metafile): string[] {
  const lazyOnly = /(^|\/)node_modules\/@azure\/(identity|msal-[^/]+|data-tables|storage-[^/]+)\//;
  const cameFrom = new Map<string, string | null>([[values.entry, null]]);
  // A Map hands out what is added while it is walked: this is the queue of a breadth-first search.
  for (const [input] of cameFrom) {
    if (lazyOnly.test(input)) return [`loaded with the entry: ${chainTo(input, cameFrom).join(' → ')}`];
    for (const { path, kind, external } of inputs[input]?.imports ?? []) {
      if (kind !== 'dynamic-import' && !external && !cameFrom.has(path)) cameFrom.set(path, input);
    }
  }
  return [];
}

function chainTo(input: string, cameFrom: ReadonlyMap<string, string | null>): string[] {
  const previous = cameFrom.get(input);
  return previous ? [...chainTo(previous, cameFrom), input] : [input];
}

import type { TObject } from '@sinclair/typebox';
import standaloneCode from 'ajv/dist/standalone/index.js';
import { build, type Metafile, type Plugin } from 'esbuild';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { actions } from './functions/register.ts';
import { createCompiler } from './shared/action/compile.ts';
import { validatorName } from './shared/action/precompiled.ts';

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
  plugins: [precompiledValidators()],
  // It exists only inside the worker, which hands it to `require`.
  external: ['@azure/functions-core'],
  // CommonJS packages inside an ES module bundle still call `require`. The name is ours alone: a package that imports
  // `createRequire` itself would clash with it.
  banner: {
    js: "import { createRequire as requireForBundle } from 'node:module'; const require = requireForBundle(import.meta.url);",
  },
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

/** Puts compiled validators for the schemas of all actions where shared/action/compile.ts, and ajv with it, would be. */
function precompiledValidators(): Plugin {
  const folder = fileURLToPath(new URL('shared/action', import.meta.url));
  const modules: Readonly<Record<string, () => string>> = {
    validators: () => `
      import { findValidator } from './precompiled.ts';
      import * as ofTexts from 'validators:texts';
      import * as ofJson from 'validators:json';
      export const compileSchema = (schema, coerceTypes) => findValidator(coerceTypes ? ofTexts : ofJson, schema);`,
    texts: () =>
      writeValidators(
        true,
        actions.flatMap(({ params, query }) => [params, query]),
      ),
    json: () =>
      writeValidators(
        false,
        actions.flatMap(({ body }) => body ?? []),
      ),
  };
  return {
    name: 'precompiled validators',
    setup: (bundler) => {
      bundler.onResolve({ filter: /^\.\/compile\.ts$/ }, ({ resolveDir }) =>
        resolveDir === folder ? { path: 'validators', namespace: 'validators' } : undefined,
      );
      bundler.onResolve({ filter: /^validators:/ }, ({ path }) => ({ path: path.slice(11), namespace: 'validators' }));
      bundler.onLoad({ filter: /.*/, namespace: 'validators' }, ({ path }) => {
        const contents = modules[path]?.();
        return contents === undefined ? undefined : { contents, loader: 'js', resolveDir: folder };
      });
    },
  };
}

function writeValidators(coerceTypes: boolean, schemas: readonly TObject[]): string {
  const compiler = createCompiler(coerceTypes, { code: { source: true, esm: true } });
  const byName = new Map(schemas.map((schema) => [validatorName(schema), schema]));
  for (const [name, schema] of byName) compiler.addSchema(schema, name);
  return standaloneCode(compiler, Object.fromEntries([...byName.keys()].map((name) => [name, name])));
}

/** What production must not carry. */
function findStrangers({ inputs }: Metafile): string[] {
  return Object.keys(inputs)
    .filter((input) => /^(simulator|local|test|bench)\/|(^|\/)node_modules\/ajv\/(?!dist\/runtime\/)/.test(input))
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

import Module, { createRequire } from 'node:module';

interface Resolver {
  _resolveFilename(request: string, ...rest: unknown[]): string;
}

/**
 * Makes `require('@azure/functions-core')` find our stand-in. To be called before the app is imported, since
 * @azure/functions asks once and remembers the answer. It works for bundles too: they go through `createRequire`,
 * which ends in the same resolver.
 */
export function injectCore(): void {
  const core = createRequire(import.meta.url).resolve('./functionsCore.cjs');
  const resolver = Module as unknown as Resolver;
  const original = resolver._resolveFilename.bind(resolver);
  resolver._resolveFilename = (request, ...rest) =>
    request === '@azure/functions-core' ? core : original(request, ...rest);
}

import type { Blobs } from '../../shared/store/blobs.ts';

/** Blobs in memory, with their order, and no leases. */
export function memoryBlobs(): Blobs & { readonly stored: Map<string, unknown> } {
  const stored = new Map<string, unknown>();
  const names = (prefix: string) => [...stored.keys()].filter((name) => name.startsWith(prefix)).sort();
  return {
    stored,
    read: (name) => Promise.resolve(stored.get(name) ?? null),
    write: (name, value) => {
      stored.set(name, JSON.parse(JSON.stringify(value)));
      return Promise.resolve();
    },
    remove: (name) => {
      stored.delete(name);
      return Promise.resolve();
    },
    removeAll: (prefix) => {
      for (const name of names(prefix)) stored.delete(name);
      return Promise.resolve();
    },
    list: ({ prefix, after, limit }) =>
      Promise.resolve(
        names(prefix)
          .filter((name) => after === null || name > after)
          .slice(0, limit),
      ),
    use: () => Promise.reject(new Error('no leases here')),
  };
}

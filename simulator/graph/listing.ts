import type { Positioned } from '../tenant/store.ts';

/** A collection that can be read on from any position, so that a page costs what it holds and not what it leaves. */
export interface Listing<T> {
  /** In order; -1 is before all. */
  after(position: number): Iterable<Positioned<T>>;
}

export const listingOf = <T>(items: readonly T[]): Listing<T> => ({
  after: (position) => items.map((object, at) => ({ position: at, object })).slice(position + 1),
});

export const where = <T>(listing: Listing<T>, test: (object: T) => boolean): Listing<T> => ({
  *after(position) {
    for (const entry of listing.after(position)) if (test(entry.object)) yield entry;
  },
});

export function sizeOf(listing: Listing<unknown>): number {
  let size = 0;
  for (const entry of listing.after(-1)) size += entry.position >= 0 ? 1 : 0;
  return size;
}

import type { Positioned } from '../tenant/store.ts';

/** Objects by id, in the order of creation; a position is never given twice, so that a listing under way skips nobody. */
export class Table<T extends { readonly id: string }> implements Iterable<T> {
  readonly #entries = new Map<string, Positioned<T>>();
  #nextPosition = 0;

  constructor(objects: Iterable<T> = []) {
    for (const object of objects) this.put(object);
  }

  get(id: string): T | undefined {
    return this.#entries.get(id)?.object;
  }

  put(object: T): T {
    this.#entries.set(object.id, {
      position: this.#entries.get(object.id)?.position ?? this.#nextPosition++,
      object,
    });
    return object;
  }

  remove(id: string): void {
    this.#entries.delete(id);
  }

  *after(position: number): Generator<Positioned<T>> {
    for (const entry of this.#entries.values()) if (entry.position > position) yield entry;
  }

  *[Symbol.iterator](): Generator<T> {
    for (const { object } of this.#entries.values()) yield object;
  }
}

import type { DirectoryObject } from './model.ts';
import { namesOf } from './names.ts';

export type ObjectType = DirectoryObject['type'];
type OfType<T extends ObjectType> = Extract<DirectoryObject, { type: T }>;

/** An object and where it stands among all: positions grow in the order of creation and are never given twice. */
export interface Positioned<T> {
  readonly position: number;
  readonly object: T;
}

/** What one side of the tenant shows at a moment. */
export interface View {
  get(id: string): DirectoryObject | undefined;
  /** In order of creation. */
  ofType<T extends ObjectType>(type: T): Iterable<OfType<T>>;
  after<T extends ObjectType>(type: T, position: number): Iterable<Positioned<OfType<T>>>;
  /** All that go by this name, address or alias, without regard to case. */
  named(name: string): DirectoryObject[];
}

const types = ['user', 'contact', 'device', 'group', 'servicePrincipal'] as const satisfies ObjectType[];
type Entries = Map<string, Positioned<DirectoryObject>>;

/** Objects by id, by type in order of creation, and by name. They are never changed in place, only replaced. */
export class Store implements View {
  readonly #entries: Record<ObjectType, Entries> = {
    user: new Map(),
    contact: new Map(),
    device: new Map(),
    group: new Map(),
    servicePrincipal: new Map(),
  };
  #nextPosition = 0;
  /** Ids by name; made when a name is first asked for. */
  #ids: Map<string, Set<string>> | null = null;
  /** What stood here at the last mark, of all that has changed since. */
  #former = new Map<string, Positioned<DirectoryObject> | null>();

  /** What stood here before each late change, oldest first. */
  #recent: { readonly atMs: number; readonly id: string; readonly entry: Positioned<DirectoryObject> | null }[] = [];

  get(id: string): DirectoryObject | undefined {
    return this.#entry(id)?.object;
  }

  *ofType<T extends ObjectType>(type: T): Generator<OfType<T>> {
    for (const { object } of this.after(type, -1)) yield object;
  }

  *after<T extends ObjectType>(type: T, position: number): Generator<Positioned<OfType<T>>> {
    // A Map keeps the order of first setting, which is the order of positions.
    for (const entry of this.#entries[type].values())
      if (entry.position > position) yield entry as Positioned<OfType<T>>;
  }

  named(name: string): DirectoryObject[] {
    const ids = [...(this.#index().get(name.toLowerCase()) ?? [])];
    return ids.map((id) => this.get(id)).filter((object) => object !== undefined);
  }

  put(object: DirectoryObject): void {
    const present = this.#entry(object.id);
    this.#remember(object.id, present);
    if (present && present.object.type !== object.type) this.#entries[present.object.type].delete(object.id);
    const position = present?.position ?? this.#nextPosition++;
    this.#entries[object.type].set(object.id, { position, object });
    this.#reindex(present?.object, object);
  }

  remove(id: string): void {
    const present = this.#entry(id);
    if (!present) return;
    this.#remember(id, present);
    this.#entries[present.object.type].delete(id);
    this.#reindex(present.object, undefined);
  }

  /** From now on, `before` is as things stand. */
  mark(): void {
    this.#former = new Map();
  }

  /** Remembers how these stand, for `asOf` as far back as `keptMs`. */
  remember(ids: readonly string[], nowMs: number, keptMs: number): void {
    this.#recent = this.#recent.filter(({ atMs }) => atMs > nowMs - keptMs);
    this.#recent.push(...ids.map((id) => ({ atMs: nowMs, id, entry: this.#entry(id) ?? null })));
  }

  /** As things stood at that time, as far as it is remembered. */
  asOf(ms: number): View {
    const changed = new Map<string, Positioned<DirectoryObject> | null>();
    for (const { atMs, id, entry } of this.#recent) if (atMs > ms && !changed.has(id)) changed.set(id, entry);
    return changed.size === 0 ? this : this.#with(changed);
  }

  /** As things stood at the last mark. */
  before(): View {
    return this.#with(this.#former);
  }

  #with(changed: ReadonlyMap<string, Positioned<DirectoryObject> | null>): View {
    const kept = types.flatMap((type) =>
      [...this.#entries[type].values()].filter(({ object }) => !changed.has(object.id)),
    );
    const former = [...changed.values()].filter((entry) => entry !== null);
    const store = new Store();
    for (const { position, object } of [...kept, ...former].sort((a, b) => a.position - b.position)) {
      store.#nextPosition = position;
      store.put(object);
    }
    return store;
  }

  #entry(id: string): Positioned<DirectoryObject> | undefined {
    for (const type of types) {
      const entry = this.#entries[type].get(id);
      if (entry) return entry;
    }
    return undefined;
  }

  #remember(id: string, present: Positioned<DirectoryObject> | undefined): void {
    if (!this.#former.has(id)) this.#former.set(id, present ?? null);
  }

  #index(): Map<string, Set<string>> {
    if (this.#ids) return this.#ids;
    this.#ids = new Map();
    for (const type of types) for (const { object } of this.#entries[type].values()) this.#reindex(undefined, object);
    return this.#ids;
  }

  /** A name that stays keeps its place: who was first of two with one name stays first. */
  #reindex(former: DirectoryObject | undefined, present: DirectoryObject | undefined): void {
    if (!this.#ids) return;
    const [before, now] = [new Set(former && namesOf(former)), new Set(present && namesOf(present))];
    for (const name of before) {
      if (now.has(name)) continue;
      const ids = this.#ids.get(name);
      ids?.delete(former?.id ?? '');
      if (ids?.size === 0) this.#ids.delete(name);
    }
    for (const name of now) {
      if (before.has(name)) continue;
      const ids = this.#ids.get(name) ?? new Set();
      this.#ids.set(name, ids.add(present?.id ?? ''));
    }
  }
}

/** A member, and where it stands: positions grow in the order of adding and are never given twice. */
interface Entry {
  readonly position: number;
  readonly id: string;
}

const CHUNK = 256;
const ENTRIES_PER_BUCKET = 32;
const MOST_PER_BUCKET = 4 * ENTRIES_PER_BUCKET;

/** FNV-1a */
function hash(text: string): number {
  let value = 0x811c9dc5;
  for (let index = 0; index < text.length; index++) value = Math.imul(value ^ text.charCodeAt(index), 0x01000193);
  return value >>> 0;
}

/**
 * Ids in the order of adding, each once. Never changed in place: a change copies two small pieces of it, so that one
 * member of 100,000 is added or removed in microseconds and former states stay what they were.
 */
export class MemberList implements Iterable<string> {
  static readonly empty = new MemberList([], [[]], 0, 0);

  readonly length: number;
  /** In order of position. */
  readonly #chunks: readonly (readonly Entry[])[];
  /** By hash of the id; their number is a power of two. */
  readonly #buckets: readonly (readonly Entry[])[];
  readonly #nextPosition: number;

  private constructor(
    chunks: readonly (readonly Entry[])[],
    buckets: readonly (readonly Entry[])[],
    length: number,
    nextPosition: number,
  ) {
    this.#chunks = chunks;
    this.#buckets = buckets;
    this.length = length;
    this.#nextPosition = nextPosition;
  }

  static of(ids: Iterable<string>): MemberList {
    return MemberList.empty.with(ids);
  }

  static #built(entries: readonly Entry[], nextPosition: number): MemberList {
    const count = 2 ** Math.ceil(Math.log2(Math.max(1, entries.length / ENTRIES_PER_BUCKET)));
    const buckets = Array.from({ length: count }, (): Entry[] => []);
    for (const entry of entries) buckets[hash(entry.id) & (count - 1)]?.push(entry);
    const chunks: Entry[][] = [];
    for (let at = 0; at < entries.length; at += CHUNK) chunks.push(entries.slice(at, at + CHUNK));
    return new MemberList(chunks, buckets, entries.length, nextPosition);
  }

  #bucketOf(id: string): number {
    return hash(id) & (this.#buckets.length - 1);
  }

  #find(id: string): Entry | undefined {
    return this.#buckets[this.#bucketOf(id)]?.find((entry) => entry.id === id);
  }

  includes(id: string): boolean {
    return this.#find(id) !== undefined;
  }

  with(ids: Iterable<string>): MemberList {
    let next = this.#nextPosition;
    const added = [...new Set(ids)].filter((id) => !this.includes(id)).map((id) => ({ position: next++, id }));
    if (added.length === 0) return this;
    const length = this.length + added.length;
    if (length > this.#buckets.length * MOST_PER_BUCKET || added.length > CHUNK)
      return MemberList.#built([...this.after(-1), ...added], next);
    const [chunks, buckets] = [[...this.#chunks], [...this.#buckets]];
    for (const entry of added) {
      const at = this.#bucketOf(entry.id);
      buckets[at] = [...(buckets[at] ?? []), entry];
      const last = chunks.at(-1);
      if (last && last.length < CHUNK) chunks[chunks.length - 1] = [...last, entry];
      else chunks.push([entry]);
    }
    return new MemberList(chunks, buckets, length, next);
  }

  without(id: string): MemberList {
    const gone = this.#find(id);
    if (!gone) return this;
    const [chunks, buckets] = [[...this.#chunks], [...this.#buckets]];
    const left = (entries: readonly Entry[] | undefined): Entry[] => (entries ?? []).filter((each) => each !== gone);
    const [inBuckets, inChunks] = [this.#bucketOf(id), this.#chunkFrom(gone.position)];
    buckets[inBuckets] = left(buckets[inBuckets]);
    const chunk = left(chunks[inChunks]);
    chunks.splice(inChunks, 1, ...(chunk.length > 0 ? [chunk] : []));
    return new MemberList(chunks, buckets, this.length - 1, this.#nextPosition);
  }

  /** Exactly these: who stays keeps the position, so that a listing under way neither skips nor repeats anyone. */
  replacedBy(ids: Iterable<string>): MemberList {
    const wanted = new Set(ids);
    const staying = [...this.after(-1)].filter(({ id }) => wanted.has(id));
    return MemberList.#built(staying, this.#nextPosition).with(wanted);
  }

  /** The first chunk that holds this position or a later one. */
  #chunkFrom(position: number): number {
    let [low, high] = [0, this.#chunks.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.#chunks[middle]?.at(-1)?.position ?? 0) < position) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  /** Those after a position, in order; -1 is before all. */
  *after(position: number): Generator<Entry> {
    for (let at = this.#chunkFrom(position + 1); at < this.#chunks.length; at++)
      for (const entry of this.#chunks[at] ?? []) if (entry.position > position) yield entry;
  }

  *[Symbol.iterator](): Generator<string> {
    for (const { id } of this.after(-1)) yield id;
  }

  toJSON(): string[] {
    return [...this];
  }
}

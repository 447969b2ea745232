import { createHash } from 'node:crypto';

export interface Random {
  /** A number in [0, 1). */
  next(): number;
  /** The GUID that belongs to a name: the same for the same seed, whatever came before. */
  guid(name: string): string;
  /** A GUID never given before. */
  freshGuid(): string;
  /** Turns through 0 … count-1, from a start that the seed gives. */
  rotate(what: string, count: number): number;
  shuffle<T>(items: readonly T[]): T[];
}

export function createRandom(seed: number): Random {
  let state = seed >>> 0;
  let given = 0;
  const turns = new Map<string, number>();
  // mulberry32
  const next = (): number => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296;
  };
  const guid = (name: string): string => {
    const hex = createHash('sha256')
      .update(`${String(seed)}:${name}`)
      .digest('hex');
    const variant = '89ab'[parseInt(hex[16] ?? '0', 16) & 3] ?? '8';
    return [
      hex.slice(0, 8),
      hex.slice(8, 12),
      `4${hex.slice(13, 16)}`,
      variant + hex.slice(17, 20),
      hex.slice(20, 32),
    ].join('-');
  };
  return {
    next,
    guid,
    freshGuid: () => guid(`fresh:${String(given++)}`),
    rotate: (what, count) => {
      const turn = turns.get(what) ?? seed;
      turns.set(what, turn + 1);
      return ((turn % count) + count) % count;
    },
    shuffle: (items) => {
      const shuffled = [...items];
      for (let last = shuffled.length - 1; last > 0; last--) {
        const other = Math.floor(next() * (last + 1));
        const [a, b] = [shuffled[last], shuffled[other]];
        if (a !== undefined && b !== undefined) [shuffled[last], shuffled[other]] = [b, a];
      }
      return shuffled;
    },
  };
}

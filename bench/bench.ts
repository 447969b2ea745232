/** One comparison: what was measured of ours and of a peer, in the same run and the same way. */
export interface BenchRow {
  readonly case: string;
  /** Medians over the runs. */
  readonly ours: number;
  readonly peer: number;
  readonly peerName: string;
  /** Ours by the peer's. */
  readonly ratio: number;
  readonly unit: string;
  /** How often each was measured. */
  readonly runs: number;
  readonly spread: { readonly ours: Spread; readonly peer: Spread };
  /** What the issue asks for. */
  readonly target?: Target;
}

/** Lowest and highest of the runs. */
export type Spread = readonly [low: number, high: number];

export interface Target {
  readonly of: 'ours' | 'ratio';
  readonly atMost?: number;
  readonly atLeast?: number;
}

export interface Bench {
  readonly name: string;
  /** Sentences: what is measured, and what was the same for ours and the peers. */
  readonly heldEqual: readonly string[];
  readonly run: () => Promise<readonly BenchRow[]>;
}

export interface Measured {
  readonly case: string;
  readonly peerName: string;
  readonly unit: string;
  readonly ours: readonly number[];
  readonly peer: readonly number[];
  readonly target?: Target;
}

/** A row from the values of all runs. */
export function toRow({ ours, peer, ...what }: Measured): BenchRow {
  const [oursMedian, peerMedian] = [median(ours), median(peer)];
  return {
    ...what,
    ours: oursMedian,
    peer: peerMedian,
    ratio: oursMedian / peerMedian,
    runs: Math.min(ours.length, peer.length),
    spread: { ours: spreadOf(ours), peer: spreadOf(peer) },
  };
}

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length / 2;
  const [low, high] = [sorted[Math.ceil(middle) - 1], sorted[Math.floor(middle)]];
  if (low === undefined || high === undefined) throw new Error('Nothing was measured.');
  return (low + high) / 2;
}

function spreadOf(values: readonly number[]): Spread {
  return [Math.min(...values), Math.max(...values)];
}

export function isMet(row: BenchRow): boolean {
  const { of = 'ratio', atMost = Infinity, atLeast = -Infinity } = row.target ?? {};
  return row[of] <= atMost && row[of] >= atLeast;
}

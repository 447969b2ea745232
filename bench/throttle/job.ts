/** What one worker process does: its share of the writes, all at once, with its share of the callers. */
export interface Job {
  readonly strategy: StrategyName;
  readonly writes: readonly Write[];
  readonly callers: number;
  /** By the scaled clock; what is not done by then stays undone. */
  readonly limitMs: number;
  /** How many times as fast as real time the clock of this run is. */
  readonly speed: number;
  readonly exchangeUrl: string;
  readonly tenantId: string;
  readonly token: string;
}

export type StrategyName = 'ours' | 'graphClient' | 'backoff' | 'oneAtATime';

/** One member into one group. */
export interface Write {
  readonly group: string;
  readonly member: string;
}

export interface Tally {
  readonly done: number;
  /** Given up by the strategy itself. */
  readonly abandoned: number;
  readonly calls: number;
  readonly refused: number;
  /** Until the last write was done, or until the time was up; by the scaled clock. */
  readonly tookMs: number;
  readonly isCutOff: boolean;
  /** What was said of the writes that were given up, and how often. */
  readonly reasons: Readonly<Record<string, number>>;
}

/** What work can be too long for one request. */
export type OperationType = 'setMembers' | 'push' | 'repairImmutableId' | 'repairImmutableIds';

/**
 * `preparing`: what it needs is being stored, nobody works on it yet. `queued` and `running`: it goes on by itself.
 * `needs_attention`: the same, and a person should look at it. The others are ends.
 */
export const operationStates = [
  'preparing',
  'queued',
  'running',
  'needs_attention',
  'cancelling',
  'succeeded',
  'partial',
  'failed',
  'cancelled',
] as const;
export type OperationState = (typeof operationStates)[number];
export type EndState = 'succeeded' | 'partial' | 'failed' | 'cancelled';

/** Work too long for one HTTP call, as it stands now: everything but its input, its plan and its results. */
export interface Operation {
  readonly operationId: string;
  readonly type: OperationType;
  readonly state: Exclude<OperationState, 'cancelling'>;
  /** Somebody wants it to end; the worker does so before its next slice. */
  readonly cancelRequested: boolean;
  readonly targetId: string;
  readonly targetName: string;
  /** Of the request that began it. */
  readonly requestId: string;
  readonly isDryRun: boolean;
  /** The same for the same request. */
  readonly fingerprint: string;
  readonly planId: string | null;
  readonly createdAtMs: number;
  /** Of the last sign of life. */
  readonly updatedAtMs: number;
  readonly endedAtMs: number | null;
  /** Not to be gone on with before. */
  readonly dueAtMs: number | null;
  /** Turns in a row that ended with a fault that may pass. */
  readonly failures: number;
  /** Turns begun since one last came to anything: of those beyond the first nobody knows how they ended. */
  readonly tries: number;
  /** The requestId of the turn that broke last, when that was a defect of ours: the log has the rest. */
  readonly defect: string | null;
  /** How often the sweep has queued it since a worker last had it. */
  readonly revivals: number;
  /** Pages of the plan; null while there is none. */
  readonly planPages: number | null;
  /** How many pages of the plan are done. */
  readonly donePages: number;
  /** How many pages may have been begun: what is found done there may be our own work. */
  readonly begunPages: number;
  /** Whether changes of the page begun last may be on their way: what became of them is not stored yet. */
  readonly isUnderway: boolean;
  /** Of pages of results; they are numbered from 1. */
  readonly resultPages: number;
  readonly counts: OperationCounts;
  readonly firstError: string | null;
  /** One sentence: what it is for. Its message while nothing else is to be said. */
  readonly purpose: string;
  /** Of the end, or of what it waits for. */
  readonly code: string | null;
  readonly message: string;
  readonly fix: string | null;
  readonly warnings: readonly string[];
}

export interface OperationCounts {
  /** Changes planned; 0 while there is no plan. */
  readonly totalCount: number;
  readonly doneCount: number;
  readonly addedCount: number;
  readonly removedCount: number;
  readonly repairedCount: number;
  readonly unchangedCount: number;
  readonly keptCount: number;
  readonly failedCount: number;
}

export const noCounts: OperationCounts = {
  totalCount: 0,
  doneCount: 0,
  addedCount: 0,
  removedCount: 0,
  repairedCount: 0,
  unchangedCount: 0,
  keptCount: 0,
  failedCount: 0,
};

export const endStates: readonly OperationState[] = ['succeeded', 'partial', 'failed', 'cancelled'];

export function isEnded({ state }: Pick<Operation, 'state'>): boolean {
  return endStates.includes(state);
}

/** Whether a caller can end it: a repair in the middle is only ever brought to its end, or back. */
export function isCancellable({ type }: Pick<Operation, 'type'>): boolean {
  return type !== 'repairImmutableId';
}

/** As callers see it. */
export function shownState(operation: Pick<Operation, 'state' | 'cancelRequested'>): OperationState {
  return operation.cancelRequested && !isEnded(operation) ? 'cancelling' : operation.state;
}

/** Planning counts for the first twentieth; what has ended is at 100. */
export function progressPercent(operation: Pick<Operation, 'state' | 'planPages' | 'donePages'>): number {
  if (isEnded(operation)) return 100;
  if (operation.planPages === null) return 0;
  const done = operation.planPages === 0 ? 1 : operation.donePages / operation.planPages;
  return Math.min(99, Math.floor(5 + 94 * done));
}

/** How long a caller should leave an operation alone before asking again: longer for those that take long. */
export function retryAfterSeconds(operation: Operation, nowMs: number): number {
  const waitMs = operation.dueAtMs === null ? 0 : operation.dueAtMs - nowMs;
  const ageSeconds = (nowMs - operation.createdAtMs) / 1_000;
  return Math.max(2, Math.min(60, Math.ceil(Math.max(waitMs / 1_000, ageSeconds / 5))));
}

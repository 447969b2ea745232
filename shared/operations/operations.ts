import type { Call } from '../call.ts';
import type { Clock } from '../clock.ts';
import { Fault } from '../errors.ts';
import { isCancellable, isEnded, type Operation, type OperationState } from './operation.ts';
import { isOperationId, operationNotFound, type OperationStore } from './operationStore.ts';
import type { OperationSender } from './operationSender.ts';

/** An operation with one page of its results. */
export interface OperationView {
  readonly operation: Operation;
  /** Rows as the type of operation has them; empty beyond the last page. */
  readonly results: readonly Readonly<Record<string, unknown>>[];
  /** The number of the next page; null when there is none yet. */
  readonly nextPage: number | null;
}

export const cancellationOutcomes = ['cancelling', 'cancelled', 'already_ended', 'planned'] as const;
export type CancellationOutcome = (typeof cancellationOutcomes)[number];

export interface Operations {
  /**
   * @param options.page of results, from 1
   * @param options.waitMs how long to wait for the operation to end before answering
   * @throws Fault `operation_not_found`
   */
  view(operationId: string, options: { page: number; waitMs: number }, call: Call): Promise<OperationView>;
  list(
    filter: { state: OperationState | null; targetId: string | null },
    page: { limit: number; after: string | null },
    call: Call,
  ): Promise<{ readonly operations: readonly Operation[]; readonly hasMore: boolean }>;
  /**
   * Asks an operation to end before its next slice; what is done stays done.
   * @throws Fault `operation_not_found`, `not_cancellable`
   */
  cancel(
    operationId: string,
    isDryRun: boolean,
    call: Call,
  ): Promise<{ readonly outcome: CancellationOutcome; readonly operation: Operation }>;
}

const lookAgainMs = 500;
/** How long a cancellation is waited for: a worker between two slices sees it at once. */
const cancellationMs = 3_000;

export function createOperations(dependencies: {
  operations: OperationStore;
  operationSender: OperationSender;
  clock: Clock;
}): Operations {
  const { operations, operationSender, clock } = dependencies;

  async function get(operationId: string, call: Call): Promise<Operation> {
    const operation = isOperationId(operationId) ? await operations.get(operationId, call) : null;
    if (operation !== null) return operation;
    throw operationNotFound(operationId);
  }

  /** The operation when it has ended, or as it is when the time is up. */
  async function waitForEnd(operationId: string, waitMs: number, call: Call): Promise<Operation> {
    const endsAtMs = clock.now() + Math.min(waitMs, call.deadline.remainingMs() - lookAgainMs);
    for (;;) {
      const operation = await get(operationId, call);
      const leftMs = endsAtMs - clock.now();
      if (isEnded(operation) || leftMs <= 0) return operation;
      await clock.sleep(Math.min(lookAgainMs, leftMs), call.deadline.signal);
    }
  }

  return {
    view: async (operationId, { page, waitMs }, call) => {
      const operation = await waitForEnd(operationId, waitMs, call);
      const { resultPages } = operation;
      const found = page <= resultPages ? await operations.readPage(operationId, `results/${page}`, call) : [];
      const results = (found ?? []) as OperationView['results'];
      return { operation, results, nextPage: page < resultPages ? page + 1 : null };
    },

    list: ({ state, targetId }, page, call) =>
      operations.list({ states: state === null ? null : [state], targetId }, page, call),

    cancel: async (operationId, isDryRun, call) => {
      const found = await get(operationId, call);
      if (isEnded(found)) return { outcome: 'already_ended', operation: found };
      if (!isCancellable(found)) throw notCancellable(found);
      if (isDryRun) return { outcome: 'planned', operation: found };
      await operations.update(operationId, { cancelRequested: true }, call);
      // Somebody has to look: it may be waiting for hours.
      await operationSender.enqueue(found, call);
      const operation = await waitForEnd(operationId, cancellationMs, call);
      if (operation.state === 'cancelled') return { outcome: 'cancelled', operation };
      return { outcome: isEnded(operation) ? 'already_ended' : 'cancelling', operation };
    },
  };
}

function notCancellable({ operationId, targetName }: Operation): Fault {
  return new Fault('not_cancellable', {
    detail: `The repair of ${targetName} is brought to its end or back: in the middle nobody could sign in as this user.`,
    fix: `Wait until GET operations/${operationId} says done.`,
  });
}

import type { Call } from '../call.ts';
import type { Queues } from '../store/queues.ts';
import type { Operation } from './operation.ts';

export const operationQueue = 'operations';

export interface OperationSender {
  /** Puts an operation on its way: now, or to be gone on with at `dueAtMs`. @throws Fault `storage_unavailable` */
  enqueue(operation: Pick<Operation, 'operationId'>, call: Call, dueAtMs?: number): Promise<void>;
}

export function createOperationSender({ queues }: { queues: Pick<Queues, 'send'> }): OperationSender {
  return {
    enqueue: ({ operationId }, call, dueAtMs) => queues.send(operationQueue, { operationId }, call, dueAtMs),
  };
}

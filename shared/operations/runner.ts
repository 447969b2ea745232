import type { Call } from '../call.ts';
import { Fault, type FaultCode } from '../errors.ts';
import type { EndState, Operation, OperationType } from './operation.ts';
import type { OperationChange } from './operationStore.ts';

/** What came of one slice of an operation. `change` is what the slice has not stored yet itself. */
export type Step =
  | { readonly type: 'more'; readonly change: OperationChange }
  /** Nothing can be done before `untilMs`. */
  | {
      readonly type: 'wait';
      readonly change: OperationChange;
      readonly untilMs: number;
      readonly code: FaultCode;
      readonly why: string;
    }
  | {
      readonly type: 'ended';
      readonly change: OperationChange;
      readonly state: EndState;
      readonly fault: Fault | null;
    };

/** An operation whose target nobody else touches. */
export interface HeldOperation {
  /** Ends when the hold on the target is lost. */
  readonly call: Call;
  /** Aborts when the hold is lost: somebody else may be at work on the target now. */
  readonly lost: AbortSignal;
  /** The next slice, from stored state: whatever the slice before came to, or how it was cut off. */
  next(operation: Operation, save: (change: OperationChange) => Promise<Operation>): Promise<Step>;
  /** The operation has ended: its target is free for others. */
  letGo(): Promise<void>;
}

/** How one type of operation is carried out. */
export interface OperationRunner {
  readonly type: OperationType;
  /** Of the worker that begins now. @throws Fault `group_busy`, `user_busy` when somebody else is at work on the target */
  hold(operation: Operation, call: Call, work: (held: HeldOperation) => Promise<void>): Promise<void>;
  /** What is known of a slice that was begun and will not be gone on with, told in results and counts. */
  settle(operation: Operation, call: Call): Promise<OperationChange>;
  /** One sentence about what has been done. */
  summary(operation: Operation): string;
}

/** Whoever has lost the hold stores nothing more: what it has done is found by the next worker. @throws Fault */
export function refuseWhenLost(lost: AbortSignal): void {
  if (!lost.aborted) return;
  throw new Fault('deadline_exceeded', {
    detail: 'The hold on the group was lost; another worker carries on.',
    fix: 'Wait: the operation goes on by itself.',
  });
}

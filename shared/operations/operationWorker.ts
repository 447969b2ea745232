import type { Call } from '../call.ts';
import type { Clock } from '../clock.ts';
import { Fault, faultTable, isFault, toFault } from '../errors.ts';
import type { Queues } from '../store/queues.ts';
import { isEnded, type Operation } from './operation.ts';
import { isOperationId, type OperationChange, type OperationStore } from './operationStore.ts';
import type { HeldOperation, OperationRunner, Step } from './runner.ts';

export const operationQueue = 'operations';

export interface OperationWorker {
  /**
   * Goes on with the operation that a message names, from its stored state, until it ends, has to wait, or has had its
   * turn. Tolerates messages that come twice, early, late or for nothing.
   * @throws whatever is no Fault: a defect, which counts towards poison
   */
  run(message: unknown, call: Call & { readonly warnings: readonly string[] }): Promise<void>;
  /** For a message that was given up: brings the operation to an end that its owner sees, or on its way again. */
  giveUp(message: unknown, call: Call): Promise<void>;
  /** Queues what has shown no life for a while: its message was lost, or its worker. Returns how many. */
  revive(call: Call): Promise<number>;
  /** Puts an operation on its way. */
  enqueue(operation: Pick<Operation, 'operationId'>, call: Call, dueAtMs?: number): Promise<void>;
}

export interface OperationWorkerDependencies {
  readonly operations: OperationStore;
  readonly queues: Queues;
  readonly runners: readonly OperationRunner[];
  readonly clock: Clock;
}

/** What one message may take: well below host.json's functionTimeout, which would end the whole process. */
const turnMs = 5 * 60_000;
/** Faults in a row after which an operation is given up: with the waits between them, more than half a day. */
const maxFailures = 30;
const firstBackoffMs = 5_000;
const longestBackoffMs = 30 * 60_000;
/** A lease of a worker that died ends within 15 s. */
const busyWaitMs = 16_000;
const maxBusyTries = 3;
/** Without a sign of life for so long, a worker or a message is taken for lost. */
const silenceMs = 2 * 60_000;
/** What was never queued by then never will be: its request has ended. */
const preparationMs = 5 * 60_000;
const revivedAtOnce = 500;

export function createOperationWorker(dependencies: OperationWorkerDependencies): OperationWorker {
  const { operations, queues, runners, clock } = dependencies;

  function enqueue({ operationId }: Pick<Operation, 'operationId'>, call: Call, dueAtMs?: number): Promise<void> {
    return queues.send(operationQueue, { operationId }, call, dueAtMs);
  }

  function runnerOf(operation: Operation): OperationRunner {
    const runner = runners.find(({ type }) => type === operation.type);
    if (runner === undefined) throw new TypeError(`no runner for operations of type ${operation.type}`);
    return runner;
  }

  /** Slices, one after the other, until something other than "more" comes of one or the turn is over. */
  async function takeTurn(
    operationId: string,
    held: HeldOperation,
    call: Call & { readonly warnings: readonly string[] },
  ): Promise<void> {
    const turnEndsAtMs = clock.now() + turnMs;
    let told: readonly string[] = [];
    const save = async (change: OperationChange) => {
      if (held.lost?.aborted === true) throw holdLost();
      told = mergeWarnings(told, call.warnings);
      return operations.update(operationId, { ...change, warnings: told }, held.call.proving());
    };
    const found = await operations.get(operationId, held.call);
    told = found?.warnings ?? [];
    let operation = await save({ state: 'running', dueAtMs: null, code: null, fix: null });
    while (!isEnded(operation)) {
      if (operation.cancelRequested) {
        const message = `Cancelled. ${held.summary(operation)}`;
        operation = await save({ state: 'cancelled', endedAtMs: clock.now(), message });
        break;
      }
      const step = await held.next(operation, save);
      operation = await save(changeOf(step, operation, held));
      if (isEnded(operation)) break;
      if (step.type === 'wait') return enqueue(operation, held.call.proving(), step.untilMs);
      if (clock.now() >= turnEndsAtMs || held.call.deadline.signal.aborted) return enqueue(operation, call.proving());
    }
    await held.letGo();
  }

  function changeOf(step: Step, operation: Operation, held: HeldOperation): OperationChange {
    if (step.type === 'more') return step.change;
    if (step.type === 'wait') return { ...step.change, dueAtMs: step.untilMs, message: step.why };
    const { fault } = step;
    const ended = { ...operation, ...step.change };
    return {
      ...step.change,
      state: step.state,
      endedAtMs: clock.now(),
      code: fault?.code ?? null,
      message: fault === null ? held.summary(ended) : fault.message,
      fix: fault?.fix ?? null,
    };
  }

  /** A fault that may pass is waited out, longer each time; one that stays ends the operation. */
  async function fail(operation: Operation, fault: Fault, call: Call): Promise<void> {
    const failures = operation.failures + 1;
    const { code, message, fix } = fault;
    if (!faultTable[code].retryable || failures > maxFailures) {
      await operations.update(
        operation.operationId,
        { state: 'failed', endedAtMs: clock.now(), failures, code, message, fix },
        call,
      );
      return;
    }
    const backoffMs = Math.min(longestBackoffMs, firstBackoffMs * 2 ** Math.min(failures - 1, 20));
    const dueAtMs = clock.now() + Math.max(backoffMs, (fault.retryAfterSeconds ?? 0) * 1_000);
    await operations.update(operation.operationId, { failures, dueAtMs, code, message, fix }, call);
    await enqueue(operation, call, dueAtMs);
  }

  return {
    enqueue,

    run: async (message, call) => {
      const { operationId, busyTries } = readMessage(message);
      const operation = operationId === null ? null : await operations.get(operationId, call);
      if (operation === null || isEnded(operation) || operation.state === 'preparing') {
        call.log.info({ event: 'operation_skipped', requestId: call.requestId, operationId });
        return;
      }
      // The queue's clock is not ours: what is due later goes back (design §6.9).
      if (operation.dueAtMs !== null && operation.dueAtMs > clock.now() && !operation.cancelRequested) {
        return enqueue(operation, call, operation.dueAtMs);
      }
      try {
        await runnerOf(operation).hold(operation, call, (held) => takeTurn(operation.operationId, held, call));
      } catch (error) {
        const fault = toFault(error);
        if (isFault(fault, 'internal_error')) throw error;
        if (!isFault(fault, 'group_busy')) return fail(operation, fault, call.proving());
        // Another worker has this very operation, or died with it: the sweep looks after it in the end.
        if (busyTries >= maxBusyTries) return;
        const again = { operationId: operation.operationId, busyTries: String(busyTries + 1) };
        await queues.send(operationQueue, again, call.proving(), clock.now() + busyWaitMs);
      }
    },

    giveUp: async (message, call) => {
      const { operationId } = readMessage(message);
      const operation = operationId === null ? null : await operations.get(operationId, call);
      call.log.error({ event: 'operation_poisoned', requestId: call.requestId, operationId });
      if (operation === null || isEnded(operation)) return;
      await operations.update(
        operation.operationId,
        {
          state: 'failed',
          endedAtMs: clock.now(),
          code: 'internal_error',
          message: `Its worker failed again and again; what was done until then stands. ${operation.message}`,
          fix: 'Look for the operationId in the logs and report it; the request can be repeated safely.',
        },
        call,
      );
    },

    revive: async (call) => {
      const filter = { states: ['preparing', 'queued', 'running'] as const, targetId: null };
      const { operations: active } = await operations.list(filter, { limit: revivedAtOnce, after: null }, call);
      let revivedCount = 0;
      for (const operation of active) {
        const quietForMs = clock.now() - Math.max(operation.updatedAtMs, operation.dueAtMs ?? 0);
        if (operation.state === 'preparing') {
          if (quietForMs > preparationMs) await operations.update(operation.operationId, abandoned(clock.now()), call);
        } else if (quietForMs > silenceMs) {
          await enqueue(operation, call);
          revivedCount += 1;
        }
      }
      return revivedCount;
    },
  };
}

function holdLost(): Fault {
  return new Fault('group_busy', {
    detail: 'The hold on the group was lost in the middle of a slice; whoever has it now looks at that slice again.',
    fix: 'Nothing: the operation goes on by itself.',
  });
}

function abandoned(nowMs: number): OperationChange {
  return {
    state: 'failed',
    endedAtMs: nowMs,
    code: 'not_attempted',
    message: 'The request ended before everything for this operation was stored; nothing was written.',
    fix: 'Repeat the request.',
  };
}

/** Messages come as objects, or as text when they were no JSON; anything else is nobody's operation. */
function readMessage(message: unknown): { operationId: string | null; busyTries: number } {
  const field = (name: string): unknown =>
    typeof message === 'object' && message !== null ? (Reflect.get(message, name) as unknown) : undefined;
  const operationId = field('operationId');
  const busyTries = Number(field('busyTries') ?? 0);
  return {
    operationId: typeof operationId === 'string' && isOperationId(operationId) ? operationId : null,
    busyTries: Number.isInteger(busyTries) ? busyTries : 0,
  };
}

/** Told once each, and not without end. */
const maxWarnings = 20;

function mergeWarnings(told: readonly string[], more: readonly string[]): readonly string[] {
  return [...new Set([...told, ...more])].slice(0, maxWarnings);
}

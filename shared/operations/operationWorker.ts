import type { Call } from '../call.ts';
import type { Clock } from '../clock.ts';
import { type Fault, type FaultCode, faultTable, isFault, toFault } from '../errors.ts';
import { type EndState, endStates, isEnded, type Operation, operationStates } from './operation.ts';
import { isOperationId, type OperationChange, type OperationStore } from './operationStore.ts';
import type { OperationSender } from './operationSender.ts';
import { type HeldOperation, type OperationRunner, refuseWhenLost, type Step } from './runner.ts';

type TurnCall = Call & { readonly warnings: readonly string[] };

export interface OperationWorker {
  /**
   * Goes on with the operation that a message names, from its stored state, until it ends, has to wait, or has had its
   * turn. Tolerates messages that come twice, early, late or for nothing.
   * @throws whatever is no Fault: a defect, which counts towards poison
   */
  run(message: unknown, call: TurnCall): Promise<void>;
  /**
   * For a message that was given up: brings the operation to an end that its owner sees or, when its workers were
   * killed rather than broke, on its way again.
   */
  giveUp(message: unknown, call: Call): Promise<void>;
  /** Queues what has shown no life for a while: its message was lost, or its worker. Returns how many. */
  revive(call: Call): Promise<number>;
}

export interface OperationWorkerDependencies {
  readonly operations: OperationStore;
  readonly operationSender: OperationSender;
  readonly runners: readonly OperationRunner[];
  readonly clock: Clock;
}

/** What one message may take: well below host.json's functionTimeout, which would end the whole process. */
const turnMs = 5 * 60_000;
/** Faults in a row after which an operation is given up: with the waits between them, more than half a day. */
const maxFailures = 30;
/** Turns in a row that nobody saw the end of: an operation that ends its process each time must not go on for ever. */
const maxTries = 10;
const firstBackoffMs = 5_000;
const longestBackoffMs = 30 * 60_000;
/** The rest of a lease that was lost and that nobody else has taken. */
const leaseMs = 15_000;
/** One slice may take minutes without anything to store. */
const signOfLifeMs = 30_000;
/** Without a sign of life for so long, a worker or a message is taken for lost; longer with each revival. */
const silenceMs = 2 * 60_000;
const maxDoublings = 5;
/** What was not queued by then never will be: its request has long ended. */
const preparationMs = 2 * 60_000;
const listedAtOnce = 200;

export function createOperationWorker(dependencies: OperationWorkerDependencies): OperationWorker {
  const { operations, operationSender, clock } = dependencies;
  const runnerByType = new Map<string, OperationRunner>(dependencies.runners.map((runner) => [runner.type, runner]));

  function runnerOf(operation: Operation): OperationRunner {
    const runner = runnerByType.get(operation.type);
    if (runner === undefined) throw new TypeError(`no runner for operations of type ${operation.type}`);
    return runner;
  }

  /** Slices, one after the other, until something other than "more" comes of one or the turn is over. */
  async function takeTurn(runner: OperationRunner, found: Operation, held: HeldOperation, call: TurnCall) {
    const turnEndsAtMs = clock.now() + turnMs;
    const { operationId } = found;
    let told = found.warnings;
    const save = async (change: OperationChange) => {
      refuseWhenLost(held.lost);
      told = mergeWarnings(told, call.warnings);
      return operations.update(operationId, { ...change, warnings: told }, held.call.proving());
    };
    const tries = found.tries + 1;
    // That a person should look at it stays so until a slice says something else.
    const atWork =
      found.state === 'needs_attention'
        ? { dueAtMs: null }
        : { dueAtMs: null, code: null, fix: null, message: found.purpose, state: 'running' as const };
    let operation = await save({ ...atWork, tries, revivals: 0 });
    if (tries > maxTries) operation = await save(await endOf(runner, operation, crashed, held.call.proving()));
    while (!isEnded(operation)) {
      if (operation.cancelRequested) {
        await save(await endOf(runner, operation, cancelled, held.call.proving()));
        break;
      }
      const step = await held.next(operation, save);
      operation = await save({ ...changeOf(step, runner, operation), tries: 0, defect: null });
      if (isEnded(operation)) break;
      if (step.type === 'wait') return operationSender.enqueue(operation, held.call.proving(), step.untilMs);
      if (clock.now() >= turnEndsAtMs || held.call.deadline.signal.aborted)
        return operationSender.enqueue(operation, call.proving());
    }
    await held.letGo();
  }

  function changeOf(step: Step, runner: OperationRunner, operation: Operation): OperationChange {
    if (step.type === 'more') return step.change;
    if (step.type === 'wait') return { ...step.change, dueAtMs: step.untilMs, code: step.code, message: step.why };
    const ended = { ...operation, ...step.change };
    return { ...step.change, state: step.state, endedAtMs: clock.now(), message: runner.summary(ended) };
  }

  /** An end that the work itself did not come to, with all that is known to be done. */
  async function endOf(runner: OperationRunner, operation: Operation, end: End, call: Call): Promise<OperationChange> {
    const settled = await runner.settle(operation, call);
    const reached = { ...operation, ...settled };
    const done = reached.counts.doneCount > 0 ? ` ${runner.summary(reached)}` : '';
    return { ...settled, ...end, message: `${end.message}${done}`, endedAtMs: clock.now() };
  }

  /** Keeps an operation from being taken for lost while one slice of it takes long. */
  function giveSigns({ operationId }: Operation, { call }: HeldOperation): () => void {
    let cancel = clock.after(signOfLifeMs, give);
    function give(): void {
      cancel = clock.after(signOfLifeMs, give);
      operations.update(operationId, {}, call).catch((error: unknown) => {
        call.log.warn({ event: 'sign_of_life_lost', operationId, code: toFault(error).code });
      });
    }
    return () => cancel();
  }

  /** A fault that may pass is waited out, longer each time; one that stays ends the operation. */
  async function fail(operation: Operation, fault: Fault, call: Call): Promise<void> {
    const failures = operation.failures + 1;
    const { operationId } = operation;
    const { code, message, fix } = fault;
    if (!faultTable[code].retryable || failures > maxFailures) {
      const end: End = { state: 'failed', code, message, fix };
      await operations.update(operationId, await endOf(runnerOf(operation), operation, end, call), call);
      return;
    }
    const backoffMs = Math.min(longestBackoffMs, firstBackoffMs * 2 ** (failures - 1));
    const dueAtMs = clock.now() + Math.max(backoffMs, (fault.retryAfterSeconds ?? 0) * 1_000);
    await operations.update(operationId, { failures, tries: 0, defect: null, dueAtMs, code, message, fix }, call);
    await operationSender.enqueue(operation, call, dueAtMs);
  }

  /** What came of a turn that did not end by itself. */
  async function settleTurn(operationId: string, error: unknown, isLost: boolean, call: Call): Promise<void> {
    const fault = toFault(error);
    if (isFault(fault, 'internal_error')) {
      await operations.update(operationId, { defect: call.requestId }, call).catch((unstored: unknown) => {
        call.log.warn({ event: 'defect_not_stored', operationId, code: toFault(unstored).code });
      });
      throw error;
    }
    // Whoever has the group now may be at this very operation; and who has nothing any more must write nothing.
    if (isLost) return operationSender.enqueue({ operationId }, call, clock.now() + leaseMs);
    // Another worker is alive with this operation, and has a message of its own.
    if (isFault(fault, 'group_busy', 'user_busy')) return;
    const operation = await operations.get(operationId, call);
    if (operation !== null && !isEnded(operation)) await fail(operation, fault, call);
  }

  return {
    run: async (message, call) => {
      const { operationId, dueAt } = readMessage(message);
      const operation = operationId === null ? null : await operations.get(operationId, call);
      if (operation === null || isEnded(operation) || operation.state === 'preparing') {
        call.log.info({ event: 'operation_skipped', requestId: call.requestId, operationId });
        return;
      }
      if (operation.dueAtMs !== null && operation.dueAtMs > clock.now() && !operation.cancelRequested) {
        // The queue's clock is not ours: what is due later goes back (design §6.9). Any other message is one too many:
        // whoever put the operation off has sent one.
        if (dueAt === new Date(operation.dueAtMs).toISOString())
          await operationSender.enqueue(operation, call, operation.dueAtMs);
        return;
      }
      const runner = runnerOf(operation);
      const ofOperation = { ...call, operationId: operation.operationId };
      const turn: { lost: AbortSignal | null } = { lost: null };
      try {
        await runner.hold(operation, ofOperation, async (held) => {
          turn.lost = held.lost;
          const stopSigns = giveSigns(operation, held);
          try {
            // As it stands now: it may have gone on while this worker waited.
            const current = await operations.get(operation.operationId, held.call);
            if (current !== null && !isEnded(current)) await takeTurn(runner, current, held, ofOperation);
          } finally {
            stopSigns();
          }
        });
      } catch (error) {
        await settleTurn(operation.operationId, error, turn.lost?.aborted === true, call.proving());
      }
    },

    giveUp: async (message, call) => {
      const { operationId } = readMessage(message);
      const operation = operationId === null ? null : await operations.get(operationId, call);
      call.log.error({ event: 'operation_poisoned', requestId: call.requestId, operationId });
      if (operation === null || isEnded(operation) || operation.state === 'preparing') return;
      if (operation.defect === null) return operationSender.enqueue(operation, call);
      await operations.update(
        operation.operationId,
        await endOf(runnerOf(operation), operation, broken(operation.defect), call),
        call,
      );
    },

    revive: async (call) => {
      const filter = { states: operationStates.filter((state) => !endStates.includes(state)), targetId: null };
      let revivedCount = 0;
      for (let after: string | null = null; ;) {
        const page = await operations.list(filter, { limit: listedAtOnce, after }, call);
        for (const operation of page.operations) if (await reviveOne(operation, call)) revivedCount += 1;
        after = page.operations.at(-1)?.operationId ?? null;
        if (!page.hasMore) return revivedCount;
      }
    },
  };

  async function reviveOne(operation: Operation, call: Call): Promise<boolean> {
    const { operationId, state, updatedAtMs, dueAtMs, cancelRequested, revivals } = operation;
    const isPreparing = state === 'preparing';
    const quietForMs = clock.now() - Math.max(updatedAtMs, cancelRequested ? 0 : (dueAtMs ?? 0));
    // Where workers are few, a message may just be waiting for its turn: more of them help nobody.
    if (quietForMs <= (isPreparing ? preparationMs : silenceMs * 2 ** Math.min(revivals, maxDoublings))) return false;
    await operations.update(operationId, isPreparing ? abandoned(clock.now()) : { revivals: revivals + 1 }, call);
    if (!isPreparing) await operationSender.enqueue(operation, call);
    return !isPreparing;
  }
}

interface End {
  readonly state: EndState;
  readonly code: FaultCode | null;
  readonly message: string;
  readonly fix: string | null;
}

const cancelled: End = { state: 'cancelled', code: null, message: 'Cancelled.', fix: null };

const crashed: End = {
  state: 'failed',
  code: 'internal_error',
  message: `Its workers ended ${maxTries} times in a row without a trace.`,
  fix: 'Look for the operationId in the logs, and for memory or time limits of the function app; the request can be repeated safely.',
};

function broken(requestId: string): End {
  return {
    state: 'failed',
    code: 'internal_error',
    message: 'Its worker failed again and again.',
    fix: `Look for the requestId ${requestId} in the logs and report it; the request can be repeated safely.`,
  };
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
function readMessage(message: unknown): { operationId: string | null; dueAt: unknown } {
  const field = (name: string): unknown =>
    typeof message === 'object' && message !== null ? (Reflect.get(message, name) as unknown) : undefined;
  const operationId = field('operationId');
  return {
    operationId: typeof operationId === 'string' && isOperationId(operationId) ? operationId : null,
    dueAt: field('dueAt'),
  };
}

/** Told once each, and not without end. */
const maxWarnings = 20;

function mergeWarnings(told: readonly string[], more: readonly string[]): readonly string[] {
  return [...new Set([...told, ...more])].slice(0, maxWarnings);
}

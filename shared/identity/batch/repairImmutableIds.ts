import type { Call } from '../../call.ts';
import type { Clock } from '../../clock.ts';
import { isFault } from '../../errors.ts';
import { isEnded, type Operation, operationStates, retryAfterSeconds } from '../../operations/operation.ts';
import type { OperationSender } from '../../operations/operationSender.ts';
import type { OperationStore } from '../../operations/operationStore.ts';
import type { FeatureLock } from '../oktaAssignment/featureLock.ts';
import type { BatchOperations } from './batchOperation.ts';
import { type BatchRequest, fingerprintOf } from './batchRequest.ts';

export const batchOutcomes = ['running'] as const;

/** What a caller is told; the rows are the operation's. */
export interface BatchReply {
  readonly ok: boolean;
  readonly outcome: (typeof batchOutcomes)[number];
  readonly changed: boolean;
  readonly message: string;
  readonly operationId: string;
  readonly done: boolean;
  readonly retryAfterSeconds: number;
  readonly planId: string | null;
  readonly plannedCount: number;
  readonly repairedCount: number;
  readonly unchangedCount: number;
  readonly failedCount: number;
  readonly firstError: string | null;
}

export interface BatchStarter {
  /** Goes on as an operation; the same request while it runs is answered with the same operation. Throws storage faults. */
  start(request: BatchRequest, call: Call): Promise<BatchReply>;
}

const listedAtOnce = 200;

export function createBatchStarter(
  dependencies: {
    operations: OperationStore;
    operationSender: OperationSender;
    batchOperations: BatchOperations;
    /** null where Okta's API is not configured. */
    featureLock: FeatureLock | null;
    clock: Clock;
  },
  tenantId: string,
): BatchStarter {
  const { operations, operationSender, batchOperations, featureLock, clock } = dependencies;
  const targetId = tenantId.toLowerCase();

  /** Two that begin at the same moment do no harm: each user is repaired by one of them. */
  async function findRunning(fingerprint: string, call: Call): Promise<Operation | null> {
    const states = operationStates.filter((state) => !isEnded({ state: state as Operation['state'] }));
    const page = await operations.list({ states, targetId }, { limit: listedAtOnce, after: null }, call);
    return page.operations.find((each) => each.fingerprint === fingerprint && each.state !== 'preparing') ?? null;
  }

  async function begin(request: BatchRequest, fingerprint: string, call: Call): Promise<Operation> {
    const count = request.entries.length;
    const targetName = count === 1 ? '1 user' : `${count} users`;
    const created = await operations.create(
      {
        type: 'repairImmutableIds',
        targetId,
        targetName,
        requestId: call.requestId,
        isDryRun: request.isDryRun,
        fingerprint,
        message: `The immutable IDs of ${targetName} are being ${request.isDryRun ? 'compared' : 'repaired'}.`,
      },
      call,
    );
    await batchOperations.prepare(created.operationId, request, call);
    const operation = await operations.update(created.operationId, { state: 'queued' }, call);
    try {
      await operationSender.enqueue(operation, call);
    } catch (error) {
      if (!isFault(error)) throw error;
      call.warn('The operation is stored and could not be queued; it begins with the next sweep, within minutes.');
    }
    return operation;
  }

  return {
    start: async (request, call) => {
      if (request.oktaAppId !== null && featureLock === null) call.warn(oktaByHand);
      const fingerprint = fingerprintOf(request);
      const running = await findRunning(fingerprint, call);
      return replyOf(running ?? (await begin(request, fingerprint, call)), clock.now());
    },
  };
}

const oktaByHand =
  "Okta's API is not configured: what is to be done there before and after is listed for each user by getImmutableId, under plan.";

function replyOf(operation: Operation, nowMs: number): BatchReply {
  const { operationId, planId, counts, firstError, isDryRun, targetName } = operation;
  const { totalCount, repairedCount, unchangedCount, failedCount } = counts;
  return {
    ok: false,
    outcome: 'running',
    // What goes on may have written by now.
    changed: !isDryRun,
    message: `The immutable IDs of ${targetName}: goes on as the operation ${operationId}.`,
    operationId,
    done: false,
    retryAfterSeconds: retryAfterSeconds(operation, nowMs),
    planId,
    plannedCount: totalCount,
    repairedCount,
    unchangedCount,
    failedCount,
    firstError,
  };
}

import { app, type InvocationContext } from '@azure/functions';
import { type Call, type CallTimes, startCall } from '../call.ts';
import type { Clock } from '../clock.ts';
import type { Config, Room } from '../config.ts';
import type { Services } from '../services.ts';
import { createLog } from './log.ts';

/** A call of a worker: nobody reads its warnings but the worker itself. */
export type WorkerCall = Call & { readonly warnings: readonly string[] };

/** What workers are registered by. */
export type WorkerSettings = Pick<Config, 'enabledRooms' | 'reconcileSchedule'>;

/** How a message came. */
export interface Delivery {
  /** More than 1: an earlier try failed, or its process ended in the middle of it. */
  readonly count: number;
}

/** One function that a queue or a timer sets off: its trigger, and a call into a room of shared/. */
export type Worker = {
  readonly name: string;
  /** Registered when one of these rooms is. */
  readonly rooms: readonly Room[];
  readonly summary: string;
} & (
  | {
      readonly trigger: 'queue';
      readonly queue: string;
      readonly run: (message: unknown, call: WorkerCall, services: Services, delivery: Delivery) => Promise<unknown>;
    }
  | {
      readonly trigger: 'timer';
      /** NCRONTAB of six fields, UTC. */
      readonly schedule: (config: WorkerSettings) => string;
      readonly run: (call: WorkerCall, services: Services) => Promise<unknown>;
    }
);

/** Below host.json's functionTimeout of 10 minutes, which would end the process with all that it is doing. */
const workerTimes: CallTimes = { totalMs: 9 * 60_000, proofMs: 60_000 };

/**
 * Registers the workers of the enabled rooms. What one throws goes back to the host: a message is then tried again and
 * ends in the poison queue (functions.md §4).
 */
export function registerWorkers(
  workers: readonly Worker[],
  config: WorkerSettings,
  runtime: { readonly services: () => Services; readonly clock: Clock },
): void {
  for (const worker of workers.filter(({ rooms }) => rooms.some((room) => config.enabledRooms.has(room)))) {
    const work = (message: unknown, context: InvocationContext) => runWorker(worker, message, context, runtime);
    if (worker.trigger === 'queue') {
      app.storageQueue(worker.name, { queueName: worker.queue, connection: 'AzureWebJobsStorage', handler: work });
    } else {
      app.timer(worker.name, { schedule: worker.schedule(config), handler: work });
    }
  }
}

async function runWorker(
  worker: Worker,
  message: unknown,
  context: InvocationContext,
  { services, clock }: { readonly services: () => Services; readonly clock: Clock },
): Promise<void> {
  const log = createLog(context);
  const requestId = context.invocationId;
  const call = startCall({ requestId, action: worker.name, log, times: workerTimes }, clock);
  const startedAtMs = clock.now();
  const summary = () => ({ event: 'worker', worker: worker.name, requestId, durationMs: clock.now() - startedAtMs });
  try {
    const delivery = { count: Number(context.triggerMetadata?.dequeueCount ?? 1) };
    await (worker.trigger === 'queue' ? worker.run(message, call, services(), delivery) : worker.run(call, services()));
    log.info({ ...summary(), failed: false });
  } catch (error) {
    log.error({ ...summary(), failed: true }, error);
    throw error;
  } finally {
    // Nobody else would ever read them.
    for (const message of call.warnings) log.warn({ event: 'worker_warning', worker: worker.name, requestId, message });
    call.end();
  }
}

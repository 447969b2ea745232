import { readFile } from 'node:fs/promises';

/** What `extensions.queues` of host.json says, and one thing that it cannot say. */
export interface QueueSettings {
  /** 1 to 32: messages received at once, each worked on by itself. */
  batchSize: number;
  /** The next batch is received when no more than this many are still worked on. */
  newBatchThreshold: number;
  /** Tries, the first included, before a message is moved to `<queue>-poison`. */
  maxDequeueCount: number;
  /** How long a message stays unseen after its function failed; whole seconds. */
  visibilityTimeoutMs: number;
  /** The longest pause between two looks into an empty queue. */
  maxPollingIntervalMs: number;
  messageEncoding: 'base64' | 'none';
  /**
   * For how long nobody else sees a message that is worked on, renewed at half time; whole seconds. A constant of the
   * real host (azure-sdk-for-net, QueueListener.cs); shorter where a test wants a message of a killed host back.
   */
  messageLockMs: number;
}

export interface HostJson {
  /** What stands between the origin and a function's route. */
  routePrefix: string;
  queues: QueueSettings;
}

interface HostJsonFile {
  extensions?: {
    http?: { routePrefix?: string };
    queues?: {
      batchSize?: number;
      newBatchThreshold?: number;
      maxDequeueCount?: number;
      visibilityTimeout?: string;
      maxPollingInterval?: string;
      messageEncoding?: string;
    };
  };
}

/** The project's host.json, with the host's own values for what it leaves out (functions.md §4). */
export async function readHostJson(): Promise<HostJson> {
  const text = await readFile(new URL('../../host.json', import.meta.url), 'utf8');
  const { extensions: { http = {}, queues = {} } = {} } = JSON.parse(text) as HostJsonFile;
  const { batchSize = 16 } = queues;
  return {
    routePrefix: http.routePrefix ?? 'api',
    queues: {
      batchSize,
      newBatchThreshold: queues.newBatchThreshold ?? Math.floor(batchSize / 2),
      maxDequeueCount: queues.maxDequeueCount ?? 5,
      visibilityTimeoutMs: timeSpanMs(queues.visibilityTimeout ?? '00:00:00'),
      maxPollingIntervalMs: timeSpanMs(queues.maxPollingInterval ?? '00:01:00'),
      messageEncoding: queues.messageEncoding?.toLowerCase() === 'none' ? 'none' : 'base64',
      messageLockMs: 600_000,
    },
  };
}

/** .NET's TimeSpan as host.json writes it: `[d.]hh:mm:ss`. */
export function timeSpanMs(text: string): number {
  const parts = /^(?:(\d+)\.)?(\d{1,2}):(\d{1,2}):(\d{1,2})$/.exec(text);
  if (!parts) throw new Error(`host.json has the time span "${text}"; it has to be like 00:00:30.`);
  const [days = 0, hours = 0, minutes = 0, seconds = 0] = parts.slice(1).map((part) => Number(part || 0));
  return (((days * 24 + hours) * 60 + minutes) * 60 + seconds) * 1000;
}

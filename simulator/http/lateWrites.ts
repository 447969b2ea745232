import type { Clock } from '../clock.ts';
import type { Reply } from './message.ts';

/** What a write that was given up on will still do. */
interface LateWrite {
  readonly method: string;
  readonly path: string;
  /** On the simulator's clock; null: when it is told to. */
  readonly dueMs: number | null;
  land(): Promise<Reply>;
}

interface LandedWrite {
  readonly method: string;
  readonly path: string;
  /** What the client would have heard. */
  readonly status: number;
}

/** Writes whose answer was a timeout and that are done later (the fault `landsLate`), in the order in which they are due. */
export class LateWrites {
  readonly #clock: Clock;
  #waiting: LateWrite[] = [];
  #landing: Promise<unknown> = Promise.resolve();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  get waiting(): { method: string; path: string; due: string | null }[] {
    return this.#waiting.map(({ method, path, dueMs }) => ({
      method,
      path,
      due: dueMs === null ? null : new Date(dueMs).toISOString(),
    }));
  }

  add(write: LateWrite): void {
    this.#waiting.push(write);
  }

  clear(): void {
    this.#waiting = [];
  }

  /** Lands what is due, before anything else is looked at. */
  async settle(): Promise<void> {
    const now = this.#clock.now();
    await this.#land(({ dueMs }) => dueMs !== null && dueMs <= now);
  }

  /** Lands all that waits. */
  async landAll(): Promise<LandedWrite[]> {
    return this.#land(() => true);
  }

  async #land(isDue: (write: LateWrite) => boolean): Promise<LandedWrite[]> {
    const due = this.#waiting.filter(isDue).sort((a, b) => (a.dueMs ?? Infinity) - (b.dueMs ?? Infinity));
    this.#waiting = this.#waiting.filter((write) => !due.includes(write));
    // One after another, and whoever asks meanwhile waits for those that others have begun to land.
    const landing = this.#landing.then(async () => {
      const landed: LandedWrite[] = [];
      for (const write of due)
        landed.push({ method: write.method, path: write.path, status: (await write.land()).status });
      return landed;
    });
    this.#landing = landing;
    return landing;
  }
}

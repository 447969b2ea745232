import type { Call } from '../call.ts';
import type { Clock } from '../clock.ts';
import { isFault } from '../errors.ts';

/** What was written may take a moment to be read (exchange.md §4, Consistency; graph.md §8). */
const waitsMs = [0, 400, 800, 1_600, 2_500];

/**
 * What is to be seen after a creation: looked for until it is complete, or some seconds or the call's time are over. What
 * was seen last; null for nothing. A look that fails says nothing of the creation.
 */
export async function readBack<Seen>(
  look: (call: Call) => Promise<Seen | null>,
  isComplete: (seen: Seen) => boolean,
  clock: Clock,
  call: Call,
): Promise<Seen | null> {
  let latest: Seen | null = null;
  for (const waitMs of waitsMs) {
    if (waitMs >= call.deadline.remainingMs()) break;
    await clock.sleep(waitMs, call.deadline.signal);
    try {
      latest = (await look(call)) ?? latest;
    } catch (error) {
      if (!isFault(error)) throw error;
    }
    if (latest !== null && isComplete(latest)) break;
  }
  return latest;
}

/** For what is there or not. */
export function isThere(): boolean {
  return true;
}

/** For a group of Exchange: the dual write has brought its Entra id back. */
export function hasEntraId({ id }: { readonly id: string | null }): boolean {
  return id !== null;
}

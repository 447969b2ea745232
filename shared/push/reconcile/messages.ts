/** What a message about a mapping says. Anything else is nobody's mapping. */
export interface MappingMessage {
  readonly oktaGroupId: string;
  /** Tries in a row that came to nothing. */
  readonly attempt: number;
}

/** Messages come as objects, or as text when they were no JSON. */
export function readMappingMessage(message: unknown): MappingMessage | null {
  if (typeof message !== 'object' || message === null) return null;
  const { oktaGroupId, attempt } = message as Readonly<Record<string, unknown>>;
  if (typeof oktaGroupId !== 'string' || oktaGroupId === '') return null;
  return { oktaGroupId, attempt: typeof attempt === 'number' && attempt > 0 ? attempt : 0 };
}

const firstBackoffMs = 5_000;
const longestBackoffMs = 15 * 60_000;

/** How long to wait after so many tries that came to nothing. */
export function backoffMs(attempt: number, retryAfterSeconds: number | null): number {
  return Math.max(
    Math.min(longestBackoffMs, firstBackoffMs * 2 ** Math.min(attempt, 20)),
    (retryAfterSeconds ?? 0) * 1_000,
  );
}

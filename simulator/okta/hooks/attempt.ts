import type { EventHook } from '../model.ts';

/** What came of one request to a hook. */
export interface Attempt {
  /** null: no answer. */
  readonly status: number | null;
  readonly error: 'timeout' | 'unreachable' | null;
  readonly body: string;
}

/** The headers that the hook's owner asked for: on a delivery and, inferred, on the verification (okta.md §1.1). */
const headersOf = (hook: EventHook): Record<string, string> =>
  Object.fromEntries([...hook.headers, ...(hook.auth ? [hook.auth] : [])].map(({ key, value }) => [key, value]));

/** One request, within the time a hook has. Redirects are not followed. */
export async function attempt(
  hook: EventHook,
  request: { method: 'GET' | 'POST'; headers: Record<string, string>; body?: string },
  { timeoutMs, ended }: { timeoutMs: number; ended: AbortSignal },
): Promise<Attempt> {
  const timeout = AbortSignal.timeout(timeoutMs);
  try {
    const answer = await fetch(hook.uri, {
      ...request,
      headers: { accept: 'application/json', ...request.headers, ...headersOf(hook) },
      redirect: 'manual',
      signal: AbortSignal.any([timeout, ended]),
    });
    return { status: answer.status, error: null, body: await answer.text() };
  } catch {
    return { status: null, error: timeout.aborted ? 'timeout' : 'unreachable', body: '' };
  }
}

export const isSuccess = ({ status }: Attempt): boolean => status !== null && status >= 200 && status < 300;

/** Timeouts and 5xx are; 4xx are not (okta.md §1.1). No connection counts as a timeout: facts.oktaHookUnreachable. */
export const isTriedAgain = ({ status }: Attempt): boolean => status === null || status >= 500;

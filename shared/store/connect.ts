import type { TokenCredential } from '@azure/identity';
import type { Storage } from '../config.ts';

/** The identity for a storage account that is reached without a key. */
export async function loadStorageCredential(
  storage: Extract<Storage, { readonly type: 'identity' }>,
): Promise<TokenCredential> {
  const { ManagedIdentityCredential } = await import('@azure/identity');
  return storage.clientId === null
    ? new ManagedIdentityCredential()
    : new ManagedIdentityCredential({ clientId: storage.clientId });
}

/** Few and short: a request has 25 s in all, and an unreachable store must be told from a slow one (design §6.4). */
export const storageRetries = {
  maxTries: 3,
  tryTimeoutInMs: 5_000,
  retryDelayInMs: 200,
  maxRetryDelayInMs: 1_000,
} as const;

/** What all callers share and nobody may end, waited for no longer than one of them has time. */
export function unlessAborted<Result>(shared: Promise<Result>, signal: AbortSignal): Promise<Result> {
  return new Promise((resolve, reject) => {
    const leave = () => reject(new Error('no time is left to wait for it'));
    if (signal.aborted) leave();
    signal.addEventListener('abort', leave);
    void shared.then(resolve, reject).finally(() => signal.removeEventListener('abort', leave));
  });
}

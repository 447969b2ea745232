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

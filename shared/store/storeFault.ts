import type { Call } from '../call.ts';
import { Fault, isFault } from '../errors.ts';
import { redact } from '../upstream/redact.ts';

/** What the storage SDKs throw, told as a fault; what is a fault already stays. */
export function storeFault(error: unknown, what: string, call: Call): Fault {
  if (isFault(error)) return error;
  if (call.deadline.signal.aborted) {
    return new Fault('deadline_exceeded', {
      detail: `The time for this request was over before the storage account had answered (${what}).`,
      fix: 'Repeat the request; what was done already is recognised.',
      upstream: 'storage',
      cause: error,
    });
  }
  const said = error instanceof Error ? redact(error.message.split('\n')[0] ?? '') : 'no answer';
  return new Fault('storage_unavailable', {
    detail: `The storage account failed: ${what} (${said}).`,
    fix: 'Check AzureWebJobsStorage and that the identity has the roles Storage Blob Data Owner, Storage Queue Data Contributor and Storage Table Data Contributor; then repeat the request.',
    upstream: 'storage',
    cause: error,
  });
}

/** The HTTP status that a storage SDK's error carries; null when it never got so far. */
export function statusOfStoreError(error: unknown): number | null {
  const status: unknown = typeof error === 'object' && error !== null ? Reflect.get(error, 'statusCode') : null;
  return typeof status === 'number' ? status : null;
}

import { createHash } from 'node:crypto';
import type { ExpectedValue } from '../expectedValue.ts';

/** What a caller wants of a list of users. */
export interface BatchRequest {
  readonly entries: readonly BatchEntry[];
  /** The Office 365 app that is to be taken care of; null: Okta's side is left alone. */
  readonly oktaAppId: string | null;
  /** How many repairs may fail unexpectedly before the rest is left alone. */
  readonly maxFailures: number;
  /** Only this plan may be carried out; null: whatever is found. */
  readonly planId: string | null;
  readonly isDryRun: boolean;
}

export interface BatchEntry {
  /** Object id or user principal name, as the caller wrote it. */
  readonly user: string;
  /** null: Okta is asked what is expected. */
  readonly given: ExpectedValue | null;
}

/** Pure. The same for the same request, in whatever case and order it names people. */
export function fingerprintOf({ entries, ...options }: BatchRequest): string {
  const named = entries.map(({ user, given }) => JSON.stringify([user.toLowerCase(), given])).sort();
  return createHash('sha256')
    .update(JSON.stringify([options, named]))
    .digest('hex');
}

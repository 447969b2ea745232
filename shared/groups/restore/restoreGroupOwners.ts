import { Fault, type FaultCode, faultTable, isFault } from '../../errors.ts';
import { labelOfPerson, lostRow, restoredRow, type RestoreRow } from './restorePlan.ts';
import type { Snapshot, SnapshotPerson } from '../deletion/snapshot.ts';

/** Whether the same one may well be found a moment later. Who has lost the mailbox may never have one again. */
export function mayPass(code: FaultCode): boolean {
  return faultTable[code].retryable && code !== 'no_mailbox';
}

/**
 * The former owners that can still own a group, with a row for each of all.
 * @param require gives one owner, or throws the Fault why it cannot be
 * @throws Fault of an owner that could not be looked up: an owner must not be lost to a passing failure
 */
export function ownersLeft<Owner>(
  former: readonly SnapshotPerson[],
  require: (entry: string, index: number) => readonly Owner[],
): { readonly found: readonly Owner[]; readonly rows: readonly RestoreRow[] } {
  const found: Owner[] = [];
  const rows: RestoreRow[] = [];
  for (const [index, { entry }] of former.entries()) {
    const label = labelOfPerson(former, entry);
    try {
      found.push(...require(entry, index));
      rows.push(restoredRow('owner', label));
    } catch (error) {
      if (!isFault(error) || mayPass(error.code)) throw error;
      rows.push(lostRow('owner', label, { code: error.code, message: error.errors[0]?.message ?? error.message }));
    }
  }
  return { found, rows };
}

export function noOwnerLeft({ owners, displayName }: Snapshot): Fault {
  const names = owners.map(({ entry }) => labelOfPerson(owners, entry));
  const fix = 'Name new owners in the body, as owners.';
  return new Fault('owner_not_valid', {
    detail: `None of the owners of ${displayName} can own a group any more: ${names.join(', ')}. Nothing was restored.`,
    fix,
    errors: [{ pointer: '/owners', message: 'is needed, since no former owner is left', fix }],
  });
}

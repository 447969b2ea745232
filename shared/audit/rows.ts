import { randomUUID } from 'node:crypto';

export const auditTable = 'audit';

export interface RowKey {
  /** The UTC day, like `2026-11-20`. */
  readonly partitionKey: string;
  readonly rowKey: string;
}

const maxDateMs = 8_640_000_000_000_000;
const dayMs = 86_400_000;

/** Newest first within a day: Azure Tables sort by row key ascending and know no other order. */
export function newRowKey(ms: number): RowKey {
  return { partitionKey: dayOf(ms), rowKey: `${rowKeyOf(ms)}-${randomUUID()}` };
}

/** What all row keys of this millisecond begin with: it sorts before them and after those of any later time. */
export function rowKeyOf(ms: number): string {
  return String(maxDateMs - ms).padStart(16, '0');
}

export function dayOf(ms: number): string {
  return new Date(ms).toISOString().slice(0, 10);
}

export function addDays(day: string, count: number): string {
  return dayOf(Date.parse(day) + count * dayMs);
}

/**
 * A target as it is compared: Azure Tables compare texts by their exact case alone, and an address may be asked for in
 * any. Rows carry their target in both forms.
 */
export function foldTarget(target: string): string {
  return target.toLowerCase();
}

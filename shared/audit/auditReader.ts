import type { Call } from '../call.ts';
import type { Clock } from '../clock.ts';
import { Fault, isFault } from '../errors.ts';
import type { Tables } from '../store/tables.ts';
import type { AuditState } from './audit.ts';
import { type AuditTable, createAuditTable, type StoredRow } from './auditTable.ts';
import { decodeCursor, encodeCursor, type Position } from './cursor.ts';
import { auditUnavailable } from './faults.ts';
import { addDays, dayOf, foldTarget, rowKeyOf } from './rows.ts';

/** What to look for; null: whatever it is. */
export interface AuditFilters {
  /** The Entra id, address or name that a row has for its target, whole and in any case. */
  readonly target: string | null;
  readonly action: string | null;
  readonly operationId: string | null;
  readonly state: AuditState | null;
  /** ISO 8601; the first and the last moment that counts. */
  readonly from: string | null;
  readonly to: string | null;
}

/** One upstream write. */
export interface AuditEntry {
  readonly at: string;
  readonly finishedAt: string | null;
  readonly requestId: string;
  readonly operationId: string | null;
  readonly action: string;
  readonly operation: string;
  readonly targetType: string;
  readonly targetId: string;
  readonly targetName: string;
  readonly state: AuditState;
  /** JSON texts; `after` is null while the outcome is not known. */
  readonly before: string;
  readonly planned: string;
  readonly after: string | null;
  readonly code: string | null;
  readonly message: string | null;
  readonly upstreamRequestId: string | null;
}

export interface AuditPage {
  readonly entries: readonly AuditEntry[];
  /** null at the end of the list. */
  readonly nextCursor: string | null;
}

export interface AuditReader {
  /**
   * One page of what was written, newest first. What is written meanwhile is newer than the page and moves nothing.
   * When time runs out the page is what was found so far, perhaps nothing, with the cursor to go on from.
   * @throws Fault `invalid_request` (times, a foreign cursor), `audit_unavailable`, `deadline_exceeded` when there was
   *   no time for anything
   */
  list(filters: AuditFilters, page: { limit: number; cursor: string | null }, call: Call): Promise<AuditPage>;
}

export interface AuditReaderDependencies {
  readonly tables: Tables;
  readonly clock: Clock;
  /** How far back a list goes that names no time. */
  readonly retentionDays: number;
}

/** The first stretch of days that is looked through at once where a day is empty; each next one is four times as long. */
const firstStretchDays = 8;
const keysPerPage = 1_000;

export function createAuditReader({ tables, clock, retentionDays }: AuditReaderDependencies): AuditReader {
  const table = createAuditTable(tables, clock);

  return {
    list: async (filters, { limit, cursor }, call) => {
      const { fromMs, toMs } = readTimes(filters, clock.now(), retentionDays);
      const start: Position = { day: dayOf(toMs), after: rowKeyOf(toMs) };
      const walk = startWalk({
        table,
        start: cursor === null ? start : decodeCursor(cursor, filters),
        fromMs,
        filter: columnFilter(filters),
        // One more than asked for tells whether there is a next page.
        enough: limit + 1,
      });
      try {
        await walk.run(call);
      } catch (error) {
        const isTimeOver = call.deadline.signal.aborted;
        if (isTimeOver && walk.hasMoved()) return pageOf(walk.found, walk.position(), filters);
        if (isFault(error)) throw error;
        if (isTimeOver) throw outOfTime(error);
        table.forget();
        throw auditUnavailable('read', 'what is in it is not lost by that', error);
      }
      if (walk.found.length <= limit) return pageOf(walk.found, null, filters);
      const rows = walk.found.slice(0, limit);
      const last = rows.at(-1);
      return pageOf(rows, last === undefined ? null : positionOf(last), filters);
    },
  };
}

interface Walk {
  readonly found: StoredRow[];
  position(): Position;
  hasMoved(): boolean;
  /** Ends when enough is found, or all. */
  run(call: Call): Promise<void>;
}

/** Day by day backwards. A table is in ascending order of its keys only, so that empty days are skipped by asking for ranges. */
function startWalk(options: {
  table: AuditTable;
  start: Position;
  fromMs: number;
  filter: string;
  enough: number;
}): Walk {
  const { table, start, fromMs, filter, enough } = options;
  const firstDay = dayOf(fromMs);
  const found: StoredRow[] = [];
  let position = start;

  async function readDay(call: Call): Promise<boolean> {
    const { day, after } = position;
    const conditions = [`PartitionKey eq '${day}'`, `RowKey gt '${after}'`];
    if (day === firstDay) conditions.push(`RowKey lt '${rowKeyOf(fromMs - 1)}'`);
    const query = { filter: and(...conditions, filter), pageSize: Math.min(keysPerPage, enough - found.length) };
    let isEmpty = true;
    for await (const rows of table.pages(query, call)) {
      found.push(...rows);
      const last = rows.at(-1);
      if (last !== undefined) position = positionOf(last);
      isEmpty &&= last === undefined;
      if (found.length >= enough) break;
    }
    return isEmpty;
  }

  /** The last day before `end` that has rows of this list. */
  async function lastDayBefore(end: string, call: Call): Promise<string | null> {
    for (let days = firstStretchDays; end > firstDay; days *= 4) {
      const stretch = addDays(end, -days);
      const begin = stretch > firstDay ? stretch : firstDay;
      const range = and(`PartitionKey ge '${begin}'`, `PartitionKey lt '${end}'`, filter);
      let last: string | null = null;
      for await (const rows of table.pages({ filter: range, select: ['PartitionKey'], pageSize: keysPerPage }, call)) {
        last = rows.at(-1)?.partitionKey ?? last;
      }
      if (last !== null) return last;
      end = begin;
      position = { day: addDays(begin, -1), after: '' };
    }
    return null;
  }

  return {
    found,
    position: () => position,
    hasMoved: () => position !== start,
    run: async (call) => {
      while (position.day >= firstDay) {
        const isEmpty = await readDay(call);
        if (found.length >= enough) return;
        const { day } = position;
        position = { day: addDays(day, -1), after: '' };
        if (!isEmpty) continue;
        const next = await lastDayBefore(day, call);
        if (next === null) return;
        position = { day: next, after: '' };
      }
    },
  };
}

function readTimes({ from, to }: AuditFilters, nowMs: number, retentionDays: number): { fromMs: number; toMs: number } {
  const toMs = to === null ? nowMs : readTime('to', to);
  const fromMs = from === null ? Math.min(nowMs, toMs) - retentionDays * 86_400_000 : readTime('from', from);
  if (fromMs > toMs) throw wrongTime('from', 'is later than /query/to', 'Give a time before /query/to.');
  return { fromMs, toMs };
}

function readTime(name: 'from' | 'to', text: string): number {
  const ms = Date.parse(text);
  if (!Number.isNaN(ms)) return ms;
  throw wrongTime(name, 'is not a time that exists', 'Give a time like 2026-11-20T08:00:00Z.');
}

function wrongTime(name: 'from' | 'to', message: string, fix: string): Fault {
  const pointer = `/query/${name}`;
  return new Fault('invalid_request', {
    detail: `One fault: ${pointer} ${message}.`,
    fix,
    errors: [{ pointer, message, fix }],
  });
}

function columnFilter({ target, action, operationId, state }: AuditFilters): string {
  const conditions: string[] = [];
  const equals = (column: string, value: string) => `${column} eq '${value.replaceAll("'", "''")}'`;
  if (target !== null) {
    const folded = foldTarget(target);
    conditions.push(`(${equals('targetIdFolded', folded)} or ${equals('targetNameFolded', folded)})`);
  }
  for (const [column, value] of Object.entries({ action, operationId, state })) {
    if (value !== null) conditions.push(equals(column, value));
  }
  return and(...conditions);
}

function and(...conditions: string[]): string {
  return conditions.filter((condition) => condition !== '').join(' and ');
}

function positionOf({ partitionKey, rowKey }: StoredRow): Position {
  return { day: partitionKey, after: rowKey };
}

function pageOf(rows: readonly StoredRow[], next: Position | null, filters: AuditFilters): AuditPage {
  return { entries: rows.map(entryOf), nextCursor: next === null ? null : encodeCursor(next, filters) };
}

function entryOf(row: StoredRow): AuditEntry {
  const text = (name: string): string => (typeof row[name] === 'string' ? row[name] : '');
  const known = (name: string): string | null => text(name) || null;
  return {
    at: text('at'),
    finishedAt: known('finishedAt'),
    requestId: text('requestId'),
    operationId: known('operationId'),
    action: text('action'),
    operation: text('operation'),
    targetType: text('targetType'),
    targetId: text('targetId'),
    targetName: text('targetName'),
    state: text('state') as AuditState,
    before: text('before'),
    planned: text('planned'),
    after: known('after'),
    code: known('code'),
    message: known('message'),
    upstreamRequestId: known('upstreamRequestId'),
  };
}

function outOfTime(cause: unknown): Fault {
  return new Fault('deadline_exceeded', {
    detail: 'The audit store did not give one page before the time for this request was over.',
    fix: 'Repeat the request, with /query/from and /query/to closer together.',
    upstream: 'storage',
    cause,
  });
}

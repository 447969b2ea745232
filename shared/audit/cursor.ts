import { createHash } from 'node:crypto';
import { Fault } from '../errors.ts';

/** How far a list has been read: all later days, and of `day` the row `after` with all before it in the table. */
export interface Position {
  readonly day: string;
  /** A row key, or the empty text for the beginning of the day. */
  readonly after: string;
}

/** With another form or order of rows the version changes, so that an old cursor is refused and not misread. */
const form = /^1\.([0-9a-f]{16})\.(\d{4}-\d{2}-\d{2})\.(\d{16}-[0-9a-f-]{36})?$/;

/** @param filters what the list was asked for: the cursor of one list is none of another */
export function encodeCursor({ day, after }: Position, filters: unknown): string {
  return Buffer.from(`1.${fingerprint(filters)}.${day}.${after}`).toString('base64url');
}

/** @throws Fault `invalid_request` naming /query/cursor */
export function decodeCursor(cursor: string, filters: unknown): Position {
  const [, print, day, after = ''] = form.exec(Buffer.from(cursor, 'base64url').toString('utf8')) ?? [];
  if (day === undefined || print !== fingerprint(filters) || Number.isNaN(Date.parse(day))) throw foreignCursor();
  return { day, after };
}

function fingerprint(filters: unknown): string {
  return createHash('sha256').update(JSON.stringify(filters)).digest('hex').slice(0, 16);
}

function foreignCursor(): Fault {
  const fix = 'Use nextCursor of the page before, unchanged, with the same filters; or start again without cursor.';
  return new Fault('invalid_request', {
    detail: 'The cursor is not one of this list.',
    fix,
    errors: [{ pointer: '/query/cursor', message: 'is not a cursor of this list', fix }],
  });
}

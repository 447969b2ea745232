import { createHash } from 'node:crypto';
import { Fault } from '../errors.ts';

/**
 * Where a list goes on, as text that its caller hands back unchanged. `list` names the list with everything that decides
 * what is in it: a cursor is good for that list alone. It is sealed against accidents and mix-ups, not against forgery;
 * who reads the position takes only what leads nowhere else.
 */
const version = 1;
const sealBytes = 12;

/** `position` is anything that JSON can hold. */
export function encodeCursor(list: string, position: unknown): string {
  const text = JSON.stringify(position);
  return Buffer.concat([Buffer.of(version), sealOf(list, text), Buffer.from(text)]).toString('base64url');
}

/**
 * @param read gives the position, or null for what is none
 * @throws Fault `invalid_request` for a cursor of another list, a damaged one, or one of another version
 */
export function decodeCursor<Position>(
  cursor: string,
  list: string,
  read: (value: unknown) => Position | null,
): Position {
  const position = read(open(cursor, list));
  if (position === null) throw cursorFault();
  return position;
}

/** For a cursor that Graph does not take any more. */
export function cursorFault(cause?: unknown): Fault {
  const fix = 'Use nextCursor of the page before, unchanged, with the same request; or start again without cursor.';
  return new Fault('invalid_request', {
    detail: 'The cursor is not one of this list, or has expired.',
    fix,
    errors: [{ pointer: '/query/cursor', message: 'is not a cursor of this list', fix }],
    cause,
  });
}

function open(cursor: string, list: string): unknown {
  const bytes = Buffer.from(cursor, 'base64url');
  const seal = bytes.subarray(1, 1 + sealBytes);
  const text = bytes.subarray(1 + sealBytes).toString('utf8');
  // Node skips what is not base64.
  const isWhole = bytes.toString('base64url') === cursor && bytes[0] === version;
  if (isWhole && seal.equals(sealOf(list, text))) return JSON.parse(text);
  throw cursorFault();
}

function sealOf(list: string, text: string): Buffer {
  return createHash('sha256').update(`${list}\n${text}`).digest().subarray(0, sealBytes);
}

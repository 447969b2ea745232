import { Fault } from '../errors.ts';
import { redact } from '../upstream/redact.ts';

/** An Exchange body as it really comes: JSON, nothing, a run of NULs (with a 403), or a gateway's text or HTML. */
export type ExchangeBody =
  | { readonly type: 'json'; readonly value: Readonly<Record<string, unknown>> }
  | { readonly type: 'empty' }
  | { readonly type: 'text'; readonly text: string };

/** One object of a cmdlet's output. */
export type Row = Readonly<Record<string, unknown>>;

export function readBody(text: string): ExchangeBody {
  const withoutNuls = text.replaceAll('\0', '').trim();
  if (withoutNuls === '') return { type: 'empty' };
  try {
    const value: unknown = JSON.parse(withoutNuls);
    if (isRecord(value)) return { type: 'json', value };
  } catch {
    // Not JSON: a proxy's page or Exchange's plain-text refusal.
  }
  return { type: 'text', text: withoutNuls };
}

/** The rows of a success body, without the `X@odata.type` companions of each property (exchange.md §1.4). */
export function readRows(body: Readonly<Record<string, unknown>>): Row[] {
  const value = body.value;
  if (!Array.isArray(value)) return [];
  return value
    .filter(isRecord)
    .map((row) => Object.fromEntries(Object.entries(row).filter(([name]) => !name.includes('@'))));
}

export function readWarnings(body: Readonly<Record<string, unknown>>): string[] {
  return strings(body['@adminapi.warnings']).map(redact);
}

export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** A text property; null when absent or empty. */
export function textOf(row: Row, name: string): string | null {
  const value = row[name];
  return typeof value === 'string' && value !== '' ? value : null;
}

/** The object's own GUID, by which everything is written. @throws Fault: a row without it cannot be told from others */
export function exchangeIdOf(row: Row): string {
  const id = textOf(row, 'Guid') ?? textOf(row, 'ExchangeObjectId');
  if (id !== null) return id;
  throw new Fault('upstream_failed', {
    detail: 'Exchange returned an object without its GUID.',
    fix: 'Repeat the request later.',
    upstream: 'exchange',
  });
}

/** A boolean property; Exchange sends some as the strings "True" and "False" (exchange.md §1.4). */
export function booleanOf(row: Row, name: string): boolean {
  const value = row[name];
  return value === true || (typeof value === 'string' && value.toLowerCase() === 'true');
}

/** A multi-valued property; a single value may come without its list. */
export function listOf(row: Row, name: string): string[] {
  const value = row[name];
  return typeof value === 'string' && value !== '' ? [value] : strings(value);
}

function strings(value: unknown): string[] {
  return Array.isArray(value) ? value.filter((each): each is string => typeof each === 'string') : [];
}

import type { Fault } from './fault.ts';
import type { JournalRow } from './journal.ts';

export type Upstream = 'graph' | 'exchange' | 'okta' | 'login' | 'identity';

/** One request, read whole. */
export interface Call {
  readonly upstream: Upstream;
  readonly method: string;
  /** As on the request line: path with query. */
  readonly target: string;
  readonly url: URL;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  readonly requestId: string;
  /** The Exchange cmdlets named in it: one, or one for each part of a $batch. */
  readonly cmdlets: readonly string[];
  readonly row: JournalRow;
  /** A fault that the handler itself has to play: failed parts of a $batch. */
  readonly batchFault: Extract<Fault, { kind: 'batchParts' }> | null;
  /** This read sees the state before the last write. */
  readonly stale: boolean;
}

export interface Reply {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | Buffer;
}

export type Handler = (call: Call) => Reply | Promise<Reply>;

export const json = (status: number, value: unknown, headers: Record<string, string> = {}): Reply => ({
  status,
  headers: { 'content-type': 'application/json; charset=utf-8', ...headers },
  body: JSON.stringify(value),
});

export const text = (status: number, body: string, contentType = 'text/plain; charset=utf-8'): Reply => ({
  status,
  headers: { 'content-type': contentType },
  body,
});

export const empty = (status: number, headers: Record<string, string> = {}): Reply => ({ status, headers, body: '' });

export type JsonObject = Record<string, unknown>;

export const isObject = (value: unknown): value is JsonObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

export const isStringArray = (value: unknown): value is string[] =>
  Array.isArray(value) && value.every((item) => typeof item === 'string');

/** The object without these keys. */
export function without<T extends object, K extends keyof T>(object: T, ...keys: K[]): Omit<T, K> {
  const copy = { ...object };
  for (const key of keys) Reflect.deleteProperty(copy, key);
  return copy;
}

/** undefined where the text is no JSON. */
export function parseJson(body: string): unknown {
  try {
    return JSON.parse(body) as unknown;
  } catch {
    return undefined;
  }
}

import { isObject, parseJson } from './json.ts';
import type { Upstream } from './upstream.ts';

export interface JournalRow {
  readonly upstream: Upstream;
  readonly method: string;
  /** Path with query, as sent. */
  readonly path: string;
  readonly cmdlet: string | null;
  /** null while unanswered, and when the connection was destroyed instead of an answer. */
  status: number | null;
  readonly requestBody: unknown;
  responseBody: unknown;
  readonly at: string;
  readonly requestId: string;
  /** The kind of the fault that was played, if any. */
  fault: string | null;
}

const REDACTED = '[redacted]';
const secretKey = /^(authorization|client_secret|client_assertion|access_token|refresh_token|password|authScheme)$/i;

/** Journals are read by people and compared in tests: no credential may end in one. */
function withoutSecrets(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutSecrets);
  if (!isObject(value)) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, item]) => [key, secretKey.test(key) ? REDACTED : withoutSecrets(item)]),
  );
}

export function readable(body: string | Buffer, contentType = ''): unknown {
  const text = body.toString();
  if (text === '') return null;
  if (contentType.includes('x-www-form-urlencoded'))
    return withoutSecrets(Object.fromEntries(new URLSearchParams(text)));
  const parsed = parseJson(text);
  return parsed === undefined ? text : withoutSecrets(parsed);
}

export class Journal {
  #rows: JournalRow[] = [];

  get rows(): readonly JournalRow[] {
    return this.#rows;
  }

  add(row: JournalRow): JournalRow {
    this.#rows.push(row);
    return row;
  }

  clear(): void {
    this.#rows = [];
  }
}

import type { Fault } from './fault.ts';
import type { JournalRow } from './journal.ts';
import type { Upstream } from './upstream.ts';

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
  /** When it came: a token that was good then is good for a write that is done later. */
  readonly heardAtMs: number;
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

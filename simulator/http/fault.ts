import { isObject, type JsonObject } from './json.ts';
import type { Upstream } from './upstream.ts';

export interface FaultMatch {
  method?: string;
  /** A substring of path with query, or a regular expression written /like this/. */
  path?: string;
  cmdlet?: string;
}

export type Fault =
  | { kind: 'reset' }
  | { kind: 'commitThenReset' }
  | {
      kind: 'status';
      status: number;
      body?: unknown;
      headers?: Record<string, string>;
      contentType?: string;
      commit?: boolean;
    }
  | { kind: 'throttle'; retryAfter?: 'seconds' | 'date' | 'absent'; seconds?: number }
  | { kind: 'empty'; commit?: boolean }
  | { kind: 'nul'; status?: number; commit?: boolean }
  | { kind: 'slow'; delayMs: number; where?: 'headers' | 'body' }
  | {
      kind: 'batchParts';
      /** Of Exchange. */
      cmdlet?: string;
      /** Of Graph, as is `path`: a substring of the part's url. */
      method?: string;
      path?: string;
      indexes?: number[];
      count?: number;
      status?: number;
      error?: unknown;
      commit?: boolean;
    }
  | { kind: 'concurrency'; status?: number }
  | { kind: 'foreignLink'; host?: string }
  | { kind: 'staleReads' }
  /** The client hears of a timeout, or nothing; the write is done later, or when the control API says so. */
  | { kind: 'landsLate'; afterMs?: number; status?: number; reset?: boolean };

export interface FaultRule {
  upstream: Upstream;
  match: FaultMatch;
  fault: Fault;
  times: number;
  skip: number;
  probability: number;
}

type Check = (value: unknown) => boolean;
const isString: Check = (value) => typeof value === 'string';
const isBoolean: Check = (value) => typeof value === 'boolean';
const isCount: Check = (value) => Number.isInteger(value) && Number(value) >= 0;
const isStatus: Check = (value) => Number.isInteger(value) && Number(value) >= 200 && Number(value) <= 599;
const isOneOf =
  (...values: string[]): Check =>
  (value) =>
    typeof value === 'string' && values.includes(value);
const anything: Check = () => true;
const isHeaders: Check = (value) => isObject(value) && Object.values(value).every(isString);
const isIndexes: Check = (value) => Array.isArray(value) && value.every(isCount);

interface Shape {
  required?: Record<string, Check>;
  optional?: Record<string, Check>;
}

const kinds: Record<Fault['kind'], Shape> = {
  reset: {},
  commitThenReset: {},
  status: {
    required: { status: isStatus },
    optional: { body: anything, headers: isHeaders, contentType: isString, commit: isBoolean },
  },
  throttle: { optional: { retryAfter: isOneOf('seconds', 'date', 'absent'), seconds: isCount } },
  empty: { optional: { commit: isBoolean } },
  nul: { optional: { status: isStatus, commit: isBoolean } },
  slow: { required: { delayMs: isCount }, optional: { where: isOneOf('headers', 'body') } },
  batchParts: {
    optional: {
      cmdlet: isString,
      method: isString,
      path: isString,
      indexes: isIndexes,
      count: isCount,
      status: isStatus,
      error: anything,
      commit: isBoolean,
    },
  },
  concurrency: { optional: { status: isStatus } },
  foreignLink: { optional: { host: isString } },
  staleReads: {},
  landsLate: { optional: { afterMs: isCount, status: isStatus, reset: isBoolean } },
};

function mismatches(value: JsonObject, { required = {}, optional = {} }: Shape, at: string): string[] {
  const known = { ...required, ...optional };
  return [
    ...Object.keys(required)
      .filter((key) => !(key in value))
      .map((key) => `${at}${key} is missing`),
    ...Object.entries(value).flatMap(([key, item]) => {
      const check = known[key];
      if (!check) return [`${at}${key} is not known`];
      return check(item) ? [] : [`${at}${key} has a wrong value`];
    }),
  ];
}

/** The rule, or what is wrong with it. */
export function readFaultRule(value: unknown): FaultRule | string[] {
  if (!isObject(value)) return ['the body is not an object'];
  const { match = {}, fault } = value;
  const faults = mismatches(
    value,
    {
      required: { upstream: isOneOf('graph', 'exchange', 'okta', 'login', 'identity'), fault: isObject },
      optional: {
        match: isObject,
        times: isCount,
        skip: isCount,
        probability: (p) => typeof p === 'number' && p >= 0 && p <= 1,
      },
    },
    '',
  );
  if (isObject(match))
    faults.push(...mismatches(match, { optional: { method: isString, path: isString, cmdlet: isString } }, 'match.'));
  if (isObject(fault)) {
    const { kind, ...rest } = fault;
    const shape = typeof kind === 'string' && Object.hasOwn(kinds, kind) ? kinds[kind as Fault['kind']] : undefined;
    if (shape) faults.push(...mismatches(rest, shape, 'fault.'));
    else faults.push(`fault.kind is none of ${Object.keys(kinds).join(', ')}`);
  }
  if (value.upstream === 'okta' && isObject(fault) && (fault.kind === 'staleReads' || fault.kind === 'batchParts'))
    faults.push(`fault.kind ${fault.kind} is not played on okta`);
  if (faults.length > 0) return faults;
  return { match: {}, times: 1, skip: 0, probability: 1, ...(value as Pick<FaultRule, 'upstream' | 'fault'>) };
}

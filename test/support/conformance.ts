import { type TObject, type TSchema, Type } from '@sinclair/typebox';
import { Ajv, type ValidateFunction } from 'ajv';
import { matchRoute, parseRoute } from '../../local/host/routes.ts';
import type { Action } from '../../shared/action/contract.ts';
import { faultTable } from '../../shared/errors.ts';

/** One exchange of request and answer, as far as a contract has a say in it. */
export interface Exchanged {
  method: string;
  /** Percent-encoded, below the route prefix, without query. */
  path: string;
  isFlow: boolean;
  status: number;
  headers: Headers;
  text: string;
}

/** Every key that a problem has, in the design's words (§5); written out here so that a lost or new one is noticed. */
const problemSchema = closed({
  type: Type.String(),
  title: Type.String({ minLength: 1 }),
  status: Type.Integer(),
  detail: Type.String({ minLength: 1 }),
  code: Type.String(),
  retryable: Type.Boolean(),
  fix: Type.String({ minLength: 1 }),
  requestId: Type.String({ minLength: 1 }),
  upstream: Type.Union([
    ...['graph', 'exchange', 'okta', 'entra', 'storage'].map((name) => Type.Literal(name)),
    Type.Null(),
  ]),
  upstreamRequestId: Type.Union([Type.String(), Type.Null()]),
  retryAfterSeconds: Type.Union([Type.Integer({ minimum: 1 }), Type.Null()]),
  errors: Type.Array(fieldFault()),
});

/** What a flow gets in place of a 403, 404 or 409. */
const refusalSchema = closed({
  ok: Type.Literal(false),
  outcome: Type.Literal('refused'),
  changed: Type.Literal(false),
  code: Type.String(),
  message: Type.String({ minLength: 1 }),
  fix: Type.String({ minLength: 1 }),
  errors: Type.Array(fieldFault()),
  requestId: Type.String({ minLength: 1 }),
});

function closed(properties: Record<string, TSchema>): TObject {
  return Type.Object(properties, { additionalProperties: false });
}

function fieldFault(): TObject {
  const text = Type.String({ minLength: 1 });
  return closed({ pointer: Type.String(), message: text, fix: text });
}

const ajv = new Ajv({ allErrors: true, strict: true, allowUnionTypes: true });
const compiled = new WeakMap<TSchema, ValidateFunction>();

function faultsOf(schema: TSchema, value: unknown): string[] {
  let validate = compiled.get(schema);
  if (!validate) compiled.set(schema, (validate = ajv.compile(schema)));
  if (validate(value)) return [];
  return (validate.errors ?? []).map(
    ({ instancePath, message, params }) => `${instancePath} ${String(message)} ${JSON.stringify(params)}`,
  );
}

/**
 * What about an answer breaks the contract of the action that gave it; nothing for an answer that no action gave.
 * @param actions those that are registered
 */
export function contractFaults(actions: readonly Action[], exchanged: Exchanged): string[] {
  const action = actions.find(
    ({ method, route }) => method === exchanged.method && matchRoute(parseRoute(route), exchanged.path),
  );
  // The host's own refusal of a key.
  if (!action || (exchanged.status === 401 && exchanged.text === '')) return [];
  let body: unknown;
  try {
    body = JSON.parse(exchanged.text);
  } catch {
    return [`${action.name} answered ${exchanged.status} with what is no JSON: ${exchanged.text.slice(0, 200)}`];
  }
  const faults = [
    ...headerFaults(exchanged, body),
    ...(exchanged.status < 300 ? successFaults(action, exchanged, body) : problemFaults(exchanged, body)),
  ];
  return faults.map((fault) => `${action.name} answered ${exchanged.status}: ${fault}`);
}

function headerFaults({ status, headers }: Exchanged, body: unknown): string[] {
  const expected: Record<string, unknown> = {
    'content-type': status < 300 ? 'application/json' : 'application/problem+json',
    'x-request-id': valueOf(body, 'requestId'),
    'cache-control': 'no-store',
    'x-content-type-options': 'nosniff',
    // Told to wait: for an upstream, or for the operation that was begun.
    'retry-after': [202, 429].includes(status) ? String(valueOf(body, 'retryAfterSeconds')) : null,
  };
  const differing = Object.entries(expected)
    .filter(([name, value]) => headers.get(name) !== value)
    .map(([name, value]) => `the header ${name} is ${String(headers.get(name))}, not ${String(value)}`);
  const operation = headers.get('operation-location');
  const isLocated =
    status === 202 ? operation?.endsWith(`/operations/${String(valueOf(body, 'operationId'))}`) : !operation;
  return isLocated ? differing : [...differing, `the header operation-location is ${String(operation)}`];
}

function successFaults(action: Action, { status, isFlow }: Exchanged, body: unknown): string[] {
  if (isFlow && status === 200 && valueOf(body, 'outcome') === 'refused') {
    const refusals = Object.entries(faultTable).filter(([, row]) => [403, 404, 409].includes(row.status));
    const isRefusal = refusals.some(([code]) => code === valueOf(body, 'code'));
    return [...faultsOf(refusalSchema, body), ...(isRefusal ? [] : ['its code is not one of a refusal'])];
  }
  const isPromised = Object.hasOwn(action.successes, status);
  return [...faultsOf(action.reply, body), ...(isPromised ? [] : ['the contract has no such success'])];
}

function problemFaults({ status }: Exchanged, body: unknown): string[] {
  const code = valueOf(body, 'code');
  const row = Object.entries(faultTable).find(([name]) => name === code)?.[1];
  const expected: Record<string, unknown> = { ...row, status, type: `urn:okta-m365-actions:problem:${String(code)}` };
  return [
    ...faultsOf(problemSchema, body),
    ...(row ? [] : [`the code ${String(code)} is not in the table`]),
    ...(row && row.status !== status ? [`${String(code)} is a ${row.status}`] : []),
    ...Object.entries(expected)
      .filter(([name, value]) => valueOf(body, name) !== value)
      .map(([name, value]) => `${name} is ${String(valueOf(body, name))}, not ${String(value)}`),
    ...((valueOf(body, 'retryAfterSeconds') === null) === (status === 429)
      ? ['retryAfterSeconds is there with a 429, and only then']
      : []),
  ];
}

function valueOf(body: unknown, name: string): unknown {
  return typeof body === 'object' && body !== null ? (body as Record<string, unknown>)[name] : undefined;
}

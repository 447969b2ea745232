import { describe, expect, test } from '@jest/globals';
import { Type } from '@sinclair/typebox';
import { actions } from '../../functions/register.ts';
import type { Action } from '../../shared/action/contract.ts';
import { contractFaults, type Exchanged } from './conformance.ts';

const common = { 'x-request-id': 'one', 'cache-control': 'no-store', 'x-content-type-options': 'nosniff' };
const success = { requestId: 'one', ok: true, message: 'All well.', failedCount: 0, firstError: null, checks: [] };
const problem = {
  type: 'urn:okta-m365-actions:problem:throttled',
  title: 'The upstream asks to slow down',
  status: 429,
  detail: 'graph is throttling.',
  code: 'throttled',
  retryable: true,
  fix: 'Repeat later.',
  requestId: 'one',
  upstream: 'graph',
  upstreamRequestId: null,
  retryAfterSeconds: 7,
  errors: [],
};
const refusal = {
  ok: false,
  outcome: 'refused',
  changed: false,
  code: 'group_not_found',
  message: 'No group has this name.',
  fix: 'Check the name.',
  errors: [],
  requestId: 'one',
};

const begun = {
  ...actions[0],
  name: 'begin',
  method: 'GET',
  route: 'long',
  successes: { 200: 'Done.', 202: 'Begun.' },
  reply: Type.Object({
    requestId: Type.String(),
    operationId: Type.Union([Type.String(), Type.Null()]),
    retryAfterSeconds: Type.Union([Type.Integer(), Type.Null()]),
  }),
} as unknown as Action;

type Change = Partial<Omit<Exchanged, 'headers'>> & { headers?: Record<string, string>; body?: object };

const judge = ({ body = success, headers = {}, ...rest }: Change) =>
  contractFaults([...actions, begun], {
    method: 'GET',
    path: 'connection',
    isFlow: false,
    status: 200,
    text: JSON.stringify(body),
    ...rest,
    headers: new Headers({ ...common, 'content-type': 'application/json', ...headers }),
  });
const judgeBegun = ({ headers, ...change }: Change = {}) =>
  judge({
    path: 'long',
    status: 202,
    body: { requestId: 'one', operationId: 'op', retryAfterSeconds: 2 },
    headers: { 'retry-after': '2', 'operation-location': 'http://127.0.0.1/api/operations/op', ...headers },
    ...change,
  });
const judgeProblem = (change: Change = {}) =>
  judge({
    status: 429,
    body: problem,
    ...change,
    headers: { 'content-type': 'application/problem+json', 'retry-after': '7', ...change.headers },
  });

describe('the check of every answer', () => {
  test('has nothing to say about what keeps the contract', () => {
    expect(judge({})).toEqual([]);
    expect(judgeProblem()).toEqual([]);
    expect(judgeBegun()).toEqual([]);
    expect(judge({ isFlow: true, body: refusal })).toEqual([]);
  });

  test("has nothing to say about the host's own answers", () => {
    expect(judge({ path: 'nowhere', status: 404, text: '' })).toEqual([]);
    expect(judge({ method: 'POST', status: 404, text: '' })).toEqual([]);
    expect(judge({ status: 401, text: '' })).toEqual([]);
  });

  test.each<[string, Change]>([
    ['an empty 500', { status: 500, text: '' }],
    ['an empty 404 of an action', { status: 404, text: '' }],
    ['a success that the contract does not promise', { status: 201 }],
    ['a key that is missing', { body: { ...success, firstError: undefined } }],
    ['a key that is new', { body: { ...success, more: 1 } }],
    ['another type', { body: { ...success, failedCount: '0' } }],
    ['a refusal that nobody asked for', { body: refusal }],
    ['a refusal of what is a failure', { isFlow: true, body: { ...refusal, code: 'throttled' } }],
    ['a refusal without its fix', { isFlow: true, body: { ...refusal, fix: undefined } }],
    ['another content type', { headers: { 'content-type': 'text/plain' } }],
    ['a request id that differs', { headers: { 'x-request-id': 'two' } }],
    ['an answer that may be kept', { headers: { 'cache-control': 'private' } }],
    ['an answer whose type may be guessed', { headers: { 'x-content-type-options': '' } }],
    ['a success that asks to wait', { headers: { 'retry-after': '7' } }],
  ])('reports %s', (_what, change) => {
    expect(judge(change)).not.toEqual([]);
  });

  test.each<[string, Change]>([
    ['whose operation is elsewhere', { headers: { 'operation-location': 'http://127.0.0.1/api/operations/other' } }],
    ['that does not say when to look', { headers: { 'retry-after': '' } }],
    ['that was done at once', { status: 200 }],
    ['that the contract does not promise', { path: 'connection', body: success }],
  ])('reports a begun operation %s', (_what, change) => {
    expect(judgeBegun(change)).not.toEqual([]);
  });

  test.each<[string, Change]>([
    ['a code that is not in the table', { body: { ...problem, code: 'nonsense' } }],
    ['a title of another code', { body: { ...problem, title: 'No such group' } }],
    ['a status that the code does not have', { status: 400 }],
    ['a status that differs within', { body: { ...problem, status: 400 } }],
    ['a code that says it is retryable and is not', { body: { ...problem, retryable: false } }],
    ['a type of another code', { body: { ...problem, type: 'about:blank' } }],
    ['a key that is missing', { body: { ...problem, upstream: undefined } }],
    ['a key that is new', { body: { ...problem, stack: 'at …' } }],
    ['a fault without its fix', { body: { ...problem, errors: [{ pointer: '/a', message: 'is wrong' }] } }],
    ['a 429 that does not say when', { body: { ...problem, retryAfterSeconds: null } }],
    ['a 429 whose header differs', { headers: { 'retry-after': '8' } }],
    ['plain JSON as content type', { headers: { 'content-type': 'application/json' } }],
  ])('reports a problem with %s', (_what, change) => {
    expect(judgeProblem(change)).not.toEqual([]);
  });
});

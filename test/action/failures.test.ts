import { afterAll, beforeEach, describe, expect, test } from '@jest/globals';
import { action } from '../../shared/action/contract.ts';
import { writeReply } from '../../shared/action/schemas.ts';
import { Fault, type FaultCode, faultTable, isFault, toFault } from '../../shared/errors.ts';
import { startActions } from './actionHost.ts';

const codes = Object.keys(faultTable) as FaultCode[];
/** What the action throws next. */
let thrown: unknown;

const app = await startActions([
  action({
    name: 'fail',
    room: 'groups',
    method: 'POST',
    route: 'fail',
    summary: 'Throw what the test says',
    authLevel: 'function',
    writes: true,
    successes: { 200: 'Never' },
    reply: writeReply(['done'], {}),
    run: () => {
      throw thrown;
    },
  }),
]);
afterAll(() => app.close());

let linesBefore = 0;
beforeEach(() => {
  linesBefore = app.lines().length;
});
const newLines = () => app.lines().slice(linesBefore);
const fail = (error: unknown, headers: Record<string, string> = {}) => {
  thrown = error;
  return app.call('POST', 'fail', { headers });
};
const details = { detail: 'It happened.', fix: 'Mend it.' };

describe('a fault', () => {
  test('is told in full', async () => {
    const errors = [{ pointer: '/a', message: 'is wrong', fix: 'Mend it.' }];
    const fault = new Fault('throttled', {
      ...details,
      errors,
      upstream: 'exchange',
      upstreamRequestId: 'theirs',
      retryAfterSeconds: 17,
      cause: new Error('kept to ourselves'),
    });
    const { status, headers, body, text } = await fail(fault, { 'x-request-id': 'mine' });
    expect([status, headers.get('retry-after')]).toEqual([429, '17']);
    expect(body).toEqual({
      type: 'urn:okta-m365-actions:problem:throttled',
      title: 'The upstream asks to slow down',
      status: 429,
      detail: 'It happened.',
      code: 'throttled',
      retryable: true,
      fix: 'Mend it.',
      requestId: 'mine',
      upstream: 'exchange',
      upstreamRequestId: 'theirs',
      retryAfterSeconds: 17,
      errors,
    });
    expect(text).not.toContain('kept to ourselves');
  });

  test.each(codes)('%s is answered with its status, whether the caller is a flow or not', async (code) => {
    const { status } = faultTable[code];
    const plain = await fail(new Fault(code, details));
    expect([plain.status, plain.body?.code]).toEqual([status, code]);

    const flow = await fail(new Fault(code, details), { 'x-outcome-mode': 'flow', 'x-request-id': 'mine' });
    if ([403, 404, 409].includes(status)) {
      expect([flow.status, flow.body]).toEqual([
        200,
        {
          ok: false,
          outcome: 'refused',
          changed: false,
          code,
          message: 'It happened.',
          fix: 'Mend it.',
          errors: [],
          requestId: 'mine',
        },
      ]);
    } else {
      expect([flow.status, flow.body]).toEqual([status, { ...plain.body, requestId: 'mine' }]);
    }
    expect(newLines().filter(({ event }) => event === 'call')).toMatchObject([
      { status, code },
      { status, code },
    ]);
  });

  test.each([
    ['FLOW', 200],
    [' flow ', 200],
    ['flows', 404],
    ['', 404],
    ['true', 404],
  ])('with x-outcome-mode "%s" is a %i', async (mode, status) => {
    expect((await fail(new Fault('group_not_found', details), { 'x-outcome-mode': mode })).status).toBe(status);
  });

  test('that says later says when, and ten seconds where nobody knows', async () => {
    const { headers, body } = await fail(new Fault('no_mailbox', details));
    expect([headers.get('retry-after'), body?.retryAfterSeconds]).toEqual(['10', 10]);
  });

  test('that is no matter of time says nothing of it, though its upstream did', async () => {
    const { headers, body } = await fail(new Fault('upstream_failed', { ...details, retryAfterSeconds: 5 }));
    expect([headers.get('retry-after'), body?.retryAfterSeconds]).toEqual([null, null]);
  });

  test('of ours or of an upstream leaves its stack in the log, and that of its cause', async () => {
    const cause = new TypeError('fetch failed', { cause: new Error('ECONNRESET') });
    const { text } = await fail(new Fault('upstream_failed', { ...details, cause }));
    const [line] = newLines().filter(({ event }) => event === 'call');
    expect(line?.error).toMatch(/Fault: It happened\..*at .*TypeError: fetch failed.*at .*Error: ECONNRESET/);
    expect(text).not.toContain('ECONNRESET');
    expect(app.host.logs.at(-1)?.level).toBe('error');
  });
});

describe('what nobody expected', () => {
  const cyclic = new Error('round and round');
  cyclic.cause = new Error('and back', { cause: cyclic });

  test.each<[string, unknown, string]>([
    ['an error', new TypeError('undefined is not a function'), 'TypeError: undefined is not a function'],
    ['a text', 'a text', 'a text'],
    ['a number', 7, '7'],
    ['null', null, 'null'],
    ['an object', { reason: 'of its own' }, 'of its own'],
    ['an object that has no text', Object.create(null), 'null prototype'],
    ['an error that caused itself', cyclic, 'and back'],
    ['an error without a stack', Object.assign(new Error('bare'), { stack: undefined }), 'bare'],
  ])('is an internal_error when it is %s, with its words in the log alone', async (_what, error, words) => {
    const { status, body, text } = await fail(error);
    expect([status, body?.code, body?.retryable]).toEqual([500, 'internal_error', false]);
    const [line] = newLines().filter(({ event }) => event === 'call');
    expect(line).toMatchObject({ status: 500, code: 'internal_error' });
    expect(line?.error).toContain(words);
    expect(text).not.toContain('round and round');
    if (error instanceof Error) expect(text).not.toContain(error.message);
  });

  test('leaves its stack in the log, and none in the reply', async () => {
    const { text } = await fail(new RangeError('out of it'));
    const [line] = newLines().filter(({ event }) => event === 'call');
    expect(line?.error).toMatch(/RangeError: out of it at .*failures\.test\.ts/);
    expect(text).not.toMatch(/RangeError|failures\.test/);
  });

  test('leaves no secret in the log', async () => {
    await fail(new Error('Bearer opaque-token was refused', { cause: new Error('client_secret=abc123') }));
    expect(JSON.stringify(newLines())).toContain('[redacted]');
    expect(JSON.stringify(newLines())).not.toMatch(/opaque-token|abc123/);
  });

  test('is a problem, not a refusal, for a flow too', async () => {
    expect((await fail(new Error('any'), { 'x-outcome-mode': 'flow' })).status).toBe(500);
  });
});

describe('turning what was thrown into a fault', () => {
  test('leaves a fault as it is', () => {
    const fault = new Fault('throttled', details);
    expect(toFault(fault)).toBe(fault);
  });

  test('keeps anything else as the cause', () => {
    expect(toFault('text')).toMatchObject({ code: 'internal_error', cause: 'text' });
  });

  test('a fault is told by its code, or as one of any', () => {
    const fault = new Fault('throttled', details);
    expect([isFault(fault), isFault(fault, 'throttled'), isFault(fault, 'last_owner', 'throttled')]).toEqual([
      true,
      true,
      true,
    ]);
    expect([isFault(fault, 'last_owner'), isFault(new Error('throttled')), isFault(null)]).toEqual([
      false,
      false,
      false,
    ]);
  });
});

import { afterAll, beforeEach, describe, expect, test } from '@jest/globals';
import { Type } from '@sinclair/typebox';
import { action } from '../../shared/action/contract.ts';
import { readReply, writeReply } from '../../shared/action/schemas.ts';
import { Fault } from '../../shared/errors.ts';
import { createFakeClock } from '../support/fakeClock.ts';
import { startActions } from './actionHost.ts';

const uuid = /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;
const clock = createFakeClock();
const query = Type.Object({ fail: Type.Optional(Type.Boolean()) }, { additionalProperties: false });

const app = await startActions(
  [
    action({
      name: 'readIt',
      room: 'groups',
      method: 'GET',
      route: 'it',
      summary: 'Read it',
      authLevel: 'function',
      writes: false,
      query,
      successes: { 200: 'It' },
      reply: readReply({ seen: Type.String() }),
      run: ({ call, query: { fail } }) => {
        clock.advance(70);
        call.log.info({ event: 'work' });
        if (fail) throw new Fault('group_not_found', { detail: 'None.', fix: 'Look.' });
        return Promise.resolve({ seen: call.requestId });
      },
    }),
    action({
      name: 'writeIt',
      room: 'groups',
      method: 'POST',
      route: 'it',
      summary: 'Write it',
      authLevel: 'function',
      writes: true,
      successes: { 200: 'It was there', 201: 'It is there' },
      reply: writeReply(['created', 'already_exists'], {}),
      statusOf: ({ changed }) => (changed ? 201 : 200),
      run: ({ call }) => {
        call.warn('It is odd.');
        return Promise.resolve({ ok: true, outcome: 'created', changed: true, message: 'Done.' });
      },
    }),
  ],
  { clock },
);
afterAll(() => app.close());

let linesBefore = 0;
beforeEach(() => {
  linesBefore = app.lines().length;
});
const newLines = () => app.lines().slice(linesBefore);
const callLines = () => newLines().filter(({ event }) => event === 'call');

describe('the request id', () => {
  test.each(['a', '1', 'flow-run_42.7', 'A'.repeat(128)])(
    'is that of the caller when it is well formed: %s',
    async (id) => {
      const { headers, body } = await app.call('GET', 'it', { headers: { 'x-request-id': id } });
      expect([headers.get('x-request-id'), body?.requestId, body?.seen]).toEqual([id, id, id]);
      expect(callLines()).toMatchObject([{ requestId: id }]);
    },
  );

  test.each(['', 'a b', 'a,b', 'a"b', 'a{b}', '<a>', 'a/b', 'a=b', 'caf\u00e9', 'A'.repeat(129)])(
    'is a new one where the caller sends "%s"',
    async (id) => {
      const { headers, body } = await app.call('GET', 'it', { headers: { 'x-request-id': id } });
      expect(body?.requestId).toMatch(uuid);
      expect([headers.get('x-request-id'), body?.seen]).toEqual([body?.requestId, body?.requestId]);
      expect(callLines()).toMatchObject([{ requestId: body?.requestId }]);
    },
  );

  test('is a new one for each call without', async () => {
    const first = await app.call('GET', 'it');
    const second = await app.call('GET', 'it');
    expect(first.body?.requestId).toMatch(uuid);
    expect(second.body?.requestId).not.toBe(first.body?.requestId);
  });

  test('is in a problem as well', async () => {
    const options = { query: { fail: 'true' }, headers: { 'x-request-id': 'mine' } };
    const { status, headers, body } = await app.call('GET', 'it', options);
    expect([status, headers.get('x-request-id'), body?.requestId]).toEqual([404, 'mine', 'mine']);
  });
});

describe('the log of a call', () => {
  test('is one line, at the end, with all there is to count', async () => {
    await app.call('GET', 'it', { headers: { 'x-request-id': 'mine' } });
    expect(newLines()).toEqual([
      { event: 'work' },
      {
        event: 'call',
        action: 'readIt',
        requestId: 'mine',
        status: 200,
        outcome: null,
        code: null,
        dryRun: false,
        durationMs: 70,
      },
    ]);
  });

  test('says the outcome of a write', async () => {
    await app.call('POST', 'it');
    expect(callLines()).toMatchObject([{ action: 'writeIt', status: 201, outcome: 'created', dryRun: false }]);
  });

  test('says the code of a fault, and warns', async () => {
    await app.call('GET', 'it', { query: { fail: 'true' }, headers: { 'x-request-id': 'mine' } });
    expect(callLines()).toEqual([
      {
        event: 'call',
        action: 'readIt',
        requestId: 'mine',
        status: 404,
        outcome: null,
        code: 'group_not_found',
        dryRun: null,
        durationMs: 70,
      },
    ]);
    const levels = app.host.logs.filter(({ message }) => message.includes('"event":"call"')).map(({ level }) => level);
    expect([levels.at(-1), levels.at(0)]).toEqual(['warning', 'information']);
  });

  test('is written for what was refused before it began', async () => {
    await app.call('GET', 'it', { query: { what: 'x' } });
    expect(callLines()).toMatchObject([{ status: 400, code: 'invalid_request' }]);
  });

  test('holds flat values only, in one line each', () => {
    for (const line of app.lines()) {
      for (const value of Object.values(line)) expect(typeof value === 'object' && value !== null).toBe(false);
    }
    expect(app.host.logs.filter(({ category, message }) => category === 'user' && /[\r\n]/.test(message))).toEqual([]);
  });

  test('leaves no timer of the deadline behind, whatever the end', async () => {
    for (const options of [{}, { query: { fail: 'true' } }, { query: { what: 'x' } }]) {
      await app.call('GET', 'it', options);
      expect(clock.pending).toBe(0);
    }
  });
});

describe('a reply', () => {
  test('of a read has nothing of a write', async () => {
    const { body } = await app.call('GET', 'it', { headers: { 'x-request-id': 'mine' } });
    expect(body).toEqual({ seen: 'mine', requestId: 'mine' });
  });

  test('of a write says whether it was a dry run, and its warnings', async () => {
    const { status, body } = await app.call('POST', 'it', { headers: { 'x-request-id': 'mine' } });
    expect([status, body]).toEqual([
      201,
      {
        ok: true,
        outcome: 'created',
        changed: true,
        message: 'Done.',
        dryRun: false,
        warnings: ['It is odd.'],
        requestId: 'mine',
      },
    ]);
  });

  test('may not be kept and its type not be guessed, good or bad', async () => {
    for (const options of [{}, { query: { fail: 'true' } }]) {
      const { headers } = await app.call('GET', 'it', options);
      expect(headers.get('cache-control')).toBe('no-store');
      expect(headers.get('x-content-type-options')).toBe('nosniff');
    }
  });
});

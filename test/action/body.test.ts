import { HttpRequest } from '@azure/functions';
import { afterAll, describe, expect, test } from '@jest/globals';
import { Type } from '@sinclair/typebox';
import { readJsonBody } from '../../shared/action/body.ts';
import { action } from '../../shared/action/contract.ts';
import { readReply } from '../../shared/action/schemas.ts';
import type { CallOptions } from '../support/world.ts';
import { startActions } from './actionHost.ts';

const say = (name: string, bodyLimitBytes?: number) =>
  action({
    name,
    room: 'groups',
    method: 'POST',
    route: name,
    summary: 'Say the text',
    authLevel: 'function',
    writes: false,
    body: Type.Object({ text: Type.String() }, { additionalProperties: false }),
    ...(bodyLimitBytes !== undefined && { bodyLimitBytes }),
    successes: { 200: 'The text' },
    reply: readReply({ text: Type.String() }),
    run: ({ body }) => Promise.resolve({ text: body.text }),
  });

const app = await startActions([say('say'), say('sayLittle', 100)]);
afterAll(() => app.close());

const json = { 'content-type': 'application/json' };
const post = (options: CallOptions, name = 'say') => app.call('POST', name, options);
/** The text that makes the whole body so many bytes long. */
const textOf = (bytes: number) => 'x'.repeat(bytes - '{"text":""}'.length);

describe('the size of a body', () => {
  test('may be 1 MiB and not a byte more, unless the contract says otherwise', async () => {
    expect((await post({ body: { text: textOf(1_048_576) } })).status).toBe(200);
    const { status, body } = await post({ body: { text: textOf(1_048_577) } });
    expect([status, body?.code]).toEqual([413, 'body_too_large']);
    expect(body?.detail).toContain('1048576 bytes');
    expect((await post({ body: { text: textOf(100) } }, 'sayLittle')).status).toBe(200);
    expect((await post({ body: { text: textOf(101) } }, 'sayLittle')).status).toBe(413);
  });

  test('counts before its type and its content', async () => {
    expect((await post({ raw: 'x'.repeat(101), headers: { 'content-type': 'text/plain' } }, 'sayLittle')).status).toBe(
      413,
    );
  });

  test('counts in bytes, not in characters', async () => {
    expect((await post({ body: { text: 'ä'.repeat(50) } }, 'sayLittle')).status).toBe(413);
  });

  const request = (text: string, headers: Record<string, string>) =>
    new HttpRequest({
      method: 'POST',
      url: 'http://127.0.0.1/',
      headers: { ...json, ...headers },
      body: { string: text },
    });

  test('is believed when it is announced: nothing is read', async () => {
    const announced = request('{}', { 'content-length': '11' });
    await expect(readJsonBody(announced, 10)).rejects.toMatchObject({ code: 'body_too_large' });
    expect(announced.bodyUsed).toBe(false);
  });

  test.each([{}, { 'content-length': '2' }, { 'content-length': 'nonsense' }])(
    'is counted while it is read, when it was announced as %j',
    async (headers) => {
      const text = JSON.stringify({ text: textOf(30) });
      await expect(readJsonBody(request(text, headers), 29)).rejects.toMatchObject({ code: 'body_too_large' });
      await expect(readJsonBody(request(text, headers), 30)).resolves.toEqual({ text: textOf(30) });
    },
  );
});

describe('the type of a body', () => {
  test.each([
    'application/json',
    'Application/JSON',
    'application/json; charset=utf-8',
    'application/json;charset="UTF-8"',
    'application/json ; charset=utf8',
    'application/vnd.okta+json',
    'application/scim+json; charset=utf-8',
  ])('may be %s', async (type) => {
    const { status, body } = await post({ raw: '{"text":"ä"}', headers: { 'content-type': type } });
    expect([status, body?.text]).toEqual([200, 'ä']);
  });

  test.each([
    'text/plain',
    'text/json',
    'application/x-www-form-urlencoded',
    'application/json; charset=iso-8859-1',
    'application/jsonx',
    'application/xml+jsonx',
    'json',
  ])('may not be %s', async (type) => {
    const { status, body } = await post({ raw: '{"text":"a"}', headers: { 'content-type': type } });
    expect([status, body?.code]).toEqual([415, 'unsupported_media_type']);
    expect(body?.detail).toContain(`"${type}"`);
    expect(body?.fix).toContain('content-type: application/json');
  });

  test('has to be said', async () => {
    const { status, body } = await post({ raw: Buffer.from('{"text":"a"}') });
    expect([status, body?.detail]).toEqual([415, 'The body came as no stated type.']);
  });

  test('is told back in part, however long it is', async () => {
    const { body } = await post({ raw: '{}', headers: { 'content-type': `text/${'x'.repeat(500)}` } });
    expect(String(body?.detail).length).toBeLessThan(150);
  });
});

describe('a body that is no JSON', () => {
  test.each([
    ['is cut off', '{"text":"a"'],
    ['is a text', 'hello'],
    ['is two objects', '{"text":"a"}{}'],
    ['is a space', ' '],
    ['is not UTF-8', Buffer.from('{"text":"\xff"}', 'latin1')],
  ])('because it %s is a 400 that says so', async (_what, raw) => {
    const { status, body } = await post({ raw, headers: json });
    expect([status, body?.code]).toEqual([400, 'invalid_json']);
    expect(body?.detail).toMatch(/^The body cannot be parsed: ./);
  });

  test('but for its byte order mark is taken', async () => {
    const { body } = await post({ raw: Buffer.from('\ufeff{"text":"a"}'), headers: json });
    expect(body?.text).toBe('a');
  });

  test('because it is empty is a 400 that says so', async () => {
    for (const headers of [json, {}]) {
      const { status, body } = await post({ headers });
      expect([status, body?.code, body?.detail]).toEqual([400, 'invalid_json', 'The body is empty.']);
    }
  });

  test('because the host dropped its chunks is a 400 that names the cure', async () => {
    const chunks = new ReadableStream<Uint8Array>({
      start: (controller) => {
        controller.enqueue(Buffer.from('{"text":"a"}'));
        controller.close();
      },
    });
    const { status, body } = await post({ raw: chunks, headers: json });
    expect([status, body?.code]).toEqual([400, 'invalid_json']);
    expect(body?.detail).toContain('chunks');
    expect(body?.fix).toContain('Content-Length');
  });
});

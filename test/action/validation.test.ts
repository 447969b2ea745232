import { afterAll, describe, expect, test } from '@jest/globals';
import { Type } from '@sinclair/typebox';
import fc from 'fast-check';
import { action } from '../../shared/action/contract.ts';
import { memberList, readReply } from '../../shared/action/schemas.ts';
import { splitTextLists } from '../../shared/action/textLists.ts';
import type { Answer } from '../support/world.ts';
import { startActions, startAlone } from './actionHost.ts';

interface FieldFault {
  pointer: string;
  message: string;
  fix: string;
}

const app = await startAlone();
const echo = await startActions([
  action({
    name: 'echo',
    room: 'groups',
    method: 'POST',
    route: 'echo/{id}',
    summary: 'Say what came',
    authLevel: 'function',
    writes: false,
    params: Type.Object({ id: Type.String({ maxLength: 5 }) }, { additionalProperties: false }),
    query: Type.Object(
      {
        limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 9, description: 'a number from 1 to 9' })),
        deep: Type.Optional(Type.Boolean()),
      },
      { additionalProperties: false },
    ),
    body: Type.Object(
      {
        members: Type.Optional(memberList({ minItems: 1, maxItems: 3, description: 'one to three members' })),
        note: Type.Optional(Type.String()),
        must: Type.Optional(Type.Object({ be: Type.Null() }, { additionalProperties: false })),
        code: Type.Optional(Type.String({ pattern: '^[a-z]+$' })),
        inner: Type.Optional(Type.Object({ 'a/b~c': Type.Integer() }, { additionalProperties: false })),
      },
      { additionalProperties: false },
    ),
    successes: { 200: 'What came' },
    reply: readReply({ seen: Type.String() }),
    run: ({ params, query, body }) => Promise.resolve({ seen: JSON.stringify({ params, query, body }) }),
  }),
]);
afterAll(() => Promise.all([app.close(), echo.close()]));

function faultsOf({ status, body }: Answer): FieldFault[] {
  expect([status, body?.code]).toEqual([400, 'invalid_request']);
  return body?.errors as FieldFault[];
}
const pointersOf = (answer: Answer) => faultsOf(answer).map(({ pointer }) => pointer);
const send = async (body: unknown, path = 'echo/one', query = {}) => await echo.call('POST', path, { body, query });
async function seen(answer: Promise<Answer>): Promise<unknown> {
  const { status, body, text } = await answer;
  if (status !== 200) throw new Error(text);
  return JSON.parse(String(body?.seen));
}

describe('the faults of a body', () => {
  test('are all listed, each once, with its pointer, its rule and its fix', async () => {
    const body = {
      kind: 'dynamicDistribution',
      alias: 'has a space',
      owners: [],
      hideFromAddressLists: 'yes',
      'odd/na~me': 1,
    };
    const answer = await app.call('POST', 'groups', { body: { ...body, displayName: 'Sales' } });
    const faults = faultsOf(answer);
    expect(faults).toHaveLength(5);
    expect(faults).toEqual(
      expect.arrayContaining([
        {
          pointer: '/kind',
          message: 'must be one of mailEnabledSecurity, distributionList, security, microsoft365',
          fix: 'Use one of: mailEnabledSecurity, distributionList, security, microsoft365.',
        },
        {
          pointer: '/alias',
          message: expect.stringContaining('must be an alias'),
          fix: expect.stringContaining('Give an alias of up to 64 letters'),
        },
        {
          pointer: '/owners',
          message: 'must NOT have fewer than 1 items',
          fix: 'Give at least one owner.',
        },
        {
          pointer: '/hideFromAddressLists',
          message: 'must be boolean',
          fix: 'Give true to hide it from the address lists.',
        },
        {
          pointer: '/odd~1na~0me',
          message: 'is not a known field',
          fix: expect.stringMatching(/^Remove it, or use one of: kind, displayName, .*dryRun\.$/),
        },
      ]),
    );
    expect(answer.body?.detail).toMatch(/^5 faults: /);
    for (const { pointer, message } of faults) expect(answer.body?.detail).toContain(`${pointer} ${message}`);
    expect(answer.body?.fix).toBe('Mend every field listed under errors.');
  });

  test('are those of what is missing as well', async () => {
    expect(faultsOf(await app.call('POST', 'groups', { body: {} }))).toEqual([
      { pointer: '/kind', message: 'is required', fix: expect.stringMatching(/^Add kind: mailEnabledSecurity, dis/) },
      { pointer: '/displayName', message: 'is required', fix: expect.stringMatching(/^Add displayName: the name/) },
      { pointer: '/owners', message: 'is required', fix: 'Add owners: at least one owner.' },
    ]);
  });

  test('are one where one value is wrong in type', async () => {
    const body = { kind: 5, displayName: 'Sales', owners: ['a@contoso.com'] };
    expect(pointersOf(await app.call('POST', 'groups', { body }))).toEqual(['/kind']);
    expect(pointersOf(await send({ code: 5 }))).toEqual(['/code']);
    expect(pointersOf(await send({ members: { 0: 'a@contoso.com' } }))).toEqual(['/members']);
  });

  test('when there is but one, it is the fix of the whole', async () => {
    const { body } = await send({ note: 5 });
    expect(body).toMatchObject({ detail: 'One fault: /note must be string.', fix: 'Mend the value.' });
  });

  test('say what they can where the schema has no words', async () => {
    expect(faultsOf(await send({ code: '5', must: {} }))).toEqual([
      { pointer: '/must/be', message: 'is required', fix: 'Add be.' },
      { pointer: '/code', message: 'must match pattern "^[a-z]+$"', fix: 'Mend the value.' },
    ]);
  });

  test('have a pointer that is escaped and goes as deep as they are', async () => {
    const found = pointersOf(await send({ inner: { 'a/b~c': 'x', '~/': 1 }, members: ['a@b.de', 'nobody', 7] }));
    expect(found.sort()).toEqual(['/inner/a~1b~0c', '/inner/~0~1', '/members/1', '/members/2']);
  });

  test.each([[[]], ['text'], [7], [null], [true]])('are one when it is %j', async (body) => {
    const answer = await send(body);
    expect(pointersOf(answer)).toEqual(['']);
    expect(answer.body?.detail).toBe('One fault: the body must be object.');
  });

  test.each(['__proto__', 'constructor', 'toString'])('are found in the field "%s"', async (name) => {
    const raw = `{"${name}": {"members": 1}}`;
    const answer = await echo.call('POST', 'echo/one', { raw, headers: { 'content-type': 'application/json' } });
    expect(pointersOf(answer)).toEqual([`/${name}`]);
  });

  test('a field is never turned into the type it should have', async () => {
    expect(pointersOf(await send({ note: 5, inner: { 'a/b~c': '5' } }))).toEqual(['/note', '/inner/a~1b~0c']);
  });
});

describe('path and query', () => {
  test('are checked with the body, and all faults told together', async () => {
    const answer = await send({ note: 5 }, 'echo/too-long', { limit: '0', what: 'x' });
    expect(pointersOf(answer)).toEqual(['/params/id', '/query/what', '/query/limit', '/note']);
    const faults = faultsOf(answer);
    expect(faults[1]).toEqual({
      pointer: '/query/what',
      message: 'is not a known field',
      fix: 'Remove it, or use one of: limit, deep.',
    });
    expect(faults[2]).toEqual({ pointer: '/query/limit', message: 'must be >= 1', fix: 'Give a number from 1 to 9.' });
  });

  test.each([
    ['limit', '0'],
    ['limit', '1000'],
    ['limit', '1.5'],
    ['limit', 'ten'],
    ['limit', ''],
    ['limit', '1,2'],
    ['cursor', ''],
    ['unknown', 'x'],
  ])('of listMembers may not be ?%s=%s', async (name, value) => {
    const answer = await app.call('GET', 'groups/any/members', { query: { [name]: value } });
    expect(pointersOf(answer)).toEqual([`/query/${name}`]);
  });

  test('of deleteGroup want a confirmation', async () => {
    const answer = await app.call('DELETE', 'groups/any');
    expect(faultsOf(answer)).toEqual([
      { pointer: '/query/confirm', message: 'is required', fix: expect.stringContaining('Add confirm: the group') },
    ]);
    expect(pointersOf(await app.call('DELETE', 'groups/any', { query: { confirm: '' } }))).toEqual(['/query/confirm']);
  });

  test('are turned into numbers and flags', async () => {
    expect(await seen(send({}, 'echo/7', { limit: '7', deep: 'true' }))).toEqual({
      params: { id: '7' },
      query: { limit: 7, deep: true },
      body: {},
    });
    expect(await seen(send({}, 'echo/7', { deep: 'false' }))).toMatchObject({ query: { deep: false } });
    expect(pointersOf(await send({}, 'echo/7', { deep: 'yes' }))).toEqual(['/query/deep']);
  });

  test('take an action without any, and refuse what it does not know', async () => {
    const answer = await app.call('GET', 'connection', { query: { verbose: '1' } });
    expect(faultsOf(answer)).toEqual([
      { pointer: '/query/verbose', message: 'is not a known field', fix: 'Remove it.' },
    ]);
  });

  test.each(['code', 'Code', 'CODE'])('take the key as ?%s=, and the name of its client', async (name) => {
    // The host's query does not mind the case (ASP.NET Core's QueryCollection), so that ours must not either.
    const query = { [name]: echo.host.functionKey, clientId: 'default', limit: '2' };
    expect(await seen(echo.call('POST', 'echo/one', { body: {}, query }))).toMatchObject({ query: { limit: 2 } });
  });

  test('open the door by ?code= alone, and do not hand it on', async () => {
    const query = { code: echo.host.functionKey };
    const answer = echo.call('POST', 'echo/one', { key: null, body: {}, query });
    expect(await seen(answer)).toMatchObject({ query: {} });
    expect((await echo.call('POST', 'echo/one', { key: null, body: {}, query: { code: 'x' } })).status).toBe(401);
  });
});

describe('members as text', () => {
  const three = ['a@contoso.com', 'b@contoso.com', 'c@contoso.com'];

  test.each([
    ['commas', 'a@contoso.com,b@contoso.com, c@contoso.com'],
    ['lines', 'a@contoso.com\nb@contoso.com\r\nc@contoso.com\n'],
    ['both and semicolons', ' a@contoso.com,\n; b@contoso.com ;c@contoso.com,,'],
  ])('are separated by %s', async (_what, members) => {
    expect(await seen(send({ members }))).toMatchObject({ body: { members: three } });
  });

  test('may be a list just as well', async () => {
    expect(await seen(send({ members: three }))).toMatchObject({ body: { members: three } });
  });

  test('are counted and checked one by one', async () => {
    expect(pointersOf(await send({ members: 'a@contoso.com, nobody\nc@contoso.com' }))).toEqual(['/members/1']);
    expect(pointersOf(await send({ members: ' ,\n' }))).toEqual(['/members']);
    expect(pointersOf(await send({ members: 'a@b.de,b@b.de,c@b.de,d@b.de' }))).toEqual(['/members']);
  });

  test('and no other text is split', async () => {
    expect(await seen(send({ note: 'a, b\nc' }))).toMatchObject({ body: { note: 'a, b\nc' } });
  });

  test('however they are separated, are the same members, and other values are left alone', () => {
    const schema = Type.Object({ members: memberList({ minItems: 0, maxItems: 9, description: 'x' }) });
    const member = fc.stringMatching(/^[^\s,;]+$/);
    const separator = fc.stringMatching(/^[ \t]*[,;\r\n][,;\r\n \t]*$/);
    fc.assert(
      fc.property(fc.array(member), separator, fc.jsonValue(), (members, between, other) => {
        expect(splitTextLists(schema, { members: members.join(between), other })).toEqual({ members, other });
        expect(splitTextLists(schema, { members })).toEqual({ members });
        if (typeof other !== 'object' || other === null || Array.isArray(other)) {
          expect(splitTextLists(schema, other)).toEqual(other);
        }
      }),
    );
  });
});

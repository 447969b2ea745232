import { app, type HttpFunctionOptions, type HttpHandler } from '@azure/functions';
import { afterEach, describe, expect, test } from '@jest/globals';
import { EventEmitter, once } from 'node:events';
import { type ClientRequest, request as httpRequest } from 'node:http';
import { text } from 'node:stream/consumers';
import { startLocalHost, type LocalHost, type LocalHostOptions } from '../../local/host/host.ts';

const hosts: LocalHost[] = [];

async function startWith(load: () => void, options: Partial<LocalHostOptions> = {}): Promise<LocalHost> {
  const host = await startLocalHost({ load: () => Promise.resolve().then(load), ...options });
  hosts.push(host);
  return host;
}

function startOne(handler: HttpHandler, options: Partial<HttpFunctionOptions> = {}): Promise<LocalHost> {
  return startWith(() => app.http('one', { authLevel: 'anonymous', handler, ...options }));
}

afterEach(async () => {
  await Promise.all(hosts.splice(0).map((host) => host.close()));
});

const replyWith =
  (name: string): HttpHandler =>
  ({ params }) => ({ jsonBody: { name, params } });

describe('routes', () => {
  test('a literal segment wins over a parameter, whatever was registered first', async () => {
    const host = await startWith(() => {
      app.http('byParameter', { authLevel: 'anonymous', route: 'groups/{group}', handler: replyWith('byParameter') });
      app.http('byLiteral', { authLevel: 'anonymous', route: 'groups/all', handler: replyWith('byLiteral') });
    });
    expect(await (await fetch(`${host.url}/api/groups/all`)).json()).toEqual({ name: 'byLiteral', params: {} });
    expect(await (await fetch(`${host.url}/api/groups/any`)).json()).toEqual({
      name: 'byParameter',
      params: { group: 'any' },
    });
  });

  test('a literal that lacks the method leaves the call to the parameter that has it', async () => {
    const host = await startWith(() => {
      app.get('literal', { authLevel: 'anonymous', route: 'groups/all', handler: replyWith('literal') });
      app.deleteRequest('parameter', { authLevel: 'anonymous', route: 'groups/{g}', handler: replyWith('parameter') });
    });
    const response = await fetch(`${host.url}/api/groups/all`, { method: 'DELETE' });
    expect(await response.json()).toMatchObject({ name: 'parameter' });
  });

  test.each([
    ['a%20b%40c.de', 'a b@c.de'],
    ['a%2540b', 'a%40b'],
    ['a%2Fb', 'a%2Fb'],
    ['%C3%A4%2f%ff', 'ä%2f%ff'],
    ['a+b', 'a+b'],
  ])('the parameter %s reaches the function as %s', async (sent, seen) => {
    const host = await startOne(replyWith('one'), { route: 'groups/{group}/members' });
    const response = await fetch(`${host.url}/api/groups/${sent}/members`);
    expect(await response.json()).toMatchObject({ params: { group: seen } });
  });

  test('case does not matter in a route, and a trailing slash neither', async () => {
    const host = await startOne(replyWith('one'), { route: 'groups/{group}' });
    const response = await fetch(`${host.url}/API/Groups/Sales/`);
    expect(await response.json()).toMatchObject({ params: { group: 'Sales' } });
  });

  test('a rest parameter takes every segment that is left', async () => {
    const host = await startOne(replyWith('one'), { route: 'docs/{*file}' });
    const response = await fetch(`${host.url}/api/docs/assets/style.css`);
    expect(await response.json()).toMatchObject({ params: { file: 'assets/style.css' } });
  });

  test.each([
    ['an unknown route', 'GET', '/api/nothing'],
    ['a route without its prefix', 'GET', '/groups/x'],
    ['a route with a segment too many', 'GET', '/api/groups/x/y'],
    ['a route with an empty parameter', 'GET', '/api/groups//'],
    ['a method the route does not have', 'DELETE', '/api/groups/x'],
  ])('%s is an empty 404', async (_what, method, path) => {
    const host = await startOne(replyWith('one'), { route: 'groups/{group}', methods: ['GET'] });
    const response = await fetch(`${host.url}${path}`, { method });
    expect([response.status, await response.text()]).toEqual([404, '']);
  });

  test('a template that would be matched differently in Azure is refused at start', async () => {
    await expect(startOne(replyWith('one'), { route: 'groups/{group:guid}' })).rejects.toThrow('{group:guid}');
  });
});

describe('keys', () => {
  const start = (authLevel: 'anonymous' | 'function' | 'admin') => startOne(() => ({ body: 'in' }), { authLevel });
  const call = async (host: LocalHost, { header, code }: { header?: string; code?: string }) => {
    const query = code === undefined ? '' : `?code=${encodeURIComponent(code)}`;
    const response = await fetch(
      `${host.url}/api/one${query}`,
      header ? { headers: { 'x-functions-key': header } } : {},
    );
    return [response.status, await response.text()];
  };

  test('a function wants its key, in the header or as code', async () => {
    const host = await start('function');
    expect(await call(host, {})).toEqual([401, '']);
    expect(await call(host, { header: 'wrong' })).toEqual([401, '']);
    expect(await call(host, { code: 'wrong' })).toEqual([401, '']);
    expect(await call(host, { header: host.functionKey })).toEqual([200, 'in']);
    expect(await call(host, { code: host.functionKey })).toEqual([200, 'in']);
  });

  test('a wrong key in the header is not saved by a right code', async () => {
    const host = await start('function');
    expect(await call(host, { header: 'wrong', code: host.functionKey })).toEqual([401, '']);
  });

  test('the master key opens a function, and it alone opens an admin function', async () => {
    const forFunction = await start('function');
    expect(await call(forFunction, { header: forFunction.masterKey })).toEqual([200, 'in']);
    const forAdmin = await start('admin');
    expect(await call(forAdmin, { header: forAdmin.functionKey })).toEqual([401, '']);
    expect(await call(forAdmin, { header: forAdmin.masterKey })).toEqual([200, 'in']);
  });

  test('an anonymous function wants none', async () => {
    expect(await call(await start('anonymous'), {})).toEqual([200, 'in']);
  });

  test('the function is not run for a caller without its key', async () => {
    let calls = 0;
    const host = await startOne(
      () => {
        calls++;
        return {};
      },
      { authLevel: 'function' },
    );
    await fetch(`${host.url}/api/one`, { method: 'POST', body: '{}' });
    expect(calls).toBe(0);
  });
});

describe('what a function sees', () => {
  const echo: HttpHandler = async (request, context) => ({
    jsonBody: {
      method: request.method,
      url: request.url,
      query: Object.fromEntries(request.query),
      header: request.headers.get('x-thing'),
      body: await request.text(),
      trace: context.traceContext?.traceParent,
    },
  });

  test('method, url, headers and body are those of the caller', async () => {
    const host = await startOne(echo);
    const response = await fetch(`${host.url}/api/one?a=b%20c`, {
      method: 'POST',
      headers: { 'x-thing': 'value' },
      body: '{"ä":1}',
    });
    expect(await response.json()).toMatchObject({
      method: 'POST',
      url: `${host.url}/api/one?a=b%20c`,
      query: { a: 'b c' },
      header: 'value',
      body: '{"ä":1}',
    });
  });

  test('a repeated query key is joined by commas, and its case does not matter', async () => {
    const host = await startOne(echo);
    const response = await fetch(`${host.url}/api/one?a=1&A=2&b=`);
    expect(await response.json()).toMatchObject({ query: { a: '1,2', b: '' } });
  });

  test('a chunked body arrives empty', async () => {
    const host = await startOne(echo);
    const body = await send(`${host.url}/api/one`, (outgoing) => {
      outgoing.write('{"a":');
      outgoing.end('1}');
    });
    expect(JSON.parse(body.text)).toMatchObject({ body: '' });
  });

  test('a body above 100 MB is refused before it is read', async () => {
    const host = await startOne(echo);
    const answer = await send(
      `${host.url}/api/one`,
      (outgoing) => {
        outgoing.flushHeaders();
      },
      { 'content-length': String(100 * 1024 * 1024 + 1) },
    );
    expect(answer).toEqual({ status: 413, text: '' });
  });

  test("a caller's trace goes on, and one begins where there is none", async () => {
    const host = await startOne(echo);
    const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';
    const given = await fetch(`${host.url}/api/one`, { headers: { traceparent } });
    expect(await given.json()).toMatchObject({ trace: traceparent });
    const begun = (await (await fetch(`${host.url}/api/one`)).json()) as { trace: string };
    expect(begun.trace).toMatch(/^00-[0-9a-f]{32}-[0-9a-f]{16}-00$/);
  });
});

describe('what the caller sees', () => {
  test.each<[string, HttpHandler]>([
    [
      'a thrown error',
      () => {
        throw new Error('the cause');
      },
    ],
    ['a string as result', (() => 'the cause') as unknown as HttpHandler],
    ['a status that is none', () => ({ status: 600, body: 'the cause' })],
  ])('%s is an empty 500, and the host logs why', async (_what, handler) => {
    const host = await startOne(handler);
    const response = await fetch(`${host.url}/api/one`);
    expect([response.status, await response.text()]).toEqual([500, '']);
    expect(host.logs).toContainEqual(
      expect.objectContaining({ category: 'host', level: 'error', functionName: 'one' }),
    );
  });

  test('nothing as result is an empty 200', async () => {
    const host = await startOne((() => undefined) as unknown as HttpHandler);
    const response = await fetch(`${host.url}/api/one`);
    expect([response.status, await response.text()]).toEqual([200, '']);
  });

  test('status, headers, cookies and body are those of the result', async () => {
    const host = await startOne(() => ({
      status: 201,
      headers: { location: '/there', 'x-thing': 'value' },
      cookies: [{ name: 'a', value: 'b c', httpOnly: true, sameSite: 'Strict', maxAge: 0 }],
      jsonBody: { made: true },
    }));
    const response = await fetch(`${host.url}/api/one`);
    expect(response.status).toBe(201);
    expect(Object.fromEntries(response.headers)).toMatchObject({
      location: '/there',
      'x-thing': 'value',
      'content-type': 'application/json',
      'set-cookie': 'a=b%20c; max-age=0; path=/; samesite=strict; httponly',
    });
    expect(await response.json()).toEqual({ made: true });
  });

  test.each([204, 304])('%d has no body, whatever the function gave', async (status) => {
    const host = await startOne(() => ({ status, body: 'text' }));
    const response = await fetch(`${host.url}/api/one`);
    expect([response.status, await response.text()]).toEqual([status, '']);
  });
});

describe('the host', () => {
  test('two hosts at once have their own functions', async () => {
    const [first, second] = await Promise.all([
      startWith(() => app.http('same', { authLevel: 'anonymous', handler: () => ({ body: 'first' }) })),
      startWith(() => app.http('same', { authLevel: 'anonymous', handler: () => ({ body: 'second' }) })),
    ]);
    expect(await (await fetch(`${first.url}/api/same`)).text()).toBe('first');
    expect(await (await fetch(`${second.url}/api/same`)).text()).toBe('second');
  });

  test('lists every function with its trigger, those too that are no HTTP', async () => {
    const host = await startWith(() => {
      app.http('web', { authLevel: 'function', methods: ['PUT'], route: 'a/{b}', handler: () => ({}) });
      app.storageQueue('queue', { queueName: 'work', connection: 'AzureWebJobsStorage', handler: () => undefined });
      app.timer('timer', { schedule: '0 0 * * * *', handler: () => undefined });
    });
    expect(host.functions.map(({ name, trigger }) => ({ name, trigger }))).toEqual([
      { name: 'web', trigger: expect.objectContaining({ authLevel: 'function', methods: ['PUT'], route: 'a/{b}' }) },
      { name: 'queue', trigger: expect.objectContaining({ type: 'queueTrigger', queueName: 'work' }) },
      { name: 'timer', trigger: expect.objectContaining({ type: 'timerTrigger', schedule: '0 0 * * * *' }) },
    ]);
  });

  test('log lines carry their level, function and invocation', async () => {
    const seen: unknown[] = [];
    const host = await startWith(
      () =>
        app.http('talks', {
          authLevel: 'anonymous',
          handler: (_request, context) => {
            context.warn('about', { a: 1 });
            return { body: context.invocationId };
          },
        }),
      { log: (entry) => seen.push(entry) },
    );
    const invocationId = await (await fetch(`${host.url}/api/talks`)).text();
    const line = expect.objectContaining({
      level: 'warning',
      category: 'user',
      functionName: 'talks',
      invocationId,
      message: 'about { a: 1 }',
    });
    expect(seen).toContainEqual(line);
    expect(host.logs).toContainEqual(line);
  });

  test('hooks run around an invocation and may change its result', async () => {
    const order: string[] = [];
    const host = await startWith(() => {
      app.hook.appStart(() => void order.push('start'));
      app.hook.appTerminate(() => void order.push('terminate'));
      app.hook.preInvocation(() => void order.push('pre'));
      app.hook.postInvocation((context) => {
        order.push('post');
        context.result = { body: 'changed' };
      });
      app.http('one', {
        authLevel: 'anonymous',
        handler: () => {
          order.push('run');
          return { body: 'own' };
        },
      });
    });
    expect(await (await fetch(`${host.url}/api/one`)).text()).toBe('changed');
    await hosts.splice(0)[0]?.close();
    expect(order).toEqual(['start', 'pre', 'run', 'post', 'terminate']);
  });

  test('a call under way is answered before the host closes', async () => {
    const signals = new EventEmitter();
    const begun = once(signals, 'begun');
    const host = await startOne(async () => {
      signals.emit('begun');
      await once(signals, 'finish');
      return { body: 'answered' };
    });
    const answer = fetch(`${host.url}/api/one`).then((response) => response.text());
    await begun;
    const closed = host.close();
    signals.emit('finish');
    expect(await answer).toBe('answered');
    await closed;
    await expect(fetch(`${host.url}/api/one`)).rejects.toThrow();
  });

  test('a taken port is an error that says what to do', async () => {
    const first = await startOne(replyWith('one'));
    const port = Number(new URL(first.url).port);
    await expect(startWith(() => undefined, { port })).rejects.toThrow(/Port \d+ .*is taken.*--port 0/);
  });
});

function send(
  url: string,
  write: (outgoing: ClientRequest) => void,
  headers: Record<string, string> = {},
): Promise<{ status: number | undefined; text: string }> {
  return new Promise((resolve, reject) => {
    const outgoing = httpRequest(url, { method: 'POST', headers }, (response) => {
      void text(response).then((body) => {
        resolve({ status: response.statusCode, text: body });
        outgoing.destroy();
      }, reject);
    });
    outgoing.on('error', reject);
    write(outgoing);
  });
}

import { app } from '@azure/functions';
import { describe, expect, test } from '@jest/globals';
import { createSink, loadInto } from '../../local/host/appState.ts';
import core from '../../local/host/functionsCore.cjs';

const handler = () => ({});
const load = (register: () => unknown) => {
  const sink = createSink(() => undefined);
  return loadInto(sink, () => Promise.resolve().then(register)).then(() => sink);
};

describe('what stands in for @azure/functions-core', () => {
  test.each(['host', '1st', 'with space', 'a'.repeat(129), ''])('refuses the function name "%s"', async (name) => {
    await expect(load(() => app.http(name, { handler }))).rejects.toThrow('is not a valid function name');
  });

  test.each(['A', 'a-b_c1', 'a'.repeat(128), 'hostess'])('takes the function name "%s"', async (name) => {
    const sink = await load(() => app.http(name, { handler }));
    expect([...sink.functions.keys()]).toEqual([name]);
  });

  test('refuses a binding name that the host would refuse', async () => {
    const trigger = { name: 'not_valid', type: 'httpTrigger' };
    await expect(load(() => app.generic('named', { trigger, handler }))).rejects.toThrow('not_valid is invalid');
  });

  test('refuses a function id that is registered already', async () => {
    await expect(
      load(() => {
        app.http('twice', { route: 'a', handler });
        app.http('twice', { route: 'b', handler });
      }),
    ).rejects.toThrow('A function with id "twice" has already been registered.');
  });

  test('refuses a function outside of an app start', () => {
    expect(() => app.http('late', { handler })).toThrow('only be registered during app startup');
    expect(() => app.hook.appStart(() => undefined)).toThrow('only be registered during app startup');
  });

  test('a failed start leaves the way free for the next', async () => {
    await expect(load(() => app.http('host', { handler }))).rejects.toThrow();
    expect((await load(() => app.http('good', { handler }))).functions.has('good')).toBe(true);
  });

  test('a registration can be taken back while the app starts, and not later', async () => {
    const metadata = { name: 'gone', bindings: {} };
    const sink = await load(() => core.registerFunction(metadata, handler).dispose());
    expect(sink.functions.size).toBe(0);
    let late = { dispose: (): unknown => undefined };
    await load(() => (late = core.registerFunction(metadata, handler)));
    expect(() => late.dispose()).toThrow('only be disposed during app startup');
  });

  test('has no log hook, which needs a newer worker', async () => {
    await expect(load(() => app.hook.log(() => undefined))).rejects.toThrow('Log hooks require');
  });

  test('hands back the programming model that @azure/functions set', async () => {
    await load(() => app.http('any', { handler }));
    expect(core.getProgrammingModel()?.name).toBe('@azure/functions');
  });

  test('logs to the app that starts', async () => {
    const lines: unknown[] = [];
    const sink = createSink((...line) => lines.push(line));
    await loadInto(sink, () => {
      core.log('warning', 'system', 'said');
      return Promise.resolve();
    });
    expect(lines).toEqual([['warning', 'system', 'said']]);
  });
});

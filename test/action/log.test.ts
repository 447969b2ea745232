import { expect, test } from '@jest/globals';
import { createLog } from '../../shared/action/log.ts';

interface Line {
  level: string;
  text: unknown;
}

function listeningLog() {
  const lines: Line[] = [];
  const into =
    (level: string) =>
    (text: unknown): void => {
      lines.push({ level, text });
    };
  return { lines, log: createLog({ info: into('info'), warn: into('warn'), error: into('error') }) };
}

test('each line is one JSON object at its own level', () => {
  const { lines, log } = listeningLog();
  log.info({ event: 'a', count: 1 });
  log.warn({ event: 'b', said: 'two\nlines' });
  log.error({ event: 'c', code: null });
  expect(lines).toEqual([
    { level: 'info', text: '{"event":"a","count":1}' },
    { level: 'warn', text: '{"event":"b","said":"two\\nlines"}' },
    // Without a cause there is nothing to tell of one.
    { level: 'error', text: '{"event":"c","code":null}' },
  ]);
});

test('an error has its stack beside it, and that of what caused it, without secrets', () => {
  const { lines, log } = listeningLog();
  log.error({ event: 'x' }, new Error('outer', { cause: new TypeError('sent Bearer abc.def to it') }));
  const line = JSON.parse(String(lines[0]?.text)) as { event: string; error: string };
  expect(line.event).toBe('x');
  expect(line.error).toMatch(/^Error: outer at .* caused by TypeError: sent Bearer \[redacted\] to it at /);
});

test('what was thrown and is no error is told as it is', () => {
  const { lines, log } = listeningLog();
  log.error({ event: 'x' }, { code: 'E1', inner: { deep: { deeper: 1 } } });
  expect(JSON.parse(String(lines[0]?.text))).toEqual({
    event: 'x',
    error: expect.stringMatching(/^\{ code: 'E1', inner: .*\}$/),
  });
});

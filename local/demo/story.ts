import { setTimeout as delay } from 'node:timers/promises';
import type { Everything } from '../everything.ts';
import { describeCalls, isRead, type JournalRow, rowsOf, rowsShown, textOf } from './words.ts';

export interface Reply {
  readonly status: number;
  readonly body: Readonly<Record<string, unknown>>;
}

export interface Step {
  /** What happens, as a sentence. */
  readonly title: string;
  readonly method: string;
  /** Below `/api/`. */
  readonly path: string;
  readonly body?: object;
  /** In place of a body that is too long to be read. */
  readonly shown?: object;
  /** The status and the fields that the reply must have. */
  readonly expected: { readonly status: number } & Readonly<Record<string, unknown>>;
}

export interface Happening {
  /** What happens, as a sentence. */
  readonly title: string;
  /** Where, and how the simulator is told of it. */
  readonly shown: string;
  readonly cause: () => Promise<unknown>;
  /** What must come of it, as a sentence. */
  readonly sentence: string;
  readonly actual: () => Promise<unknown>;
  readonly expected: unknown;
}

/** Tells a scene step by step, and stops it with an error as soon as reality differs from what is said. */
export interface Story {
  say(sentence: string): void;
  play(step: Step): Promise<Reply>;
  /** Something that must be so in the tenant itself, whatever our own replies say. */
  check(sentence: string, actual: unknown, expected: unknown): void;
  /** Something that happens outside, and what must come of it; told with the time in between. */
  happen(happening: Happening): Promise<void>;
  /** What the app says to a GET below `/api/`, untold. */
  read(path: string): Promise<Reply['body']>;
  /** Has a timer of the app fire now. */
  fire(timer: string): Promise<void>;
  /** The simulated tenant, past our own code. */
  tenant(): Promise<Tenant>;
  /** Puts many people or groups into the tenant at once (docs/simulator.md). */
  seed(many: object): Promise<void>;
  /** The cmdlets with which Exchange was written to, one entry a call; a `$batch` has one for each part. */
  cmdletWrites(): Promise<string[]>;
  /** The control of the simulator, below `/_sim/`. @returns what it answers; null: nothing */
  control(method: string, path: string, body?: object): Promise<unknown>;
}

/** Far more than anything here takes, on a machine that does something else as well. */
const patienceMs = 60_000;
const lookEveryMs = 50;

interface Tenant {
  readonly groups: readonly {
    readonly id: string;
    readonly displayName: string;
    readonly mail: string | null;
    readonly members: readonly string[];
  }[];
  readonly users: readonly { readonly id: string; readonly userPrincipalName: string }[];
}

export function createStory({ api, key, masterKey, simulator }: Everything, print: (line: string) => void): Story {
  if (simulator === null) throw new Error('The demo plays in the simulated tenant only; unset AZURE_TENANT_ID.');
  const { control } = simulator;
  const journal = async () => (await (await fetch(`${control}/_sim/calls`)).json()) as JournalRow[];
  const told = async (method: string, path: string, body?: object): Promise<unknown> => {
    const response = await fetch(`${control}/_sim/${path}`, {
      method,
      ...(body && { headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) }),
    });
    const text = await response.text();
    if (!response.ok) throw new Error(`The simulator refused ${method} ${path}: ${text}`);
    return text === '' ? null : JSON.parse(text);
  };

  return {
    say: print,

    play: async (step) => {
      const before = (await journal()).length;
      const startedAtMs = performance.now();
      const response = await fetch(`${api}/${step.path}`, {
        method: step.method,
        headers: { 'x-functions-key': key, 'content-type': 'application/json' },
        ...(step.body === undefined ? {} : { body: JSON.stringify(step.body) }),
      });
      const body = (await response.json()) as Record<string, unknown>;
      const tookMs = Math.round(performance.now() - startedAtMs);
      const calls = (await journal()).slice(before);

      print('');
      print(`▸ ${step.title}`);
      const shown = step.shown ?? step.body;
      print(`  ${step.method} /api/${step.path}${shown === undefined ? '' : ` ${JSON.stringify(shown)}`}`);
      const words = [
        textOf(body, 'outcome') || textOf(body, 'code'),
        textOf(body, 'message') || textOf(body, 'detail'),
      ];
      print(`  ${response.status} ${words.join(' ')}`.trimEnd());
      const rows = rowsOf(body);
      for (const row of rows.slice(0, rowsShown)) print(`    ${row}`);
      if (rows.length > rowsShown) print(`    … and ${rows.length - rowsShown} more`);
      print(`  ${tookMs} ms, upstream: ${describeCalls(calls)}`);
      compare(step.title, { ...body, status: response.status }, step.expected);
      return { status: response.status, body };
    },

    check: (sentence, actual, expected) => {
      compare(sentence, { it: actual }, { it: expected });
      print(`  ✓ ${sentence}`);
    },

    happen: async ({ title, shown, cause, sentence, actual, expected }) => {
      print('');
      print(`▸ ${title}`);
      print(`  ${shown}`);
      const before = (await journal()).length;
      const startedAtMs = performance.now();
      await cause();
      const found = await eventually(actual, expected);
      const tookMs = performance.now() - startedAtMs;
      compare(sentence, { it: found }, { it: expected });
      print(`  ✓ ${sentence} ${(tookMs / 1000).toFixed(1)} s after it happened.`);
      print(`  upstream: ${describeCalls((await journal()).slice(before))}`);
    },

    read: async (path) => {
      const response = await fetch(`${api}/${path}`, { headers: { 'x-functions-key': key } });
      const body = (await response.json()) as Record<string, unknown>;
      if (!response.ok) throw new Error(`GET ${path} was answered with ${response.status}: ${JSON.stringify(body)}`);
      return body;
    },

    fire: async (timer) => {
      const response = await fetch(new URL(`/admin/functions/${timer}`, api), {
        method: 'POST',
        headers: { 'x-functions-key': masterKey, 'content-type': 'application/json' },
        body: '{}',
      });
      if (!response.ok) throw new Error(`The timer ${timer} could not be fired: ${await response.text()}`);
    },

    tenant: async () => (await told('GET', 'state')) as Tenant,

    seed: async (many) => {
      await told('POST', 'seed', many);
    },

    control: told,

    cmdletWrites: async () =>
      (await journal()).flatMap(({ cmdlet }) => (cmdlet === null || isRead(cmdlet) ? [] : [cmdlet])),
  };
}

/** The last that was found, as soon as it is what is expected or patience ends. */
async function eventually(actual: () => Promise<unknown>, expected: unknown): Promise<unknown> {
  const untilMs = performance.now() + patienceMs;
  for (;;) {
    const found = await actual();
    if (JSON.stringify(found) === JSON.stringify(expected) || performance.now() > untilMs) return found;
    await delay(lookEveryMs);
  }
}

function compare(
  title: string,
  actual: Readonly<Record<string, unknown>>,
  expected: Readonly<Record<string, unknown>>,
): void {
  for (const [name, value] of Object.entries(expected)) {
    if (JSON.stringify(actual[name]) === JSON.stringify(value)) continue;
    const words = `expected ${name} to be ${JSON.stringify(value)}, found ${JSON.stringify(actual[name])}`;
    throw new Error(`The demo's story does not hold at "${title}": ${words}.\n${JSON.stringify(actual, null, 2)}`);
  }
}

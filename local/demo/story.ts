import type { Everything } from '../everything.ts';

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

/** Tells a scene step by step, and stops it with an error as soon as reality differs from what is said. */
export interface Story {
  say(sentence: string): void;
  play(step: Step): Promise<Reply>;
  /** Something that must be so in the tenant itself, whatever our own replies say. */
  check(sentence: string, actual: unknown, expected: unknown): void;
  /** The simulated tenant, past our own code. */
  tenant(): Promise<Tenant>;
  /** Puts many people or groups into the tenant at once (docs/simulator.md). */
  seed(many: object): Promise<void>;
  /** The cmdlets with which Exchange was written to, one entry a call; a `$batch` has one for each part. */
  cmdletWrites(): Promise<string[]>;
}

interface Tenant {
  readonly groups: readonly {
    readonly id: string;
    readonly displayName: string;
    readonly mail: string | null;
    readonly members: readonly string[];
  }[];
  readonly users: readonly { readonly id: string; readonly userPrincipalName: string }[];
}

interface JournalRow {
  readonly upstream: string;
  readonly method: string;
  readonly path: string;
  readonly cmdlet: string | null;
  readonly status: number | null;
}

export function createStory({ api, key, simulator }: Everything, print: (line: string) => void): Story {
  if (simulator === null) throw new Error('The demo plays in the simulated tenant only; unset AZURE_TENANT_ID.');
  const { control } = simulator;
  const journal = async () => (await (await fetch(`${control}/_sim/calls`)).json()) as JournalRow[];

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
      compare(step.title, { status: response.status, ...body }, step.expected);
      return { status: response.status, body };
    },

    check: (sentence, actual, expected) => {
      compare(sentence, { it: actual }, { it: expected });
      print(`  ✓ ${sentence}`);
    },

    tenant: async () => (await (await fetch(`${control}/_sim/state`)).json()) as Tenant,

    seed: async (many) => {
      const response = await fetch(`${control}/_sim/seed`, { method: 'POST', body: JSON.stringify(many) });
      if (!response.ok) throw new Error(`The simulator refused to be seeded: ${await response.text()}`);
    },

    cmdletWrites: async () =>
      (await journal()).flatMap(({ cmdlet }) => (cmdlet === null || isRead(cmdlet) ? [] : [cmdlet])),
  };
}

/** Of a reply; more than a screen is read by nobody. */
const rowsShown = 6;

function isRead(cmdlet: string): boolean {
  return cmdlet.startsWith('Get-');
}

function textOf(body: Readonly<Record<string, unknown>>, name: string): string {
  const value = body[name];
  return typeof value === 'string' ? value : '';
}

function rowsOf(body: Readonly<Record<string, unknown>>): string[] {
  const results = Array.isArray(body.results) ? (body.results as Record<string, unknown>[]) : [];
  const members = Array.isArray(body.members) ? (body.members as Record<string, unknown>[]) : [];
  const changes = Array.isArray(body.changes) ? (body.changes as Record<string, unknown>[]) : [];
  const groups = Array.isArray(body.groups) ? (body.groups as Record<string, unknown>[]) : [];
  const entries = Array.isArray(body.entries) ? (body.entries as Record<string, unknown>[]) : [];
  const errors = Array.isArray(body.errors) ? (body.errors as Record<string, unknown>[]) : [];
  return [
    ...errors.map(({ pointer, message, fix }) => `${String(pointer)} ${String(message)}. ${String(fix)}`),
    ...results.map(
      ({ member, item, code, message }) => `${String(member ?? item)}: ${String(code)}. ${String(message)}`,
    ),
    ...changes.map(
      ({ field, before, after, code }) => `${String(field)}: ${String(before)} → ${String(after)} (${String(code)})`,
    ),
    ...groups.map(
      ({ displayName, kind, blockerMessage }) => `${String(displayName)} (${String(kind)}): ${String(blockerMessage)}`,
    ),
    ...entries.map(
      ({ at, operation, targetName, state }) =>
        `${String(at)} ${String(operation)} ${String(targetName)} ${String(state)}`,
    ),
    ...members.map(({ type, userPrincipalName, mail }) => `${String(type)} ${String(userPrincipalName ?? mail)}`),
  ];
}

/** A `$batch` stands in the journal with its parts after it: the parts say more. */
function describeCalls(calls: readonly JournalRow[]): string {
  const shown = calls.filter(({ upstream }) => upstream === 'graph' || upstream === 'exchange');
  const names = shown.map(({ upstream, method, path, cmdlet }) => {
    if (cmdlet !== null) return cmdlet;
    const [pathOnly = ''] = path.split('?');
    return upstream === 'graph' ? `Graph ${method} ${pathOnly.replace(/[0-9a-f-]{36}/g, '{id}')}` : '$batch';
  });
  const counted = new Map<string, number>();
  for (const name of names) counted.set(name, (counted.get(name) ?? 0) + 1);
  const listed = [...counted].map(([name, count]) => (count === 1 ? name : `${count} × ${name}`));
  return listed.length === 0 ? 'no call' : listed.join(', ');
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

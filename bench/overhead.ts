import { type Bench, type BenchRow, median, toRow } from './bench.ts';
import { type Stage, startStage, target } from './overhead/stage.ts';

/** Many and short: what else runs on the machine then troubles both sides alike. */
const rounds = 15;
const callersOf = [1, 50];
/** Added to each call of Exchange and Graph; 0 shows the app at its worst, the other is still a fast tenant. */
const roundTrips = [0, 50];
/** Calls of one side in one round. */
const callsWith = (callers: number, roundTripMs: number) => (callers > 1 ? 100 : roundTripMs > 0 ? 8 : 25);

const actions = {
  'GET members': {
    method: 'GET',
    body: null,
  },
  'POST members': {
    method: 'POST',
    body: JSON.stringify({ members: [target.member] }),
  },
} as const;
type ActionName = keyof typeof actions;

export const overhead: Bench = {
  name: 'overhead',
  heldEqual: [
    'Median latency over HTTP of the local host running dist/, beside a bare node:http process that makes the same calls with fetch: the same number, order and parallelism, checked by the journal.',
    'GET members: twice Exchange and Graph at once, then Graph. POST members of one who is a member: the same three, a $batch, an audit row, a $batch, the audit row again.',
    'The audit rows have the same columns; the app writes them with the Azure SDK, the proxy with fetch.',
    'The same simulator and storage emulator. No process compiles TypeScript, but for the simulator.',
    `Once with upstreams that answer as fast as this machine can, once with a round trip of ${roundTrips[1] ?? 0} ms to Exchange and Graph.`,
    `${rounds} rounds, ${callsWith(1, 0)} calls each with one caller (${callsWith(1, 50)} with the round trip) and ${callsWith(50, 0)} with 50; the two sides take turns in going first.`,
  ],
  run: async () => {
    const stage = await startStage();
    try {
      const rows: BenchRow[] = [];
      for (const name of Object.keys(actions) as ActionName[]) {
        await assertSameCalls(stage, name);
        for (const roundTripMs of roundTrips) {
          await setRoundTrip(stage, roundTripMs);
          for (const callers of callersOf) rows.push(await compare(stage, name, callers, roundTripMs));
        }
        await setRoundTrip(stage, 0);
      }
      return rows;
    } finally {
      await stage.stop();
    }
  },
};

type Ask = () => Promise<void>;

function sidesOf({ app, proxyUrl }: Stage, name: ActionName): { ours: Ask; proxy: Ask } {
  const { method, body } = actions[name];
  const asking =
    (url: string, headers: Record<string, string>): Ask =>
    async () => {
      const response = await fetch(url, { method, headers, ...(body !== null && { body }) });
      const text = await response.text();
      if (response.status !== 200) throw new Error(`${name} of ${url} answered ${response.status}: ${text}`);
    };
  const json: Record<string, string> = body === null ? {} : { 'content-type': 'application/json' };
  return {
    ours: asking(`${app.api}/groups/${encodeURIComponent(target.group)}/members`, {
      ...json,
      'x-functions-key': app.key,
    }),
    proxy: asking(proxyUrl, json),
  };
}

async function compare(stage: Stage, name: ActionName, callers: number, roundTripMs: number): Promise<BenchRow> {
  const sides = sidesOf(stage, name);
  const ours: number[] = [];
  const peer: number[] = [];
  // The first is for warming up.
  for (let round = 0; round <= rounds; round += 1) {
    const turns = [
      { ask: sides.ours, into: ours },
      { ask: sides.proxy, into: peer },
    ];
    for (const { ask, into } of round % 2 === 0 ? turns : turns.reverse()) {
      const latency = await medianLatency(ask, callers, callsWith(callers, roundTripMs));
      if (round > 0) into.push(latency);
      await clearJournal(stage);
    }
  }
  return toRow({
    case: `${name}, ${callers} ${callers === 1 ? 'caller' : 'callers'}, round trip ${roundTripMs} ms`,
    peerName: 'a bare proxy that makes the same calls',
    unit: 'ms',
    ours,
    peer,
    target: { of: 'ratio', atMost: callers === 1 ? 1.3 : 1.5 },
  });
}

async function medianLatency(ask: Ask, callers: number, count: number): Promise<number> {
  let left = count;
  const latencies: number[] = [];
  const caller = async () => {
    while (left > 0) {
      left -= 1;
      const startedAt = performance.now();
      await ask();
      latencies.push(performance.now() - startedAt);
    }
  };
  await Promise.all(Array.from({ length: callers }, caller));
  return median(latencies);
}

interface JournalRow {
  upstream: string;
  method: string;
  path: string;
  cmdlet: string | null;
}

/** A comparison with other calls would be none. */
async function assertSameCalls(stage: Stage, name: ActionName): Promise<void> {
  const { ours, proxy } = sidesOf(stage, name);
  const callsOf = async (ask: Ask) => {
    // Tokens and tables come with the first.
    await ask();
    await clearJournal(stage);
    await ask();
    const rows = (await (await fetch(`${stage.controlUrl}/_sim/calls`)).json()) as JournalRow[];
    return rows
      .map(({ upstream, method, path, cmdlet }) => `${upstream} ${method} ${path} ${cmdlet ?? ''}`)
      .sort()
      .join('\n');
  };
  const [expected, made] = [await callsOf(ours), await callsOf(proxy)];
  if (expected !== made)
    throw new Error(`${name}: the app makes these calls\n${expected}\nand the proxy these\n${made}`);
}

async function setRoundTrip(stage: Stage, ms: number): Promise<void> {
  const settings = { latencyMs: { exchange: ms, graph: ms } };
  await fetch(`${stage.controlUrl}/_sim/tenant`, { method: 'PUT', body: JSON.stringify({ settings }) });
}

async function clearJournal(stage: Stage): Promise<void> {
  await fetch(`${stage.controlUrl}/_sim/calls`, { method: 'DELETE' });
}

import { type Bench, type BenchRow, median, toRow } from './bench.ts';
import { type Sides, type Stage, startStage, type Target } from './overhead/stage.ts';

const mostCallers = 50;
/** Many and short: what else runs on the machine then troubles both sides alike. */
const rounds = 15;
const callersOf = [1, mostCallers];
/** Added to each call of Exchange and Graph; 0 shows the app at its worst, the other is still a fast tenant. */
const roundTrips = [0, 50];
/** Calls of one side in one round. */
const callsWith = (callers: number, roundTripMs: number) => (callers > 1 ? 100 : roundTripMs > 0 ? 8 : 25);

type ActionName = 'GET members' | 'POST members';
const actions: readonly ActionName[] = ['GET members', 'POST members'];

export const overhead: Bench = {
  name: 'overhead',
  heldEqual: [
    'Median latency over HTTP of the local host running dist/, beside a bare node:http process that makes the same calls with fetch: the same number, order and parallelism, checked by the journal.',
    'GET members: twice Exchange and Graph at once, then Graph. POST members of one who is a member: the same three, a lease and its blob read, a $batch, an audit row, a $batch, the audit row again, the lease released.',
    'The storage calls are the same, counted before anything is measured; the app makes them with the Azure SDKs, the proxy with fetch. The audit rows have the same columns.',
    `Each of ${mostCallers} callers has a group of its own, as a group has one writer at a time; one caller always has the first.`,
    'The same simulator and storage emulator. No process compiles TypeScript, but for the simulator.',
    'Targets are held with the round trip; without one, as no tenant answers, it is told what the app costs at its worst.',
    `Once with upstreams that answer as fast as this machine can, once with a round trip of ${roundTrips[1] ?? 0} ms to Exchange and Graph (none to storage).`,
    `${rounds} rounds, ${callsWith(1, 0)} calls each with one caller (${callsWith(1, 50)} with the round trip) and ${callsWith(mostCallers, 0)} with ${mostCallers}; the two sides take turns in going first.`,
  ],
  run: async () => {
    const stage = await startStage(mostCallers);
    try {
      await assertSameCalls(stage);
      return await compareAll(stage);
    } finally {
      await stage.stop();
    }
  },
};

async function compareAll(stage: Stage): Promise<BenchRow[]> {
  const sides = await stage.startSides();
  try {
    const rows: BenchRow[] = [];
    for (const name of actions) {
      for (const roundTripMs of roundTrips) {
        await setRoundTrip(stage, roundTripMs);
        for (const callers of callersOf) rows.push(await compare(stage, sides, name, callers, roundTripMs));
      }
    }
    return rows;
  } finally {
    await sides.stop();
  }
}

/** By the number of the caller. */
type Ask = (caller: number) => Promise<void>;

function asksOf({ app, proxyUrl }: Sides, name: ActionName, targets: readonly Target[]): { ours: Ask; proxy: Ask } {
  const [method = ''] = name.split(' ');
  const isWrite = method === 'POST';
  const json: Record<string, string> = isWrite ? { 'content-type': 'application/json' } : {};
  const asking =
    (urlOf: (target: Target, index: number) => string, headers: Record<string, string>): Ask =>
    async (caller) => {
      const target = targets[caller];
      if (target === undefined) throw new RangeError(`There is no group for caller ${caller}.`);
      const url = urlOf(target, caller);
      const body = isWrite ? { body: JSON.stringify({ members: [target.member] }) } : {};
      const response = await fetch(url, { method, headers, ...body });
      const text = await response.text();
      if (response.status !== 200) throw new Error(`${name} of ${url} answered ${response.status}: ${text}`);
    };
  return {
    ours: asking(({ group }) => `${app.api}/groups/${encodeURIComponent(group)}/members`, {
      ...json,
      'x-functions-key': app.key,
    }),
    proxy: asking((_target, index) => `${proxyUrl}/${index}`, json),
  };
}

async function compare(
  stage: Stage,
  sides: Sides,
  name: ActionName,
  callers: number,
  roundTripMs: number,
): Promise<BenchRow> {
  const { ours: askOurs, proxy: askProxy } = asksOf(sides, name, stage.targets);
  const ours: number[] = [];
  const peer: number[] = [];
  // The first is for warming up.
  for (let round = 0; round <= rounds; round += 1) {
    const turns = [
      { ask: askOurs, into: ours },
      { ask: askProxy, into: peer },
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
    ...(roundTripMs > 0 && { target: { of: 'ratio', atMost: callers === 1 ? 1.3 : 1.5 } }),
  });
}

async function medianLatency(ask: Ask, callers: number, count: number): Promise<number> {
  let left = count;
  const latencies: number[] = [];
  const callAgain = async (caller: number) => {
    while (left > 0) {
      left -= 1;
      const startedAt = performance.now();
      await ask(caller);
      latencies.push(performance.now() - startedAt);
    }
  };
  await Promise.all(Array.from({ length: callers }, (_, caller) => callAgain(caller)));
  return median(latencies);
}

interface JournalRow {
  upstream: string;
  method: string;
  path: string;
  cmdlet: string | null;
}

/** A comparison with other calls would be none: of upstreams, and of the storage. */
async function assertSameCalls(stage: Stage): Promise<void> {
  const sides = await stage.startCountedSides();
  const callsOf = async (ask: Ask) => {
    // Tokens, tables and blobs come with the first.
    await ask(0);
    await clearJournal(stage);
    sides.takeCalls();
    await ask(0);
    const rows = (await (await fetch(`${stage.controlUrl}/_sim/calls`)).json()) as JournalRow[];
    const upstream = rows.map((row) => `${row.upstream} ${row.method} ${row.path} ${row.cmdlet ?? ''}`);
    return [...upstream.sort(), ...sides.takeCalls()].join('\n');
  };
  try {
    for (const name of actions) {
      const { ours, proxy } = asksOf(sides, name, stage.targets);
      const [expected, made] = [await callsOf(ours), await callsOf(proxy)];
      if (expected !== made)
        throw new Error(`${name}: the app makes these calls\n${expected}\nand the proxy these\n${made}`);
    }
  } finally {
    await sides.stop();
  }
}

async function setRoundTrip(stage: Stage, ms: number): Promise<void> {
  const settings = { latencyMs: { exchange: ms, graph: ms } };
  await fetch(`${stage.controlUrl}/_sim/tenant`, { method: 'PUT', body: JSON.stringify({ settings }) });
}

async function clearJournal(stage: Stage): Promise<void> {
  await fetch(`${stage.controlUrl}/_sim/calls`, { method: 'DELETE' });
}

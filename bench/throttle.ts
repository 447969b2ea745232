import type { Bench, BenchRow, Measured } from './bench.ts';
import { toRow } from './bench.ts';
import type { StrategyName, Tally } from './throttle/job.ts';
import { limit, startThrottledTenant, type ThrottledTenant } from './throttle/tenant.ts';
import { runJobs } from './throttle/workers.ts';

const runs = 3;
const callers = 50;
const speed = 10;
/** Twice what the limit needs for all writes. */
const limitMs = 180_000;
const retryAfters = [1, 10];

interface Contender {
  readonly strategy: StrategyName;
  readonly processes: number;
  readonly name: string;
}

const one: Contender = { strategy: 'ours', processes: 1, name: 'ours' };
const four: Contender = { strategy: 'ours', processes: 4, name: 'ours, four processes' };
const graphClient: Contender = { strategy: 'graphClient', processes: 1, name: "the Graph client's retry handler" };
const peers: readonly Contender[] = [
  graphClient,
  { strategy: 'backoff', processes: 1, name: 'exponential backoff, 8 tries' },
  { strategy: 'oneAtATime', processes: 1, name: 'one call at a time' },
];

/** What one contender did in one run, all its processes together. */
interface Result {
  readonly done: number;
  readonly calls: number;
  readonly refused: number;
  readonly perSecond: number;
  readonly callsPerSuccess: number;
  /** Of the slowest and of the fastest process. */
  readonly slowest: number;
  readonly fastest: number;
}

export const throttle: Bench = {
  name: 'throttle',
  heldEqual: [
    `2,000 writes (one Add-DistributionGroupMember a call), ${callers} callers, a round trip of ${limit.roundTripMs} ms.`,
    `The server takes ${limit.ratePerSecond} writes a second and ${limit.burst} at once; a call before Retry-After ends is refused, and refused calls count against the limit.`,
    `Time runs ${speed} times as fast, for the simulator and for every client; seconds below are scaled ones.`,
    `Work ends after ${limitMs / 1_000} s, twice what the limit needs; ours gives a call up at its own deadline, 25 s as in the functions.`,
    'The Graph client makes its default 3 retries; one at a time makes 5 tries and waits for Retry-After.',
  ],
  run: async () => {
    const tenant = await startThrottledTenant(speed);
    try {
      const rows: BenchRow[] = [];
      for (const seconds of retryAfters) rows.push(...(await compare(tenant, seconds)));
      return rows;
    } finally {
      await tenant.stop();
    }
  },
};

async function compare(tenant: ThrottledTenant, retryAfterSeconds: number): Promise<BenchRow[]> {
  const contenders = [one, four, ...peers];
  const results = new Map<Contender, Result[]>(contenders.map((contender) => [contender, []]));
  for (let run = 1; run <= runs; run += 1) {
    for (const contender of contenders) {
      results.get(contender)?.push(await measure(tenant, contender, retryAfterSeconds));
    }
  }
  const of = (contender: Contender, value: (result: Result) => number) => (results.get(contender) ?? []).map(value);
  const row = (
    what: string,
    value: (result: Result) => number,
    against: Contender,
    more: Pick<Measured, 'unit' | 'target'>,
  ) =>
    toRow({
      case: `Retry-After ${retryAfterSeconds} s: ${what}`,
      peerName: against.name,
      ours: of(one, value),
      peer: of(against, value),
      ...more,
    });

  const goodput = (result: Result) => result.perSecond;
  const done = (result: Result) => result.done;
  const callsPerSuccess = (result: Result) => result.callsPerSuccess;
  const { ratePerSecond, burst } = limit;
  const count = tenant.writes.length;
  const withBurst = count / ((count - burst) / ratePerSecond);
  const constant = (value: number) => Array.from({ length: runs }, () => value);
  const prefix = `Retry-After ${retryAfterSeconds} s`;
  return [
    toRow({
      case: `${prefix}: goodput`,
      peerName: "the server's ceiling",
      unit: 'writes/s',
      ours: of(one, goodput),
      peer: constant(ratePerSecond),
      target: { of: 'ratio', atLeast: 0.95 },
    }),
    toRow({
      case: `${prefix}: goodput`,
      peerName: 'the ceiling and the burst',
      unit: 'writes/s',
      ours: of(one, goodput),
      peer: constant(withBurst),
    }),
    row('goodput', goodput, graphClient, { unit: 'writes/s', target: { of: 'ratio', atLeast: 1.15 } }),
    ...peers.slice(1).map((peer) => row('goodput', goodput, peer, { unit: 'writes/s' })),
    row('work done', done, graphClient, { unit: 'writes', target: { of: 'ours', atLeast: count } }),
    ...peers.slice(1).map((peer) => row('work done', done, peer, { unit: 'writes' })),
    row('calls for each write done', callsPerSuccess, graphClient, {
      unit: 'calls',
      target: { of: 'ours', atMost: 1.15 },
    }),
    ...peers.slice(1).map((peer) => row('calls for each write done', callsPerSuccess, peer, { unit: 'calls' })),
    row('refused calls', (result) => result.refused, graphClient, { unit: 'calls' }),
    ...(
      [
        ['goodput', goodput, 'writes/s'],
        ['work done', done, 'writes'],
        ['calls for each write done', callsPerSuccess, 'calls'],
      ] as const
    ).map(([what, value, unit]) =>
      toRow({
        case: `${prefix}, four processes: ${what}`,
        peerName: 'ours, one process',
        unit,
        ours: of(four, value),
        peer: of(one, value),
      }),
    ),
    toRow({
      case: `${prefix}, four processes: the slowest`,
      peerName: 'the fastest of the four',
      unit: 'writes/s',
      ours: of(four, (result) => result.slowest),
      peer: of(four, (result) => result.fastest),
      target: { of: 'ratio', atLeast: 0.5 },
    }),
  ];
}

async function measure(tenant: ThrottledTenant, contender: Contender, retryAfterSeconds: number): Promise<Result> {
  const { strategy, processes, name } = contender;
  await tenant.prepare(retryAfterSeconds);
  const share = (index: number) => Math.floor((callers + index) / processes);
  const tallies = await runJobs(
    Array.from({ length: processes }, (_, index) => ({
      strategy,
      writes: tenant.writes.filter((_write, place) => place % processes === index),
      callers: strategy === 'oneAtATime' ? 1 : share(index),
      limitMs,
      speed,
      ...tenant.reach,
    })),
  );
  const sum = (value: (tally: Tally) => number) => tallies.reduce((total, tally) => total + value(tally), 0);
  const done = sum((tally) => tally.done);
  const calls = sum((tally) => tally.calls);
  const tookMs = Math.max(...tallies.map((tally) => tally.tookMs));
  // What the clients say is held against what the tenant shows; an answer may be lost, a write may not be made up.
  const written = await tenant.countWritten();
  if (written < done) throw new Error(`${name} counted ${done} writes and the tenant shows ${written}.`);
  const rates = tallies.map((tally) => tally.done / (tally.tookMs / 1_000));
  const result: Result = {
    done,
    calls,
    refused: sum((tally) => tally.refused),
    perSecond: done / (tookMs / 1_000),
    callsPerSuccess: calls / done,
    slowest: Math.min(...rates),
    fastest: Math.max(...rates),
  };
  const reasons = tallies.flatMap((tally) => Object.entries(tally.reasons).map(([why, count]) => `${count} × ${why}`));
  const undone = done === tenant.writes.length ? '' : `, undone: ${reasons.join('; ') || 'the time was up'}`;
  console.error(
    `Retry-After ${retryAfterSeconds} s, ${name}: ${done} in ${(tookMs / 1_000).toFixed(1)} s, ${calls} calls, ${result.refused} refused${undone}`,
  );
  return result;
}

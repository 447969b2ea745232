import { rm } from 'node:fs/promises';
import { type Bench, type BenchRow, type Measured, toRow } from './bench.ts';
import { type Done, prepareSides, type Sides, type Task } from './membership/sides.ts';
import { type BenchTenant, type Calls, startBenchTenant } from './membership/tenant.ts';
import { preparePrograms } from './overhead/programs.ts';

const sizes = [1_000, 10_000, 100_000] as const;
type Size = (typeof sizes)[number];
/** Half of the changes: so many members go and as many come. */
const halfOf = (size: number) => size / 200;
const runs = 3;
/** Collecting garbage all the time is slow, and what is left is nearly the same each time. */
const liveRuns = 1;
/** A group of its own; more changes than a request makes by itself, so that everything is loaded. */
const warmUp = { size: 200, half: 60 };

const oneByOne = 'a full read, then one call a change';
const resolving = 'the same, after one call for the id of each desired';

export const membership: Bench = {
  name: 'membership',
  heldEqual: [
    'A distribution list is made exact: of its members 0.5 % go and as many others come. Desired are UPNs, each tenth in capitals.',
    'Ours: PUT members over HTTP to the local host running dist/, and getOperation with waitSeconds=20 until done; audit, lock and operation are stored in the storage emulator. The queue is polled each 100 ms; Azure may take up to 10 s to notice a first message.',
    'Peer: reads all members from Graph in pages of 999, as ours does, compares by UPN, then Add- or Remove-DistributionGroupMember for one after the other; it knows the id of the group, and keeps, checks and stores nothing.',
    `Peer, "${resolving}": compares by object id as ours does, whatever the spelling; 1,000 and 10,000 only, once.`,
    'The same simulator for all, which answers at once, with 100,500 people and a mailbox each; after each run the members are checked one by one.',
    'Calls: HTTP calls to Graph and Exchange by the journal of the simulator, without tokens; a $batch is one call, and with parts each part is one.',
    'Peak memory: VmHWM of the process, a new one each time; ours includes the local host and, once, a change of 120 members before. Live: heap and buffers in use after a garbage collection, the most of one each 50 ms, in runs that are not timed.',
    `${runs} runs; memory in use ${liveRuns}.`,
  ],
  run: async () => {
    const largest = Math.max(...sizes);
    const tenant = await startBenchTenant(largest + halfOf(largest), [...sizes, warmUp.size]);
    try {
      const programs = await preparePrograms();
      try {
        const sides = await prepareSides(programs, tenant);
        try {
          return toRows(await measureAll(createCourse(tenant, sides)));
        } finally {
          await sides.stop();
        }
      } finally {
        await rm(programs.folder, { recursive: true, force: true });
      }
    } finally {
      await tenant.process.stop();
    }
  },
};

type Side = 'ours' | 'peer' | 'resolving';
type Result = Done & { readonly calls: Calls };
type Results = Readonly<Record<Size, Readonly<Record<Side, Result[]>>>>;

interface Course {
  /** Moves a group from where it is to where it was before, and checks that it came there. */
  run(side: Side, size: Size, isLive: boolean): Promise<Result>;
}

function createCourse(tenant: BenchTenant, sides: Sides): Course {
  /** The first member of each group. */
  const firsts = tenant.groups.map(() => 0);

  function nextTask(index: number, size: number, half: number): Task & { readonly first: number } {
    const group = tenant.groups[index];
    if (group === undefined) throw new RangeError('There is no such group.');
    const first = firsts[index] === 0 ? half : 0;
    firsts[index] = first;
    const upns = Array.from({ length: size }, (_, place) => tenant.upnOf(first + place));
    return {
      group,
      first,
      removals: half,
      desired: upns.map((upn, place) => (place % 10 === 0 ? upn.toUpperCase() : upn)),
    };
  }

  return {
    run: async (side, size, isLive) => {
      const task = nextTask(sizes.indexOf(size), size, halfOf(size));
      const begin = async () => {
        await tenant.takeCalls();
      };
      let done: Done;
      if (side === 'ours') {
        const before = nextTask(sizes.length, warmUp.size, warmUp.half);
        done = await sides.ours(task, before, isLive, begin);
      } else {
        await begin();
        done = await sides.peer(task, { resolves: side === 'resolving', isLive });
      }
      const calls = await tenant.takeCalls();
      await tenant.checkMembers(task.group, task.first, size);
      const memory = `${toMib(done.peakRssBytes)} MiB${done.peakLiveBytes === null ? '' : `, ${toMib(done.peakLiveBytes)} MiB live`}`;
      console.error(
        `${count(size)} members, ${side}: ${calls.all} calls, ${(done.ms / 1_000).toFixed(1)} s, ${memory}`,
      );
      return { ...done, calls };
    },
  };
}

interface Measurements {
  readonly timed: Results;
  readonly live: Results;
}

async function measureAll(course: Course): Promise<Measurements> {
  const empty = (): Results => ({
    1_000: { ours: [], peer: [], resolving: [] },
    10_000: { ours: [], peer: [], resolving: [] },
    100_000: { ours: [], peer: [], resolving: [] },
  });
  const [timed, live] = [empty(), empty()];
  for (let run = 1; run <= runs; run += 1) {
    for (const size of sizes) {
      timed[size].ours.push(await course.run('ours', size, false));
      timed[size].peer.push(await course.run('peer', size, false));
    }
  }
  for (const size of sizes.slice(0, 2)) timed[size].resolving.push(await course.run('resolving', size, false));
  for (let run = 1; run <= liveRuns; run += 1) {
    for (const size of sizes) {
      live[size].ours.push(await course.run('ours', size, true));
      live[size].peer.push(await course.run('peer', size, true));
    }
  }
  return { timed, live };
}

type Value = (result: Result) => number;

const calls: Value = (result) => result.calls.all;
const seconds: Value = ({ ms }) => ms / 1_000;
const peak: Value = ({ peakRssBytes }) => peakRssBytes;
const live: Value = ({ peakLiveBytes }) => peakLiveBytes ?? 0;

function toRows({ timed, live: sampled }: Measurements): BenchRow[] {
  return [
    ...sizes.flatMap((size) => rowsOfSize(size, timed[size], sampled[size])),
    ...growthRows({ timed, live: sampled }),
  ];
}

function rowsOfSize(size: Size, timed: Results[Size], sampled: Results[Size]): BenchRow[] {
  const row = (what: string, unit: string, value: Value, more: Pick<Measured, 'target'> = {}, from = timed) =>
    toRow({
      case: `${count(size)}: ${what}`,
      unit,
      ours: from.ours.map(value),
      peer: from.peer.map(value),
      peerName: oneByOne,
      ...more,
    });
  const isTarget = size === 10_000;
  const atMostTenth = { of: 'ratio', atMost: 0.1 } as const;
  return [
    row('calls', 'calls', calls, isTarget ? { target: atMostTenth } : {}),
    row('calls that write', 'calls', (result) => result.calls.writing, isTarget ? { target: atMostTenth } : {}),
    row('pages of members read', 'calls', (result) => result.calls.pages),
    row('calls with parts', 'calls', (result) => result.calls.withParts),
    ...(timed.resolving.length === 0
      ? []
      : [
          toRow({
            case: `${count(size)}: calls`,
            unit: 'calls',
            ours: timed.ours.map(calls),
            peer: timed.resolving.map(calls),
            peerName: resolving,
            ...(isTarget ? { target: atMostTenth } : {}),
          }),
        ]),
    row('time', 's', seconds),
    row('peak memory', 'MiB', (result) => toMib(peak(result))),
    row('memory in use', 'MiB', (result) => toMib(live(result)), {}, sampled),
  ];
}

/** From 10,000 to 100,000 members and, with them, from 100 to 1,000 changes. */
function growthRows({ timed, live: sampled }: Measurements): BenchRow[] {
  const [small, large] = [10_000, 100_000] as const;
  const grown = (
    from: Results,
    side: 'ours' | 'peer',
    value: Value,
    growth: (before: number, after: number) => number,
  ): number[] =>
    from[large][side].flatMap((after, run) => {
      const before = from[small][side][run];
      return before === undefined ? [] : [growth(value(before), value(after))];
    });
  const row = (
    what: string,
    unit: string,
    from: Results,
    value: Value,
    growth: (before: number, after: number) => number,
    target?: Measured['target'],
  ) =>
    toRow({
      case: `${count(small)} to ${count(large)}: ${what}`,
      unit,
      ours: grown(from, 'ours', value, growth),
      peer: grown(from, 'peer', value, growth),
      peerName: oneByOne,
      ...(target && { target }),
    });
  const times = (before: number, after: number) => after / before;
  const bytesAMember = (before: number, after: number) => (after - before) / (large - small);
  const atMost = (most: number) => ({ of: 'ours', atMost: most }) as const;
  return [
    row('calls', 'times', timed, calls, times, atMost(large / small)),
    row('time', 'times', timed, seconds, times, atMost(large / small)),
    row('peak memory', 'bytes/member', timed, peak, bytesAMember, atMost(300)),
    row('memory in use', 'bytes/member', sampled, live, bytesAMember, atMost(300)),
  ];
}

const count = (value: number) => value.toLocaleString('en');

function toMib(bytes: number): number {
  return Math.round((bytes / 2 ** 20) * 10) / 10;
}

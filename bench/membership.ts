import { rm } from 'node:fs/promises';
import { type Bench, type BenchRow, type Measured, toRow } from './bench.ts';
import { type Done, heapBound, prepareSides, type Sides, type Task } from './membership/sides.ts';
import { type BenchTenant, type Calls, startBenchTenant } from './membership/tenant.ts';
import { preparePrograms } from './overhead/programs.ts';

const sizes = [1_000, 10_000, 100_000] as const;
type Size = (typeof sizes)[number];
/** A call for each desired of 100,000 would take minutes. */
const resolvedSizes = sizes.slice(0, 2);
/** Half of the changes: so many members go and as many come. */
const halfOf = (size: number) => size / 200;
/** With a round trip there is little else than waiting, the same each time, and it takes longest. */
const conditions = {
  atOnce: { runs: 3, heap: 'unbounded', roundTripMs: 0 },
  boundedHeap: { runs: 3, heap: 'bounded', roundTripMs: 0 },
  roundTrip: { runs: 1, heap: 'unbounded', roundTripMs: 20 },
} as const;
type Condition = keyof typeof conditions;
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
    `The same simulator for all, with 100,500 people and a mailbox each; after each run the members are checked one by one. It answers at once, or after a round trip of ${conditions.roundTrip.roundTripMs} ms, which a $batch takes once: it works through parts faster than Exchange does by report.`,
    'Calls: HTTP calls to Graph and Exchange by the journal of the simulator, without tokens; a $batch is one call, and with parts each part is one.',
    `Peak memory: VmHWM of the process, a new one each time; ours includes the local host and a change of 120 members before. What V8 takes when nothing bounds it is mostly garbage; with a heap of ${heapBound.oldMib} MiB (and semi-spaces of ${heapBound.semiSpaceMib} MiB), which both sides have then, it is what the work needs. Time and calls are taken without that bound.`,
    `${conditions.atOnce.runs} runs, ${conditions.boundedHeap.runs} with a bounded heap, ${conditions.roundTrip.runs} with a round trip.`,
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
  run(side: Side, size: Size, condition: Condition): Promise<Result>;
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
    run: async (side, size, condition) => {
      const { heap, roundTripMs } = conditions[condition];
      const task = nextTask(sizes.indexOf(size), size, halfOf(size));
      const begin = async () => {
        await tenant.setRoundTrip(roundTripMs);
        await tenant.takeCalls();
      };
      let done: Done;
      if (side === 'ours') {
        const before = nextTask(sizes.length, warmUp.size, warmUp.half);
        done = await sides.ours(task, before, heap, begin);
      } else {
        await begin();
        done = await sides.peer(task, side === 'resolving', heap);
      }
      await tenant.setRoundTrip(0);
      const calls = await tenant.takeCalls();
      await tenant.checkMembers(task.group, task.first, size);
      console.error(
        `${count(size)} members, ${side}, ${condition}: ${calls.all} calls, ${(done.ms / 1_000).toFixed(1)} s, ${toMib(done.peakBytes).toFixed(1)} MiB`,
      );
      return { ...done, calls };
    },
  };
}

type Measurements = Readonly<Record<Condition, Results>>;

async function measureAll(course: Course): Promise<Measurements> {
  const empty = (): Results => ({
    1_000: { ours: [], peer: [], resolving: [] },
    10_000: { ours: [], peer: [], resolving: [] },
    100_000: { ours: [], peer: [], resolving: [] },
  });
  const measured: Measurements = { atOnce: empty(), boundedHeap: empty(), roundTrip: empty() };
  for (const condition of Object.keys(conditions) as Condition[]) {
    for (let run = 1; run <= conditions[condition].runs; run += 1) {
      for (const size of sizes) {
        for (const side of ['ours', 'peer'] as const) {
          measured[condition][size][side].push(await course.run(side, size, condition));
        }
      }
    }
  }
  for (const size of resolvedSizes) {
    measured.atOnce[size].resolving.push(await course.run('resolving', size, 'atOnce'));
  }
  return measured;
}

type Value = (result: Result) => number;

const calls: Value = (result) => result.calls.all;
const seconds: Value = ({ ms }) => ms / 1_000;
const peak: Value = ({ peakBytes }) => peakBytes;

function toRows(measured: Measurements): BenchRow[] {
  return [...sizes.flatMap((size) => rowsOfSize(size, measured)), ...growthRows(measured)];
}

function rowsOfSize(size: Size, { atOnce, boundedHeap, roundTrip }: Measurements): BenchRow[] {
  const row = (
    what: string,
    unit: string,
    value: Value,
    { from = atOnce, peer = 'peer', target }: { from?: Results; peer?: Side; target?: Measured['target'] } = {},
  ) =>
    toRow({
      case: `${count(size)}: ${what}`,
      unit,
      ours: from[size].ours.map(value),
      peer: from[size][peer].map(value),
      peerName: peer === 'resolving' ? resolving : oneByOne,
      ...(target && { target }),
    });
  const tenth = size === 10_000 ? { target: { of: 'ratio', atMost: 0.1 } as const } : {};
  const besidesPages: Value = ({ calls: { all, pages } }) => (all - pages) / (2 * halfOf(size));
  const mib: Value = (result) => toMib(peak(result));
  return [
    // No target: this peer trusts spelling, which ours must not, and even so both have to read the same pages.
    row('calls', 'calls', calls),
    ...(atOnce[size].resolving.length === 0 ? [] : [row('calls', 'calls', calls, { peer: 'resolving', ...tenth })]),
    row('calls that write', 'calls', (result) => result.calls.writing, tenth),
    row('pages of members read', 'calls', (result) => result.calls.pages),
    row('calls besides these pages, a change', 'calls', besidesPages),
    row('calls with parts', 'calls', (result) => result.calls.withParts),
    row('time, answered at once', 's', seconds),
    row(`time, round trip ${conditions.roundTrip.roundTripMs} ms`, 's', seconds, { from: roundTrip }),
    row('peak memory', 'MiB', mib),
    row('peak memory, bounded heap', 'MiB', mib, { from: boundedHeap }),
  ];
}

/** From 10,000 to 100,000 members and, with them, from 100 to 1,000 changes. */
function growthRows({ atOnce, boundedHeap, roundTrip }: Measurements): BenchRow[] {
  const [small, large] = [10_000, 100_000] as const;
  const row = (
    what: string,
    unit: string,
    from: Results,
    value: Value,
    growth: (before: number, after: number) => number,
    atMost?: number,
  ) => {
    // Run by run.
    const grown = (side: 'ours' | 'peer') =>
      from[large][side].flatMap((after, run) => {
        const before = from[small][side][run];
        return before === undefined ? [] : [growth(value(before), value(after))];
      });
    return toRow({
      case: `${count(small)} to ${count(large)}: ${what}`,
      unit,
      ours: grown('ours'),
      peer: grown('peer'),
      peerName: oneByOne,
      ...(atMost !== undefined && { target: { of: 'ours', atMost } }),
    });
  };
  const times = (before: number, after: number) => after / before;
  const bytesAMember = (before: number, after: number) => (after - before) / (large - small);
  return [
    row('calls', 'times', atOnce, calls, times, large / small),
    row('time, answered at once', 'times', atOnce, seconds, times, large / small),
    row(`time, round trip ${conditions.roundTrip.roundTripMs} ms`, 'times', roundTrip, seconds, times, large / small),
    row('peak memory', 'bytes/member', atOnce, peak, bytesAMember),
    row('peak memory, bounded heap', 'bytes/member', boundedHeap, peak, bytesAMember, 300),
  ];
}

const count = (value: number) => value.toLocaleString('en');

const toMib = (bytes: number) => bytes / 2 ** 20;

import { setTimeout as delay } from 'node:timers/promises';
import { type Bench, type BenchRow, type Measured, toRow } from './bench.ts';
import {
  groupCount,
  netChanges,
  peopleCount,
  perPost,
  planSteps,
  postsPerSecond,
  residents,
  type Step,
  windowSeconds,
} from './events/course.ts';
import { type Door, openDoor, type Post, postEvents } from './events/door.ts';
import { type Stage, startStage } from './events/stage.ts';
import { type EventTenant, prepareTenant, untilMissing, type Write } from './events/tenant.ts';
import { countStorageCalls } from './overhead/countedStorage.ts';

/** okta.md §1.1 */
const limitMs = 3_000;
const countedPosts = 200;
const coldStarts = 10;
/** Of each kind. */
const eventsAlone = 5;
/** Of nobody coming any more, after which whoever is missing counts as lost. */
const patienceMs = 120_000;

const limit = "Okta's limit";
const writesEachEvent = 'writes once an event';
const burst = 'the second for which a burst is waited';

export const events: Bench = {
  name: 'events',
  heldEqual: [
    `Posts of ${perPost} events at a steady ${postsPerSecond} a second for 60 s, whatever the answers: by the simulated Okta for ${groupCount} groups of ${peopleCount}; who comes goes and comes again within ${windowSeconds} s, so that three events are one net change.`,
    'One process receives, collects and writes: the local host running dist/, its queues polled each 100 ms (Azure may take up to 10 s to notice a first message). Simulator, storage emulator and bench run on the same processors.',
    `Post: each try, from sending to the answer, over HTTP. Okta waits ${limitMs / 1_000} s, and tries once more what is answered with 5xx: so does the bench.`,
    `Storage writes: of ${countedPosts} more posts, to a process that receives and does not collect, counted between it and the storage.`,
    'Peer of the writes, by arithmetic: adds or removes once for each event. Writes are parts of a $batch by the journal of the simulator, refused ones too.',
    'Event to membership: from what happens in Okta to the first write to Exchange about this person and list, upstreams answering at once; and of single events, once all is quiet, until the list shows it.',
    `Cold start: ${coldStarts} new processes after one that does not count, warm page cache; from the spawn to the first 204, and the post alone.`,
  ],
  run: async () => {
    const stage = await startStage();
    try {
      const tenant = await prepareTenant(stage.controlUrl);
      const { rows, body } = await measureCourse(stage, tenant);
      return [...rows, await measureStorageWrites(stage, body), ...(await measureColdStarts(stage, body))];
    } finally {
      await stage.stop();
    }
  },
};

/** When each step happened. */
type Moments = ReadonlyMap<Step, number>;

async function measureCourse(stage: Stage, tenant: EventTenant): Promise<{ rows: BenchRow[]; body: string }> {
  const host = await stage.startHost('course', { queues: true });
  await tenant.link(host);
  const door = await openDoor(`${host.api}/okta/events`, stage.secret);
  try {
    await tenant.hook(door.url, stage.secret);
    await tenant.clearCalls();
    const steps = planSteps(Math.random);
    const moments = await play(steps, tenant);
    await door.answered(steps.length);
    const missing = await untilMissing(0, tenant, { everyMs: 500, patienceMs });
    const { done, sentCount, batchCount } = await tenant.writes();
    const rows = [
      ...postRows(door.posts, steps.length),
      single({
        case: 'net changes that came to be',
        unit: 'changes',
        ours: netChanges - missing,
        peer: netChanges,
        peerName: 'all',
        target: { of: 'ratio', atLeast: 1 },
      }),
      single({
        case: 'writes to Exchange, a net change',
        unit: 'writes',
        ours: sentCount / netChanges,
        peer: (steps.length * perPost) / netChanges,
        peerName: writesEachEvent,
      }),
      single({
        case: 'calls that write, a net change',
        unit: 'calls',
        ours: batchCount / netChanges,
        peer: (steps.length * perPost) / netChanges,
        peerName: writesEachEvent,
      }),
      ...lagRows(lagsOf(steps, moments, done, tenant)),
      ...(missing === 0 ? [await measureAlone(tenant)] : []),
    ];
    return { rows, body: sampleOf(door) };
  } finally {
    await door.close();
    await host.stop();
  }
}

/** Steadily: nothing that is slow holds up what comes after it. */
async function play(steps: readonly Step[], tenant: EventTenant): Promise<Moments> {
  const moments = new Map<Step, number>();
  const startMs = performance.now();
  const under: Promise<void>[] = [];
  for (const [index, step] of steps.entries()) {
    await delay(Math.max(0, startMs + (index * 1_000) / postsPerSecond - performance.now()));
    moments.set(step, Date.now());
    under.push(tenant.happen(step));
  }
  await Promise.all(under);
  return moments;
}

function sampleOf(door: Door): string {
  const body = door.sample();
  if (body === '') throw new Error('Okta has posted nothing.');
  return body;
}

function postRows(posts: Door['posts'], sent: number): BenchRow[] {
  const times = posts.flatMap((tries) => tries.map(({ ms }) => ms)).sort((a, b) => a - b);
  const isTaken = (post: Post | undefined) => post?.status === 204;
  const row = (what: string, ms: number, target?: Measured['target']) =>
    single({ case: `post: ${what}`, unit: 'ms', ours: ms, peer: limitMs, peerName: limit, ...(target && { target }) });
  return [
    single({
      case: 'posts taken',
      unit: 'posts',
      ours: posts.filter((tries) => isTaken(tries.at(-1))).length,
      peer: sent,
      peerName: 'all',
      target: { of: 'ratio', atLeast: 1 },
    }),
    single({
      case: 'posts taken at the first try',
      unit: 'posts',
      ours: posts.filter(([first]) => isTaken(first)).length,
      peer: sent,
      peerName: 'all',
    }),
    row('median', quantile(times, 0.5)),
    row('99 of 100', quantile(times, 0.99)),
    row('slowest', quantile(times, 1), { of: 'ratio', atMost: 1 }),
  ];
}

/** Of each person in each group: how long the first event about it waited for the first write. */
function lagsOf(steps: readonly Step[], moments: Moments, done: readonly Write[], tenant: EventTenant): number[] {
  const came = new Map<string, number>();
  for (const { pair, change, atMs } of done) if (change === 'add' && !came.has(pair)) came.set(pair, atMs);
  const seen = new Set<string>();
  return steps.flatMap((step) =>
    step.people.flatMap((person) => {
      const pair = tenant.pairOf(step.group, person);
      const atMs = came.get(pair);
      if (seen.has(pair) || atMs === undefined) return [];
      seen.add(pair);
      return [atMs - (moments.get(step) ?? atMs)];
    }),
  );
}

function lagRows(lags: readonly number[]): BenchRow[] {
  const sorted = [...lags].sort((a, b) => a - b);
  const row = (what: string, share: number) =>
    single({
      case: `event to membership: ${what}`,
      unit: 's',
      ours: quantile(sorted, share) / 1_000,
      peer: 1,
      peerName: burst,
    });
  return [row('median', 0.5), row('95 of 100', 0.95), row('slowest', 1)];
}

/** Nothing else going on: a person leaves, and comes again. */
async function measureAlone(tenant: EventTenant): Promise<BenchRow> {
  const step = { group: 0, people: [residents] };
  const follow = async (change: Step['change'], missing: number) => {
    const startedAt = performance.now();
    await tenant.happen({ ...step, change });
    const found = await untilMissing(missing, tenant, { everyMs: 50, patienceMs });
    if (found !== missing) throw new Error(`After a single event ${found} are missing.`);
    return (performance.now() - startedAt) / 1_000;
  };
  const lags: number[] = [];
  for (let round = 1; round <= eventsAlone; round += 1) {
    lags.push(await follow('remove', 1));
    lags.push(await follow('add', 0));
  }
  const peer = lags.map(() => 1);
  return toRow({ case: 'event to membership, one alone', unit: 's', ours: lags, peer, peerName: burst });
}

/** Reads too: a receiver that asked storage anything would be no better. */
async function measureStorageWrites(stage: Stage, body: string): Promise<BenchRow> {
  const storage = await countStorageCalls(stage.storage, ['blob', 'queue', 'table']);
  const host = await stage.startHost('counted', { storage: storage.endpoints });
  try {
    const post = () => postEvents(`${host.api}/okta/events`, stage.secret, body);
    // The first makes the queue.
    await post();
    storage.takeCalls();
    for (let count = 1; count <= countedPosts; count += 1) {
      const { status } = await post();
      if (status !== 204) throw new Error(`A post was answered with ${status ?? 'nothing'}.`);
    }
    const calls = storage.takeCalls();
    return single({
      case: 'storage calls, a post',
      unit: 'calls',
      ours: calls.length / countedPosts,
      peer: calls.filter((call) => call === 'queue POST').length / countedPosts,
      peerName: 'messages put into a queue',
      target: { of: 'ours', atLeast: 1, atMost: 1 },
    });
  } finally {
    await host.stop();
    await storage.stop();
  }
}

async function measureColdStarts(stage: Stage, body: string): Promise<BenchRow[]> {
  const [fromSpawn, posts]: [number[], number[]] = [[], []];
  for (let round = 0; round <= coldStarts; round += 1) {
    const startedAt = performance.now();
    const host = await stage.startHost('cold');
    const { status, ms } = await postEvents(`${host.api}/okta/events`, stage.secret, body);
    const sinceSpawnMs = performance.now() - startedAt;
    await host.stop();
    if (status !== 204) throw new Error(`The first post was answered with ${status ?? 'nothing'}.`);
    // The first makes the queue.
    if (round === 0) continue;
    fromSpawn.push(sinceSpawnMs);
    posts.push(ms);
  }
  const row = (what: string, ours: readonly number[]) =>
    toRow({
      case: what,
      unit: 'ms',
      ours,
      peer: ours.map(() => limitMs),
      peerName: limit,
      target: { of: 'ratio', atMost: 1 },
    });
  return [row('cold start: spawn to first 204', fromSpawn), row('cold start: the first post', posts)];
}

type Single = Omit<Measured, 'ours' | 'peer'> & { readonly ours: number; readonly peer: number };

function single({ ours, peer, ...what }: Single): BenchRow {
  return toRow({ ...what, ours: [ours], peer: [peer] });
}

function quantile(sorted: readonly number[], share: number): number {
  const value = sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))];
  if (value === undefined) throw new Error('Nothing was measured.');
  return value;
}

import { rm } from 'node:fs/promises';
import { embeddedSettings, type Settings, type SimulatedTenant } from '../local/settings.ts';
import { isJsonLine, readJsonLine, startChild } from '../local/processes/child.ts';
import { actions, workers } from '../functions/register.ts';
import { type Bench, type BenchRow, median, type Target, toRow } from './bench.ts';
import { type AppName, preparePrograms, type Programs } from './coldStart/apps.ts';
import { type Line, measureSpawn, type Sample } from './coldStart/spawns.ts';

const rounds = 15;
const group = 'finance-approvers@contoso.com';
const apps = ['ours', 'esm', 'commonJs'] as const;
const peers = {
  esm: 'unbundled ES modules, SDKs imported at the top',
  commonJs: 'unbundled CommonJS, SDKs imported at the top',
};
const key = 'key-of-the-bench';

export const coldStart: Bench = {
  name: 'coldStart',
  heldEqual: [
    'Times are above those of an empty Node.js process, spawned in the same rounds; so is the memory (RSS at the end).',
    'The peers are the same source, each file compiled for itself, with @azure/identity, @azure/data-tables,' +
      ' @microsoft/microsoft-graph-client and ajv imported at the top. No process compiles TypeScript.',
    'Registered: the app imported as the worker does it.',
    `First answer: the local host (the same bundle for all, its own start included) until it has answered GET groups/${group},` +
      ' asked the moment it listened: a read, with two tokens of a managed identity by @azure/identity and calls to both' +
      ' Exchange and Graph, against the simulator without latency. A write would load @azure/data-tables as well.',
    `${rounds} rounds after one that does not count; they take turns in going first. Warm page cache.`,
  ],
  run,
};

type Samples = Record<AppName, Sample[]>;

async function run(): Promise<BenchRow[]> {
  const programs = await preparePrograms();
  try {
    const simulator = await startChild({ name: 'The simulator', script: 'simulator/main.ts', isReady: isJsonLine });
    try {
      const tenant = readJsonLine(simulator) as SimulatedTenant;
      return await measure(programs, settingsFor(tenant));
    } finally {
      await simulator.stop();
    }
  } finally {
    await rm(programs.folder, { recursive: true });
  }
}

function settingsFor(tenant: SimulatedTenant): Settings {
  return {
    ...embeddedSettings({}, tenant, ''),
    // A managed identity asks over plain HTTP.
    NODE_EXTRA_CA_CERTS: undefined,
    AzureWebJobsStorage: 'UseDevelopmentStorage=true',
    LOCAL_FUNCTION_KEY: key,
  };
}

async function measure(programs: Programs, env: Settings): Promise<BenchRow[]> {
  const empty: Sample[] = [];
  const registered: Samples = { ours: [], esm: [], commonJs: [] };
  const answered: Samples = { ours: [], esm: [], commonJs: [] };
  for (let round = 0; round <= rounds; round++) {
    const emptySample = await measureSpawn([programs.empty], env);
    const first = round % apps.length;
    const samples = [];
    for (const name of [...apps.slice(first), ...apps.slice(0, first)]) {
      const folder = programs.apps[name];
      const register = await measureSpawn([programs.register, folder], env);
      checkFunctions(register.ready);
      const answer = await measureSpawn([programs.host, '--app', folder, '--quiet', '--no-queues'], env, askForGroup);
      samples.push({ name, register, answer });
    }
    // The first round fills the page cache.
    if (round === 0) continue;
    empty.push(emptySample);
    for (const { name, register, answer } of samples) {
      registered[name].push(register);
      answered[name].push(answer);
    }
  }
  return [
    ...toRows('functions registered', registered, empty, { of: 'ratio', atMost: 0.45 }),
    ...toRows('first answer', answered, empty, { of: 'ratio', atMost: 0.6 }),
  ];
}

/** Nobody is quick by leaving functions out. */
function checkFunctions({ functions }: Line): void {
  const expected = [...actions, ...workers].map(({ name }) => name);
  if (JSON.stringify(functions) !== JSON.stringify(expected))
    throw new Error(`Registered: ${JSON.stringify(functions)}`);
}

async function askForGroup(line: Line): Promise<void> {
  const response = await fetch(`${String(line.api)}/groups/${group}`, { headers: { 'x-functions-key': key } });
  const text = await response.text();
  if (response.status !== 200) throw new Error(`The first answer was ${response.status}: ${text}`);
}

function toRows(what: string, samples: Samples, empty: readonly Sample[], target: Target): BenchRow[] {
  const above = (name: AppName, of: 'ms' | 'rssMib') => {
    const base = median(empty.map((sample) => sample[of]));
    return samples[name].map((sample) => sample[of] - base);
  };
  return (['esm', 'commonJs'] as const).flatMap((peer) => {
    const both = (of: 'ms' | 'rssMib') => ({ peerName: peers[peer], ours: above('ours', of), peer: above(peer, of) });
    return [
      toRow({ case: what, unit: 'ms', ...both('ms'), target }),
      toRow({ case: `${what}, memory`, unit: 'MiB', ...both('rssMib') }),
    ];
  });
}

import { type Child, isJsonLine, readJsonLine, startChild } from '../../local/processes/child.ts';
import type { SimulatedTenant } from '../../local/settings.ts';

/** A distribution list that the bench makes exact. */
export interface BenchGroup {
  readonly address: string;
  readonly id: string;
}

/** What was asked of Graph and Exchange; tokens do not count. */
export interface Calls {
  /** HTTP calls: a `$batch` is one. */
  readonly all: number;
  /** Those with at least one write in them. */
  readonly writing: number;
  /** Reads of one page of members. */
  readonly pages: number;
  /** With each part of a `$batch` for itself. */
  readonly withParts: number;
}

export type TenantLine = SimulatedTenant & {
  urls: SimulatedTenant['urls'] & { control: string };
  certificateAuthorityPem: string;
};

export interface BenchTenant {
  readonly process: Child;
  readonly line: TenantLine;
  /** In the order of `sizes`. */
  readonly groups: readonly BenchGroup[];
  /** person000001@contoso.com is at 0. */
  upnOf(person: number): string;
  /** What a client may call Graph and Exchange with. */
  tokens(): Promise<{ readonly graphToken: string; readonly exchangeToken: string }>;
  /** How long each call of Graph and Exchange takes at least from now on; a `$batch` is one. */
  setRoundTrip(ms: number): Promise<void>;
  /** Since the last time. */
  takeCalls(): Promise<Calls>;
  /** @throws unless the members of a group are exactly the people from `first` on, so many of them */
  checkMembers(group: BenchGroup, first: number, count: number): Promise<void>;
}

interface GroupState {
  readonly id: string;
  readonly mail: string;
  readonly members: readonly string[];
}

interface JournalRow {
  readonly upstream: string;
  readonly method: string;
  readonly path: string;
  readonly cmdlet: string | null;
  readonly requestBody: { readonly requests?: readonly unknown[] } | null;
}

const isBatch = ({ path }: JournalRow) => path.endsWith('/$batch');
const isWrite = ({ method, cmdlet }: JournalRow) => (cmdlet === null ? method !== 'GET' : !cmdlet.startsWith('Get-'));

/** A simulator with so many people and a group of each size, which has the first so many of them. */
export async function startBenchTenant(people: number, sizes: readonly number[]): Promise<BenchTenant> {
  const child = await startChild({ name: 'The simulator', script: 'simulator/main.ts', isReady: isJsonLine });
  try {
    return await prepare(child, people, sizes);
  } catch (error) {
    await child.stop();
    throw error;
  }
}

async function prepare(child: Child, people: number, sizes: readonly number[]): Promise<BenchTenant> {
  const line = readJsonLine(child) as TenantLine;

  async function ask<T>(url: string, init?: RequestInit): Promise<T> {
    const response = await fetch(url, init);
    const text = await response.text();
    if (!response.ok) throw new Error(`The simulator refused ${url} (${response.status}): ${text}`);
    return (text === '' ? null : JSON.parse(text)) as T;
  }
  const control = <T>(method: string, path: string, body?: object): Promise<T> =>
    ask<T>(`${line.urls.control}/_sim/${path}`, { method, ...(body && { body: JSON.stringify(body) }) });
  const nameOf = (number: number) => `Numbered Group ${String(number).padStart(4, '0')}`;
  const readGroup = (ref: string) => control<GroupState>('GET', `groups/${encodeURIComponent(ref)}`);

  const everybody = nameOf(sizes.length + 1);
  await control('POST', 'seed', { users: people, groups: sizes.length + 1, kind: 'distributionList' });
  const members = Object.fromEntries(sizes.map((size, index) => [nameOf(index + 1), size]));
  await control('POST', 'seed', { users: people, members: { ...members, [everybody]: people } });
  const { members: ids } = await readGroup(everybody);
  const groups: BenchGroup[] = [];
  for (const index of sizes.keys()) {
    const { id, mail } = await readGroup(nameOf(index + 1));
    groups.push({ id, address: mail });
  }

  const tokenFor = async (resource: string) => {
    const query = new URLSearchParams({ resource, 'api-version': '2019-08-01' });
    const headers = { 'x-identity-header': line.identityHeader };
    const { access_token } = await ask<{ access_token: string }>(`${line.urls.identity}?${query.toString()}`, {
      headers,
    });
    return access_token;
  };

  return {
    process: child,
    line,
    groups,
    upnOf: (person) => `person${String(person + 1).padStart(6, '0')}@contoso.com`,

    tokens: async () => ({
      graphToken: await tokenFor('https://graph.microsoft.com'),
      exchangeToken: await tokenFor('https://outlook.office365.com'),
    }),

    setRoundTrip: async (ms) => {
      await control('PUT', 'tenant', { settings: { latencyMs: { exchange: ms, graph: ms } } });
    },

    takeCalls: async () => {
      const rows = await control<JournalRow[]>('GET', 'calls');
      await control('DELETE', 'calls');
      return countCalls(rows.filter(({ upstream }) => upstream === 'graph' || upstream === 'exchange'));
    },

    checkMembers: async (group, first, count) => {
      const expected = ids.slice(first, first + count);
      const found = new Set((await readGroup(group.id)).members);
      const missing = expected.filter((id) => !found.has(id)).length;
      if (missing > 0 || found.size !== count)
        throw new Error(`${group.address} should have ${count} members and has ${found.size}; ${missing} are missing.`);
    },
  };
}

/** The row of a `$batch` comes right before those of its parts. */
function countCalls(rows: readonly JournalRow[]): Calls {
  let [all, writing, pages, withParts] = [0, 0, 0, 0];
  for (let index = 0; index < rows.length;) {
    const row = rows[index];
    if (row === undefined) break;
    const partCount = isBatch(row) ? (row.requestBody?.requests?.length ?? 0) : 0;
    const parts = partCount === 0 ? [row] : rows.slice(index + 1, index + 1 + partCount);
    all += 1;
    withParts += parts.length;
    if (parts.some(isWrite)) writing += 1;
    if (row.path.includes('/members?')) pages += 1;
    index += 1 + partCount;
  }
  return { all, writing, pages, withParts };
}

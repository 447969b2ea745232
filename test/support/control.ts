import type { FaultRule } from '../../simulator/http/fault.ts';
import type { JournalRow } from '../../simulator/http/journal.ts';

type Row = Readonly<JournalRow>;
type NewFault = Pick<FaultRule, 'upstream' | 'fault'> & Partial<FaultRule>;
type CallFilter = Partial<Pick<Row, 'upstream' | 'method' | 'cmdlet'>> & {
  /** A part of path and query. */
  path?: string;
};

/** The simulator's control API (`/_sim`), as `docs/simulator.md` has it. */
export interface SimulatorControl {
  /** Back to the seed: tenant, clock, faults and journal. */
  reset(): Promise<void>;
  state(): Promise<Record<string, unknown>>;
  /** Merges objects into the tenant, by Graph's property names. */
  tenant(objects: object): Promise<void>;
  /** Puts in many numbered people and groups at once, and gives a group the first so many of these people. */
  seed(objects: { users?: number; groups?: number; kind?: string; members?: Record<string, number> }): Promise<void>;
  /** The ids of the members of one group, by its id, name or address, as Exchange has them where it has the group. */
  membersOf(group: string): Promise<string[]>;
  /** Edits from outside, on both sides at once. */
  addMember(group: string, member: string): Promise<void>;
  removeMember(group: string, member: string): Promise<void>;
  fault(rule: NewFault): Promise<void>;
  clearFaults(): Promise<void>;
  /** The journal, oldest first. */
  calls(filter?: CallFilter): Promise<Row[]>;
  clearCalls(): Promise<void>;
  clock(change: { advanceMs: number } | { now: string | number }): Promise<void>;
  /** The calls that change something, or would have if they had not been refused. */
  writes(): Promise<Row[]>;
}

export function controlOf(url: string): SimulatorControl {
  const send = async (method: string, path: string, body?: object): Promise<unknown> => {
    const response = await fetch(`${url}/_sim/${path}`, {
      method,
      ...(body && { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } }),
    });
    const text = await response.text();
    if (!response.ok) throw new Error(`The simulator refused ${method} /_sim/${path} (${response.status}): ${text}`);
    return text === '' ? null : JSON.parse(text);
  };
  const tell = async (...call: Parameters<typeof send>): Promise<void> => {
    await send(...call);
  };
  const calls = async (filter: CallFilter = {}) => ((await send('GET', 'calls')) as Row[]).filter(fits(filter));
  return {
    reset: () => tell('POST', 'reset'),
    state: async () => (await send('GET', 'state')) as Record<string, unknown>,
    tenant: (objects) => tell('PUT', 'tenant', objects),
    seed: (objects) => tell('POST', 'seed', objects),
    membersOf: async (group) => ((await send('GET', pathOf(group))) as { members: string[] }).members,
    addMember: (group, member) => tell('PUT', pathOf(group, member)),
    removeMember: (group, member) => tell('DELETE', pathOf(group, member)),
    fault: (rule) => tell('POST', 'faults', rule),
    clearFaults: () => tell('DELETE', 'faults'),
    calls,
    clearCalls: () => tell('DELETE', 'calls'),
    clock: (change) => tell('POST', 'clock', change),
    writes: async () => (await calls()).filter(isWrite),
  };
}

function pathOf(group: string, member?: string): string {
  const path = `groups/${encodeURIComponent(group)}`;
  return member === undefined ? path : `${path}/members/${encodeURIComponent(member)}`;
}

function fits({ upstream, method, cmdlet, path }: CallFilter): (row: Row) => boolean {
  return (row) =>
    (upstream === undefined || row.upstream === upstream) &&
    (method === undefined || row.method === method) &&
    (cmdlet === undefined || row.cmdlet === cmdlet) &&
    (path === undefined || row.path.includes(path));
}

/** An Exchange cmdlet is a POST whatever it does. A `$batch` is told by its parts, which have rows of their own. */
function isWrite({ upstream, method, cmdlet, path }: Row): boolean {
  if (method === 'GET' || path.includes('/$batch')) return false;
  if (upstream === 'exchange') return !/^get-/i.test(cmdlet ?? '');
  // A token that is asked for changes nothing.
  return upstream === 'graph' || (upstream === 'okta' && !path.startsWith('/oauth2/'));
}

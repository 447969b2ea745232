import { setTimeout as delay } from 'node:timers/promises';
import { groupCount, peopleCount, residents, type Step } from './course.ts';
import type { Host } from './stage.ts';

/** A successful write of one member. */
export interface Write {
  /** `<Entra id of the list> <Entra id of the member>` */
  readonly pair: string;
  readonly change: 'add' | 'remove';
  readonly atMs: number;
}

/** A tenant and an org whose groups are pushed to lists. */
export interface EventTenant {
  /** Makes the mapping of each group, and approves it. */
  link(host: Host): Promise<void>;
  /** From now on Okta posts to this url what happens. */
  hook(url: string, secret: string): Promise<void>;
  /** Makes it happen in Okta: one post of ten events. */
  happen(step: Step): Promise<void>;
  /** `<Entra id of the list> <Entra id of the member>` */
  pairOf(group: number, person: number): string;
  /** How many are not yet where they belong when everybody is in every group. */
  missing(): Promise<number>;
  /** Forgets what has been called so far. */
  clearCalls(): Promise<void>;
  /** Of members, in the order of time, and how many writes were sent in all, done or refused. */
  writes(): Promise<{ readonly done: readonly Write[]; readonly sentCount: number; readonly batchCount: number }>;
}

interface Directory {
  readonly groups: readonly { id: string; displayName: string; members: readonly string[] }[];
  readonly users: readonly { id: string; userPrincipalName: string }[];
}

interface JournalRow {
  readonly cmdlet: string | null;
  readonly status: number | null;
  readonly at: string;
  readonly requestId: string;
  readonly requestBody: { CmdletInput: { Parameters: { Identity: string; Member: string } } };
  readonly responseBody: { value?: { Guid: string; ExternalDirectoryObjectId: string }[] } | null;
}

const numberOf = (index: number) => String(index + 1).padStart(4, '0');
const oktaName = (group: number) => `Okta Group ${numberOf(group)}`;
const listName = (group: number) => `Numbered Group ${numberOf(group)}`;
const loginOf = (person: number) => `person${String(person + 1).padStart(6, '0')}@contoso.com`;
const groupNumbers = Array.from({ length: groupCount }, (_, index) => index);

export async function prepareTenant(controlUrl: string): Promise<EventTenant> {
  async function ask<T>(method: string, path: string, body?: object): Promise<T> {
    const response = await fetch(`${controlUrl}/_sim/${path}`, {
      method,
      ...(body && { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } }),
    });
    const text = await response.text();
    if (!response.ok) throw new Error(`The simulator refused ${method} ${path} (${response.status}): ${text}`);
    return (text === '' ? null : JSON.parse(text)) as T;
  }
  const residentsOf = (nameOf: (group: number) => string) =>
    Object.fromEntries(groupNumbers.map((group) => [nameOf(group), residents]));

  await ask('POST', 'okta/seed', { users: peopleCount, groups: groupCount, members: residentsOf(oktaName) });
  await ask('POST', 'seed', { users: peopleCount, groups: groupCount, kind: 'distributionList' });
  await ask('POST', 'seed', { users: peopleCount, members: residentsOf(listName) });
  const directory = () => ask<Directory>('GET', 'state');
  const { groups, users } = await directory();
  const org = await ask<{ groups: { id: string; profile: { name: string } }[] }>('GET', 'okta/state');
  const listIds = groupNumbers.map((group) => idOf(groups.find(({ displayName }) => displayName === listName(group))));
  const oktaIds = groupNumbers.map((group) => idOf(org.groups.find(({ profile }) => profile.name === oktaName(group))));
  const userIds = Array.from({ length: peopleCount }, (_, person) =>
    idOf(users.find(({ userPrincipalName }) => userPrincipalName === loginOf(person))),
  );

  return {
    link: async ({ api, key }) => {
      const call = async (method: string, path: string, body: object) => {
        const headers = { 'x-functions-key': key, 'content-type': 'application/json' };
        const response = await fetch(`${api}/${path}`, { method, headers, body: JSON.stringify(body) });
        const text = await response.text();
        if (!response.ok) throw new Error(`${method} ${path} answered ${response.status}: ${text}`);
        return JSON.parse(text) as { planId: string | null };
      };
      for (const [group, oktaGroupId] of oktaIds.entries()) {
        const settings = { target: listIds[group], authority: 'managed' };
        const { planId } = await call('PUT', `push-mappings/${oktaGroupId}`, settings);
        await call('PUT', `push-mappings/${oktaGroupId}/status`, { status: 'ACTIVE', planId });
      }
    },

    hook: async (url, secret) => {
      const header = { key: 'authorization', value: secret };
      const events = ['group.user_membership.add', 'group.user_membership.remove'];
      await ask('POST', 'okta/hooks', { url, header, events, verify: true });
    },

    happen: async ({ group, people, change }) => {
      const path = `okta/groups/${encodeURIComponent(oktaName(group))}/members`;
      await ask('POST', path, { [change]: people.map(loginOf) });
    },

    pairOf: (group, person) => `${listIds[group] ?? ''} ${userIds[person] ?? ''}`,

    missing: async () => {
      const state = await directory();
      const sizes = new Map(state.groups.map(({ id, members }) => [id, members.length]));
      return listIds.reduce((sum, id) => sum + peopleCount - (sizes.get(id) ?? 0), 0);
    },

    clearCalls: () => ask('DELETE', 'calls'),

    writes: async () => {
      const calls = await ask<JournalRow[]>('GET', 'calls');
      const rowsOf = (name: string) => calls.filter(({ cmdlet }) => cmdlet === name);
      const ids = new Map<string, string>();
      for (const cmdlet of ['Get-DistributionGroup', 'Get-Recipient']) {
        for (const { responseBody } of rowsOf(cmdlet)) {
          for (const { Guid, ExternalDirectoryObjectId } of responseBody?.value ?? []) {
            ids.set(Guid, ExternalDirectoryObjectId);
          }
        }
      }
      const entraIdOf = (id: string) => ids.get(id) ?? id;
      const rows = { add: rowsOf('Add-DistributionGroupMember'), remove: rowsOf('Remove-DistributionGroupMember') };
      const all = (['add', 'remove'] as const).flatMap((change) =>
        rows[change].map(({ status, at, requestId, requestBody }) => {
          const { Identity, Member } = requestBody.CmdletInput.Parameters;
          const pair = `${entraIdOf(Identity)} ${entraIdOf(Member)}`;
          return { pair, change, atMs: Date.parse(at), isDone: status === 200, requestId };
        }),
      );
      return {
        done: all.filter(({ isDone }) => isDone).sort((a, b) => a.atMs - b.atMs),
        sentCount: all.length,
        batchCount: new Set(all.map(({ requestId }) => requestId)).size,
      };
    },
  };
}

function idOf(found: { readonly id: string } | undefined): string {
  if (found === undefined) throw new Error('The simulator has not made all that it was asked for.');
  return found.id;
}

/**
 * Until so many are missing, or the number has come no nearer for `patienceMs`. Returns how many are missing then.
 * @param everyMs asking costs what is measured some time too
 */
export async function untilMissing(
  count: number,
  tenant: EventTenant,
  { everyMs, patienceMs }: { everyMs: number; patienceMs: number },
): Promise<number> {
  let [least, sinceMs] = [Number.POSITIVE_INFINITY, performance.now()];
  for (;;) {
    const missing = await tenant.missing();
    const distance = Math.abs(missing - count);
    if (distance < least) [least, sinceMs] = [distance, performance.now()];
    if (distance === 0 || performance.now() - sinceMs > patienceMs) return missing;
    await delay(everyMs);
  }
}

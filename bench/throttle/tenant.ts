import { isJsonLine, readJsonLine, startChild } from '../../local/processes/child.ts';
import type { Job, Write } from './job.ts';

const groupCount = 10;
const memberCount = 200;

export interface ThrottledTenant {
  /** What a worker needs to reach it. */
  readonly reach: Pick<Job, 'exchangeUrl' | 'tenantId' | 'token'>;
  /** Every member into every group. */
  readonly writes: readonly Write[];
  /** Empties the groups, and puts a limit that is full. */
  prepare(retryAfterSeconds: number): Promise<void>;
  /** How many of the writes the tenant shows. */
  countWritten(): Promise<number>;
  stop(): Promise<void>;
}

interface SimulatorLine {
  urls: { exchange: string; identity: string; control: string };
  identityHeader: string;
  tenantId: string;
}

export const limit = { ratePerSecond: 20, burst: 200, roundTripMs: 150 };

/** A simulator of its own, whose clock runs `speed` times as fast. */
export async function startThrottledTenant(speed: number): Promise<ThrottledTenant> {
  const child = await startChild({
    name: 'The simulator',
    script: 'simulator/main.ts',
    args: ['--speed', String(speed)],
    isReady: isJsonLine,
  });
  const { urls, identityHeader, tenantId } = readJsonLine(child) as SimulatorLine;
  const groups = Array.from({ length: groupCount }, (_, index) => `Bench Group ${index}`);
  const members = Array.from({ length: memberCount }, (_, index) => `bench.member${index}@contoso.com`);

  async function ask<T>(url: string, init?: RequestInit): Promise<T> {
    const response = await fetch(url, init);
    const text = await response.text();
    if (!response.ok) throw new Error(`The simulator refused ${url} (${response.status}): ${text}`);
    return (text === '' ? null : JSON.parse(text)) as T;
  }
  const control = <T>(method: string, path: string, body?: object): Promise<T> =>
    ask<T>(`${urls.control}/_sim/${path}`, { method, ...(body && { body: JSON.stringify(body) }) });

  const query = 'resource=https%3A%2F%2Foutlook.office365.com&api-version=2019-08-01';
  const { access_token: token } = await ask<{ access_token: string }>(`${urls.identity}?${query}`, {
    headers: { 'x-identity-header': identityHeader },
  });
  return {
    reach: { exchangeUrl: urls.exchange, tenantId, token },
    writes: members.flatMap((member) => groups.map((group) => ({ group, member }))),

    prepare: async (retryAfterSeconds) => {
      await control('POST', 'reset');
      await control('PUT', 'tenant', {
        users: members.map((mail) => ({ userPrincipalName: mail, mail })),
        groups: groups.map((displayName) => ({ displayName, mailEnabled: true, securityEnabled: false })),
        settings: {
          latencyMs: { exchange: limit.roundTripMs },
          limits: [
            {
              upstream: 'exchange',
              effect: 'write',
              ratePerSecond: limit.ratePerSecond,
              burst: limit.burst,
              seconds: retryAfterSeconds,
              refusedCallsCount: true,
            },
          ],
        },
      });
    },

    countWritten: async () => {
      const state = await control<{ groups: { displayName: string; members: string[] }[] }>('GET', 'state');
      return state.groups
        .filter(({ displayName }) => groups.includes(displayName))
        .reduce((sum, group) => sum + group.members.length, 0);
    },

    stop: () => child.stop(),
  };
}

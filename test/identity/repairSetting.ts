import { type Clock, systemClock } from '../../shared/clock.ts';
import { directoryOf } from '../support/directory.ts';
import { type Answer, type App, type JsonObject, rowsOf, startWorld, type World } from '../support/world.ts';

/** A user of the seed for immutable IDs, by the part of its name after `anchor.`. */
export interface Anchored {
  readonly userPrincipalName: string;
  readonly id: string;
  readonly objectGuid: string;
  readonly actual: string | null;
  readonly expected: string;
}

export interface RepairWorld {
  readonly world: World;
  /** Tenant and org as seeded, with the people of the seed for immutable IDs. */
  readonly seed: () => Promise<void>;
  readonly the: (name: string) => Anchored;
  /** As Entra has the user now. */
  readonly seen: (name: string) => Promise<{ userPrincipalName: string; immutableId: string | null }>;
  /** What was sent to change somebody, in order, each with its answer: `onPremisesImmutableId 204`. */
  readonly patches: () => Promise<string[]>;
  /** Of the simulator's control API. */
  readonly control: (method: string, path: string, body?: object) => Promise<unknown>;
  /** Plays on the next PATCH of this user, after so many others. */
  readonly fault: (name: string, fault: object, how?: { times?: number; skip?: number }) => Promise<void>;
}

export async function startRepairWorld(): Promise<RepairWorld> {
  const world = await startWorld();
  let anchored: readonly Anchored[] = [];

  async function control(method: string, path: string, body?: object): Promise<unknown> {
    const response = await fetch(`${world.simulator.urls.control}/_sim/${path}`, {
      method,
      ...(body && { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } }),
    });
    if (!response.ok) throw new Error(`${method} ${path}: ${await response.text()}`);
    return response.status === 204 ? null : response.json();
  }

  function the(name: string): Anchored {
    const found = anchored.find(({ userPrincipalName }) => userPrincipalName.startsWith(`anchor.${name}@`));
    if (found === undefined) throw new Error(`the seed has no anchor.${name}`);
    return found;
  }

  return {
    world,
    control,
    the,

    seed: async () => {
      await world.control.reset();
      anchored = ((await control('POST', 'seed/immutableIds')) as { users: Anchored[] }).users;
    },

    seen: async (name) => {
      const { id } = the(name);
      const user = (await directoryOf(world.control)).users.find((each) => each.id === id);
      if (user === undefined) throw new Error(`anchor.${name} is gone`);
      return { userPrincipalName: user.userPrincipalName, immutableId: user.onPremisesImmutableId };
    },

    patches: async () => {
      const rows = await world.control.calls({ upstream: 'graph', method: 'PATCH' });
      return rows.map(({ requestBody, status }) => `${Object.keys(requestBody as object).join()} ${String(status)}`);
    },

    fault: (name, fault, { times = 1, skip = 0 } = {}) =>
      world.control.fault({
        upstream: 'graph',
        match: { method: 'PATCH', path: `/users/${the(name).id}` },
        fault: fault as never,
        times,
        skip,
      }),
  };
}

/** As an administrator deletes somebody, who then lies among the deleted users. */
export async function deleteUser({ simulator }: World, id: string): Promise<void> {
  const identity = `${simulator.urls.identity}?api-version=2019-08-01&resource=https%3A%2F%2Fgraph.microsoft.com`;
  const token = await fetch(identity, { headers: { 'x-identity-header': simulator.identityHeader } });
  const { access_token: accessToken } = (await token.json()) as { access_token: string };
  const response = await fetch(`${simulator.urls.graph}/v1.0/users/${id}`, {
    method: 'DELETE',
    headers: { authorization: `Bearer ${accessToken}` },
  });
  if (response.status !== 204) throw new Error(`not deleted: ${await response.text()}`);
}

export const forbidden = {
  kind: 'status',
  status: 403,
  body: {
    error: { code: 'Authorization_RequestDenied', message: 'Insufficient privileges to complete the operation.' },
  },
};

export const refusedForNoReason = {
  kind: 'status',
  status: 400,
  body: { error: { code: 'Request_BadRequest', message: 'Something is not as it should be.' } },
};

/** Real time, but whoever waits does so in none; a test may let more go by. */
export interface HurriedClock extends Clock {
  advance(ms: number): void;
}

export function createHurriedClock(): HurriedClock {
  let aheadMs = 0;
  return {
    now: () => systemClock.now() + aheadMs,
    sleep: (ms, signal) => {
      if (!signal.aborted) aheadMs += ms;
      return new Promise((resolve) => setImmediate(resolve));
    },
    after: (ms, callback) => systemClock.after(ms, callback),
    advance: (ms) => {
      aheadMs += ms;
    },
  };
}

export const repairOf = (
  app: Pick<App, 'call'>,
  user: string,
  body: object = {},
  headers: Record<string, string> = {},
): Promise<Answer> => app.call('POST', `users/${encodeURIComponent(user)}/immutable-id/repair`, { body, headers });

/** Each step that was taken, with its outcome. */
export const stepsOf = (answer: Answer): string[] =>
  rowsOf(answer, 'steps').map(({ step, outcome }) => `${String(step)} ${String(outcome)}`);

export const swingSteps = ['setImmutableId refused', 'moveUpn done', 'setImmutableId done', 'restoreUpn done'];
export const swingPatches = [
  'onPremisesImmutableId 400',
  'userPrincipalName 204',
  'onPremisesImmutableId 204',
  'userPrincipalName 204',
];

export async function operationOf(app: Pick<App, 'call'>, answer: Answer): Promise<JsonObject> {
  return (await app.call('GET', `operations/${String(answer.body?.operationId)}`)).body ?? {};
}

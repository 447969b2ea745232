import { apiTokenOf } from '../push/movedClock.ts';
import type { SimulatorControl } from '../support/control.ts';
import { type Answer, type App, rowsOf, startWorld, type World } from '../support/world.ts';

/** A user of the seed for immutable IDs, by the part of its name after `anchor.`. */
export interface Anchored {
  readonly userPrincipalName: string;
  readonly id: string;
  readonly actual: string | null;
  readonly expected: string;
}

export interface OktaAppUserState {
  readonly id: string;
  readonly scope: string;
  readonly groupId: string | null;
  readonly userName: string;
  readonly profile: Readonly<Record<string, unknown>>;
}

interface OktaAppState {
  readonly id: string;
  readonly name: string;
  readonly users: readonly OktaAppUserState[];
  readonly capabilities: { readonly update: { readonly lifecycleDeactivate: { readonly status: string } } } | null;
}

interface OktaState {
  readonly apps: readonly OktaAppState[];
  readonly users: readonly { readonly id: string; readonly profile: { readonly login: string } }[];
}

export interface TenantUser {
  readonly id: string;
  readonly userPrincipalName: string;
  readonly onPremisesImmutableId: string | null;
  readonly accountEnabled: boolean;
}

/** The simulated tenant and org, with a look at both sides of a repair. */
export interface OktaRepairs {
  readonly world: World;
  readonly control: SimulatorControl;
  readonly app: App;
  /** Back to the seed, with the people for immutable IDs. */
  readonly reset: () => Promise<void>;
  readonly the: (name: string) => Anchored;
  readonly send: (method: string, path: string, body?: object) => Promise<unknown>;
  readonly office: () => Promise<OktaAppState>;
  /** "Deactivate Users", as it is. */
  readonly feature: () => Promise<string | undefined>;
  readonly setFeature: (status: string) => Promise<void>;
  /** What an administrator does in Okta. */
  readonly okta: (method: string, path: string, body?: object) => Promise<void>;
  /** null: not assigned. */
  readonly appUser: (login: string) => Promise<OktaAppUserState | null>;
  readonly user: (id: string) => Promise<TenantUser | undefined>;
  readonly users: () => Promise<readonly TenantUser[]>;
  readonly repair: (name: string, body?: object, from?: App) => Promise<Answer>;
}

export async function startOktaRepairs(): Promise<OktaRepairs> {
  const world = await startWorld();
  const { control, simulator } = world;
  // A reset makes the org forget the tokens of its service apps.
  const app = await world.startApp(apiTokenOf(simulator));
  let anchored: readonly Anchored[] = [];

  async function send(method: string, path: string, body?: object): Promise<unknown> {
    const response = await fetch(`${simulator.urls.control}/_sim/${path}`, {
      method,
      ...(body && { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } }),
    });
    if (!response.ok) throw new Error(`${method} ${path}: ${await response.text()}`);
    return response.status === 204 ? null : response.json();
  }
  async function okta(method: string, path: string, body?: object): Promise<void> {
    const response = await fetch(`${simulator.urls.okta}/api/v1/${path}`, {
      method,
      headers: { authorization: `SSWS ${simulator.okta.apiToken}`, 'content-type': 'application/json' },
      ...(body && { body: JSON.stringify(body) }),
    });
    if (!response.ok) throw new Error(`${method} ${path}: ${await response.text()}`);
  }
  const org = async () => (await send('GET', 'okta/state')) as OktaState;
  const users = async () => (await control.state()).users as TenantUser[];
  const office = async (): Promise<OktaAppState> => {
    const found = (await org()).apps.find(({ name }) => name === 'office365');
    if (found === undefined) throw new Error('the org has no Office 365 app');
    return found;
  };
  const feature = async () => (await office()).capabilities?.update.lifecycleDeactivate.status;
  const the = (name: string): Anchored => {
    const found = anchored.find(({ userPrincipalName }) => userPrincipalName.startsWith(`anchor.${name}@`));
    if (found === undefined) throw new Error(`the seed has no anchor.${name}`);
    return found;
  };
  return {
    world,
    control,
    app,
    reset: async () => {
      await control.reset();
      anchored = ((await send('POST', 'seed/immutableIds')) as { users: Anchored[] }).users;
    },
    the,
    send,
    office,
    feature,
    okta,
    setFeature: async (status) => {
      const body = { update: { lifecycleDeactivate: { status } } };
      await okta('PUT', `apps/${(await office()).id}/features/USER_PROVISIONING`, body);
    },
    appUser: async (login) => {
      const { users: people } = await org();
      const id = people.find(({ profile }) => profile.login === login)?.id;
      return (await office()).users.find((each) => each.id === id) ?? null;
    },
    users,
    user: async (id) => (await users()).find((each) => each.id === id),
    repair: async (name, body = {}, from = app) =>
      from.call('POST', `users/${encodeURIComponent(the(name).userPrincipalName)}/immutable-id/repair`, {
        body: { oktaAppId: (await office()).id, ...body },
      }),
  };
}

/** Who is to be repaired from `wrong-0` to `right-0`, and so on; assigned in Okta. */
export interface Crew {
  readonly names: readonly string[];
  /** For `users` of a request. */
  readonly wanted: readonly { readonly user: string; readonly immutableId: string }[];
  readonly idOf: (name: string) => string;
}

export async function seedCrew({ control, send, users }: OktaRepairs, count: number, domain: string): Promise<Crew> {
  const names = Array.from({ length: count }, (_, index) => `crew${String(index).padStart(4, '0')}@${domain}`);
  await control.tenant({
    users: names.map((userPrincipalName, index) => ({
      userPrincipalName,
      displayName: `Crew ${index}`,
      onPremisesImmutableId: `wrong-${index}`,
    })),
  });
  const ids = new Map((await users()).map(({ userPrincipalName, id }) => [userPrincipalName, id]));
  await send('PUT', 'okta/org', { users: names.map((login) => ({ login, status: 'ACTIVE' })) });
  await send('PUT', 'okta/org', {
    appUsers: names.map((user) => ({
      app: 'office365',
      user,
      externalId: ids.get(user),
      userName: user,
      profile: { email: user, department: 'Crew' },
    })),
  });
  return {
    names,
    wanted: names.map((user, index) => ({ user, immutableId: `right-${index}` })),
    idOf: (name) => ids.get(name) ?? '',
  };
}

export const stepsOf = (answer: Answer): unknown[] =>
  rowsOf(answer, 'steps').map(({ step, outcome }) => [step, outcome]);

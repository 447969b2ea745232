import { randomUUID } from 'node:crypto';
import type { Outside } from '../../shared/services.ts';
import type { Simulator } from '../../simulator/index.ts';
import { directoryOf } from '../support/directory.ts';
import { type Answer, type App, type Settings, startWorld, type World } from '../support/world.ts';

export const hookSecret = 'a-secret-of-the-event-hook';

/** The Okta half of the simulator's control API. */
export interface OktaControl {
  send(method: string, path: string, body?: object): Promise<unknown>;
  /** Silently, without events. */
  org(objects: object): Promise<void>;
  seed(objects: { users?: number; groups?: number; members?: Record<string, number> }): Promise<void>;
  groupId(name: string): Promise<string>;
  userId(login: string): Promise<string>;
  join(group: string, user: string): Promise<void>;
  leave(group: string, user: string): Promise<void>;
  changeMembers(group: string, change: { add?: readonly string[]; remove?: readonly string[] }): Promise<void>;
  status(user: string, status: string): Promise<void>;
  rename(group: string, name: string): Promise<void>;
  deleteGroup(group: string): Promise<void>;
  /** Until every delivery has been answered. */
  settle(): Promise<void>;
}

interface OktaState {
  groups: { id: string; profile: { name: string } }[];
  users: { id: string; profile: { login: string } }[];
}

export function oktaControlOf({ urls }: Pick<Simulator, 'urls'>): OktaControl {
  const send: OktaControl['send'] = async (method, path, body) => {
    const response = await fetch(`${urls.control}/_sim/okta/${path}`, {
      method,
      ...(body && { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } }),
    });
    const text = await response.text();
    if (!response.ok) throw new Error(`The simulator refused ${method} okta/${path} (${response.status}): ${text}`);
    return text === '' ? null : (JSON.parse(text) as unknown);
  };
  const act = async (method: string, path: string, body?: object) => {
    await send(method, path, body);
  };
  const state = async () => (await send('GET', 'state')) as OktaState;
  const member = (group: string, user: string) =>
    `groups/${encodeURIComponent(group)}/members/${encodeURIComponent(user)}`;
  const found = (id: string | undefined, name: string) => {
    if (id === undefined) throw new Error(`Okta has no ${name}`);
    return id;
  };
  return {
    send,
    org: (objects) => act('PUT', 'org', objects),
    seed: (objects) => act('POST', 'seed', objects),
    groupId: async (name) => found((await state()).groups.find(({ profile }) => profile.name === name)?.id, name),
    userId: async (login) => found((await state()).users.find(({ profile }) => profile.login === login)?.id, login),
    join: (group, user) => act('PUT', member(group, user)),
    leave: (group, user) => act('DELETE', member(group, user)),
    changeMembers: (group, change) => act('POST', `groups/${encodeURIComponent(group)}/members`, change),
    status: (user, status) => act('PATCH', `users/${encodeURIComponent(user)}`, { status }),
    rename: (group, name) => act('PATCH', `groups/${encodeURIComponent(group)}`, { profile: { name } }),
    deleteGroup: (group) => act('DELETE', `groups/${encodeURIComponent(group)}`),
    settle: () => act('POST', 'deliveries/settle'),
  };
}

/** A tenant, an org with an event hook, and the app between them. */
export interface PushWorld {
  readonly world: World;
  readonly app: App;
  readonly okta: OktaControl;
  /** Registers the hook: after each reset of the simulator. */
  hook(): Promise<void>;
  /** Until all events have arrived, are collected, and the pending changes of these groups are served. */
  served(...oktaGroupIds: string[]): Promise<void>;
  close(): Promise<void>;
}

/** @param outside in place of the real fetch, clock or chance */
export async function startPushWorld(
  settings: Settings | ((simulator: Simulator) => Settings) = {},
  outside: Partial<Outside> = {},
): Promise<PushWorld> {
  const world = await startWorld();
  const more = typeof settings === 'function' ? settings(world.simulator) : settings;
  const app = await world.startApp({ OKTA_EVENT_HOOK_SECRET: hookSecret, ...more }, outside);
  const okta = oktaControlOf(world.simulator);
  return {
    world,
    app,
    okta,
    hook: async () => {
      const url = `${app.host.url}/${app.host.routePrefix}/okta/events`;
      await okta.send('POST', 'hooks', { url, header: { key: 'authorization', value: hookSecret }, verify: true });
    },
    served: async (...oktaGroupIds) => {
      await okta.settle();
      app.host.lookIntoQueues();
      await app.idle();
      for (const oktaGroupId of oktaGroupIds) await app.fire('processPendingChanges', { oktaGroupId });
    },
    close: () => world.close(),
  };
}

/** A list of Exchange, with an id of its own: what the app remembers of a group it keeps by its id. */
export async function putList(
  { world }: PushWorld,
  mail: string,
  members: readonly string[] = [],
  more: object = {},
): Promise<string> {
  const id = randomUUID();
  const [displayName = ''] = mail.split('@');
  const kind = { mailEnabled: true, securityEnabled: false, groupTypes: [] };
  const owners = ['rosa.delgado@contoso.com'];
  await world.control.tenant({ groups: [{ id, displayName, mail, ...kind, owners, members, ...more }] });
  return id;
}

export function putMapping(app: Pick<App, 'call'>, oktaGroupId: string, body: object): Promise<Answer> {
  return app.call('PUT', `push-mappings/${oktaGroupId}`, { body });
}

export function setStatus(app: Pick<App, 'call'>, oktaGroupId: string, body: object): Promise<Answer> {
  return app.call('PUT', `push-mappings/${oktaGroupId}/status`, { body });
}

export function pushNow(app: App, oktaGroupId: string, body: object = {}): Promise<Answer> {
  return app.call('POST', `push-mappings/${oktaGroupId}/push`, { body });
}

/** Made, looked at and approved. */
export async function linkMapping(
  app: Pick<App, 'call'>,
  oktaGroupId: string,
  body: object,
  limits: object = {},
): Promise<Answer> {
  const put = await putMapping(app, oktaGroupId, body);
  if (put.status !== 201) throw new Error(`The mapping was not made: ${put.status} ${put.text}`);
  const status = await setStatus(app, oktaGroupId, { status: 'ACTIVE', planId: put.body?.planId, ...limits });
  if (status.status > 202) throw new Error(`The mapping was not approved: ${status.status} ${status.text}`);
  return status;
}

export interface Mapped {
  readonly name: string;
  readonly oktaGroupId: string;
  readonly target: string;
  readonly answer: Answer;
}

export type NewGroup = [
  name: string,
  people: readonly string[],
  settings?: object,
  /** Of the list. */
  members?: readonly string[],
];

/** A mapping of a new Okta group with these people, and of a new list. */
export async function mapGroup(
  push: PushWorld,
  ...[name, people, settings = {}, members = []]: NewGroup
): Promise<Mapped> {
  await push.okta.org({ groups: [{ name, members: people }] });
  const oktaGroupId = await push.okta.groupId(name);
  const target = await putList(push, `${name.toLowerCase().replaceAll(' ', '-')}@contoso.com`, members);
  const answer = await linkMapping(push.app, oktaGroupId, { target, ...settings });
  return { name, oktaGroupId, target, answer };
}

/** UPNs of the members of a list, sorted. */
export async function memberNames(push: PushWorld, { target }: Pick<Mapped, 'target'>): Promise<string[]> {
  const { users } = await directoryOf(push.world.control);
  const names = new Map(users.map(({ id, userPrincipalName }) => [id, userPrincipalName]));
  return (await push.world.control.membersOf(target)).map((id) => names.get(id) ?? id).sort();
}

export async function mappingOf(app: Pick<App, 'call'>, oktaGroupId: string): Promise<Record<string, unknown>> {
  const answer = await app.call('GET', `push-mappings/${oktaGroupId}`);
  if (answer.body === null) throw new Error(answer.text);
  return answer.body;
}

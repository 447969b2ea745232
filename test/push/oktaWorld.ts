import { readConfig } from '../../shared/config.ts';
import { createOktaApps } from '../../shared/okta/apps.ts';
import type { Okta } from '../../shared/okta/client.ts';
import { createOktaGroups } from '../../shared/okta/groups.ts';
import { createOktaUsers } from '../../shared/okta/users.ts';
import { createOktaSource } from '../../shared/push/oktaSource.ts';
import type { PushSource } from '../../shared/push/source.ts';
import { layGround } from '../../shared/services/ground.ts';
import { ownStorage } from '../support/environment.ts';
import { quickClock } from '../support/rooms.ts';
import { settingsFor, type World } from '../support/world.ts';

export function sourceOver(okta: Okta): PushSource {
  return createOktaSource({
    okta,
    oktaGroups: createOktaGroups(okta),
    oktaUsers: createOktaUsers(okta),
    oktaApps: createOktaApps(okta),
  });
}

/** The ground of an app in this world, on a clock on which waits take no time. */
export async function groundOf({ simulator }: World) {
  const result = readConfig({ ...settingsFor(simulator), AzureWebJobsStorage: await ownStorage() });
  if (!result.ok) throw result.fault;
  return layGround(result.config, { fetch, clock: quickClock(), random: () => 0 });
}

interface Named {
  id: string;
  name: string;
  profile?: { name: string; login: string };
}

/** The simulated org, by the names of what is in it. */
export interface OrgControl {
  tell(method: string, path: string, body?: object): Promise<unknown>;
  userId(login: string): Promise<string>;
  groupId(name: string): Promise<string>;
  appId(name?: string): Promise<string>;
  /** Somebody new, ACTIVE; the id. */
  addUser(login: string): Promise<string>;
  /** The user of the Office 365 app of somebody; made where there is none. */
  putAccount(login: string, account: { externalId?: string | null; userName?: string }): Promise<void>;
  rename(login: string, newLogin: string): Promise<void>;
}

export function orgOf({ simulator }: World): OrgControl {
  const tell = async (method: string, path: string, body?: object): Promise<unknown> => {
    const response = await fetch(`${simulator.urls.control}/_sim/okta/${path}`, {
      method,
      ...(body && { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } }),
    });
    const text = await response.text();
    if (!response.ok) throw new Error(`${method} ${path}: ${text}`);
    return text === '' ? null : JSON.parse(text);
  };
  const idIn = async (list: 'users' | 'groups' | 'apps', name: string): Promise<string> => {
    const state = (await tell('GET', 'state')) as Record<typeof list, Named[]>;
    const found = state[list].find((each) => [each.profile?.login, each.profile?.name, each.name].includes(name));
    if (found === undefined) throw new Error(`the org has no ${name} among its ${list}`);
    return found.id;
  };
  const org: OrgControl = {
    tell,
    userId: (login) => idIn('users', login),
    groupId: (name) => idIn('groups', name),
    appId: (name = 'office365') => idIn('apps', name),
    addUser: async (login) => {
      await tell('PUT', 'org', { users: [{ login }] });
      return org.userId(login);
    },
    putAccount: async (login, account) => {
      await tell('PUT', 'org', { appUsers: [{ user: login, ...account }] });
    },
    rename: async (login, newLogin) => {
      await tell('PATCH', `users/${encodeURIComponent(login)}`, { profile: { login: newLogin } });
    },
  };
  return org;
}

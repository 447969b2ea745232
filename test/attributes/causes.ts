import { directoryRoles } from '../../simulator/tenant/roles.ts';
import { type Answer, type App, type JsonObject, rowsOf, startWorld, type World } from '../support/world.ts';

/** The people of "Causes of a wrong phone" (docs/simulator.md), and the apps that find the causes. */

export const oktaPhone = '+1 555 010 0199';
export const otherPhone = '+1 555 010 0100';

export interface Principal {
  readonly appId: string;
  readonly id: string;
  readonly displayName: string;
  readonly roles: { readonly graph: readonly string[]; readonly exchange: readonly string[] };
  readonly directoryRoles: readonly string[];
}

interface Grant {
  readonly roles?: readonly string[];
  readonly permissions?: readonly string[];
  readonly scopedRoles?: readonly object[];
}

export interface Causes {
  readonly world: World;
  readonly app: App;
  /** Reads users and writes none. */
  readonly reader: App;
  /** Back to the seed, with these people. */
  readonly seed: () => Promise<void>;
  /** To the control API. */
  readonly send: (method: string, path: string, body?: object) => Promise<unknown>;
  readonly principal: (displayName?: string) => Promise<Principal>;
  /** Roles and permissions of the app's service principal, on top of what it has. */
  readonly grant: (more: Grant, displayName?: string) => Promise<void>;
  readonly diagnose: (name: string, query?: Record<string, string>, from?: App) => Promise<Answer>;
  readonly update: (name: string, body: object, from?: App) => Promise<Answer>;
  /** The user in Entra, by the name of the cause. */
  readonly user: (name: string) => Promise<JsonObject>;
}

const ownName = 'okta-m365-actions';
const synced: readonly string[] = ['synced', 'override'];

/** By the part of the name after `cause.`. */
export function upnOf(name: string): string {
  if (name.includes('@')) return name;
  return `cause.${name}@${synced.includes(name) ? 'contoso.com' : 'corp.contoso.com'}`;
}

export const roles = directoryRoles;

export function codesOf(answer: Answer): string[] {
  return String(answer.body?.findingCodes).split(',');
}

export function findingOf(answer: Answer, code: string): JsonObject {
  const found = rowsOf(answer, 'findings').find((each) => each.code === code);
  if (found === undefined) throw new Error(`no ${code}: ${answer.text}`);
  return found;
}

/** The org has forgotten the tokens it gave, and those of Entra hold what was granted then: the app asks for new ones. */
export async function renewTokens(app: App): Promise<void> {
  await app.call('GET', 'connection');
}

export async function startCauses(): Promise<Causes> {
  const world = await startWorld();
  const { control, simulator } = world;
  const app = await world.startApp();

  async function send(method: string, path: string, body?: object): Promise<unknown> {
    const response = await fetch(`${simulator.urls.control}/_sim/${path}`, {
      method,
      ...(body && { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } }),
    });
    const text = await response.text();
    if (!response.ok) throw new Error(`${method} ${path}: ${text}`);
    return text === '' ? null : JSON.parse(text);
  }

  async function principal(displayName = ownName): Promise<Principal> {
    const { servicePrincipals } = (await control.state()) as unknown as { servicePrincipals: Principal[] };
    const found = servicePrincipals.find((each) => each.displayName === displayName);
    if (found === undefined) throw new Error(`no service principal ${displayName}`);
    return found;
  }

  const grant: Causes['grant'] = async ({ roles: more = [], permissions = [], scopedRoles }, displayName) => {
    const { appId, roles, directoryRoles } = await principal(displayName);
    const granted = {
      appId,
      roles: { ...roles, graph: [...roles.graph, ...permissions] },
      directoryRoles: [...directoryRoles, ...more],
      ...(scopedRoles !== undefined && { scopedRoles }),
    };
    await control.tenant({ servicePrincipals: [granted] });
  };

  async function seed(): Promise<void> {
    await control.reset();
    await send('POST', 'seed/attributes');
    const clientSecrets = [{ value: simulator.clientSecret, endDateTime: '2099-12-31T00:00:00Z' }];
    const { appId } = await principal('reads-users-only');
    await control.tenant({ servicePrincipals: [{ appId, clientSecrets }] });
    await grant({ permissions: ['AdministrativeUnit.Read.All', 'OnPremDirectorySynchronization.Read.All'] });
    for (const each of seeded) stale.add(each);
  }

  /** Calls an app that holds no token of an earlier test. */
  async function call(from: App, ...request: Parameters<App['call']>): Promise<Answer> {
    if (stale.delete(from)) await renewTokens(from);
    return from.call(...request);
  }

  const seeded: App[] = [app];
  const stale = new Set<App>();
  await seed();
  const reader = await world.startApp({ AZURE_CLIENT_ID: (await principal('reads-users-only')).appId });
  seeded.push(reader);

  const pathOf = (name: string, what: string) => `users/${encodeURIComponent(upnOf(name))}/${what}`;
  return {
    world,
    app,
    reader,
    seed,
    send,
    principal,
    grant,
    diagnose: (name, query = {}, from = app) => call(from, 'GET', pathOf(name, 'attribute-sync'), { query }),
    update: (name, body, from = app) => call(from, 'PATCH', pathOf(name, 'sensitive-attributes'), { body }),
    user: async (name) => {
      const { users } = (await control.state()) as unknown as { users: JsonObject[] };
      return users.find((each) => each.userPrincipalName === upnOf(name)) ?? {};
    },
  };
}

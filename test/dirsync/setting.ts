import { type Answer, type App, type JsonObject, rowsOf, startWorld, type World } from '../support/world.ts';

/** A tenant that is synced from on-premises, and apps that may or may not switch there. */

export const oktaPhone = '+1 555 010 0199';
export const otherPhone = '+1 555 010 0100';
export const overridden = 'cause.override@contoso.com';
export const initialDomain = 'contoso.onmicrosoft.com';

export type AppOnly = 'refused' | 'read' | 'readWrite';

interface Principal {
  readonly appId: string;
  readonly roles: { readonly graph: readonly string[] };
}

export interface SyncCycle {
  readonly exported: number;
  readonly overwritten: readonly { readonly userPrincipalName: string; readonly cloud: string | null }[];
  readonly kept: readonly { readonly userPrincipalName: string }[];
}

export interface Setting {
  readonly world: World;
  /** To the control API. */
  readonly send: (method: string, path: string, body?: object) => Promise<unknown>;
  /**
   * Back to the seed with the people of "Causes of a wrong phone", an app with a storage of its own, and what Microsoft
   * lets apps do.
   * @param granted permissions beside those of the seed
   */
  readonly begin: (appOnly: AppOnly, granted?: readonly string[], settings?: Record<string, string>) => Promise<App>;
  readonly sync: (policy: 'delta' | 'initial') => Promise<SyncCycle>;
  readonly phoneOf: (userPrincipalName: string) => Promise<string | null>;
  readonly isBypassOn: () => Promise<boolean>;
  /** What a Global Administrator does by hand. */
  readonly switchByHand: (isOn: boolean) => Promise<void>;
}

export const readPermission = 'OnPremDirectorySynchronization.Read.All';
export const switchPermission = 'OnPremDirectorySynchronization.ReadWrite.All';

export async function startSetting(): Promise<Setting> {
  const world = await startWorld();
  const { control, simulator } = world;

  async function send(method: string, path: string, body?: object): Promise<unknown> {
    const response = await fetch(`${simulator.urls.control}/_sim/${path}`, {
      method,
      ...(body && { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } }),
    });
    if (!response.ok) throw new Error(`${method} ${path}: ${await response.text()}`);
    return response.status === 204 ? null : response.json();
  }

  async function grant(permissions: readonly string[]): Promise<void> {
    const { servicePrincipals } = (await control.state()) as unknown as { servicePrincipals: readonly Principal[] };
    const own = servicePrincipals.find(({ appId }) => appId === simulator.clientId);
    const graph = [...(own?.roles.graph ?? []), ...permissions];
    await control.tenant({ servicePrincipals: [{ appId: simulator.clientId, roles: { ...own?.roles, graph } }] });
  }

  return {
    world,
    send,
    begin: async (onPremisesSynchronizationAppOnly, granted = [switchPermission], settings = {}) => {
      await control.reset();
      await send('POST', 'seed/attributes');
      await grant(granted);
      await control.tenant({ settings: { onPremisesSynchronizationAppOnly } });
      return world.startApp(settings);
    },
    sync: async (policy) => (await send('POST', 'onPremises/sync', { policy })) as SyncCycle,
    phoneOf: async (name) => {
      const { users } = (await control.state()) as unknown as { users: readonly JsonObject[] };
      const phone = users.find(({ userPrincipalName }) => userPrincipalName === name)?.mobilePhone;
      return typeof phone === 'string' ? phone : null;
    },
    isBypassOn: async () => {
      const { onPremisesSynchronization } = (await control.state()) as unknown as {
        onPremisesSynchronization: { readonly features: { readonly bypassDirSyncOverridesEnabled: boolean } };
      };
      return onPremisesSynchronization.features.bypassDirSyncOverridesEnabled;
    },
    switchByHand: (bypassDirSyncOverridesEnabled) =>
      control.tenant({ onPremisesSynchronization: { features: { bypassDirSyncOverridesEnabled } } }),
  };
}

export const setBypass = (app: App, body: object, headers: Record<string, string> = {}): Promise<Answer> =>
  app.call('PUT', 'dirsync/bypass-overrides', { body, headers });

export const restore = (app: App, switchId: unknown, body: object): Promise<Answer> =>
  app.call('POST', `dirsync/switches/${String(switchId)}/restore`, { body });

export const listUsers = (app: App, query: Record<string, string> = {}): Promise<Answer> =>
  app.call('GET', 'dirsync/users', { query });

export function rowOf(answer: Answer, userPrincipalName: string): JsonObject {
  const row = rowsOf(answer, 'users').find((each) => each.userPrincipalName === userPrincipalName);
  if (row === undefined) throw new Error(`${userPrincipalName} is not in ${answer.text}`);
  return row;
}

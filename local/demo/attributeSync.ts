import type { Story } from './story.ts';

const privileged = 'cause.active.role@corp.contoso.com';
const overridden = 'cause.override@contoso.com';
/** As Okta has it for both. */
const phone = '+1 555 010 0199';
/** Template id of User Administrator (graph.md §4). */
const userAdministrator = 'fe930be7-5e62-47db-91af-98c3a49a38b1';

interface State {
  readonly users: readonly { readonly userPrincipalName: string; readonly mobilePhone: string | null }[];
  readonly servicePrincipals: readonly {
    readonly appId: string;
    readonly displayName: string;
    readonly roles: { readonly graph: readonly string[] };
    readonly directoryRoles: readonly string[];
  }[];
}

/** Before the app's first token, which as one of a managed identity lives for a day: later it would not be seen. */
export async function grantSynchronization(story: Story): Promise<void> {
  await grant(story, { directoryRoles: [], graph: ['OnPremDirectorySynchronization.ReadWrite.All'] });
  await story.control('PUT', 'tenant', { settings: { callerRoles: 'directory' } });
}

/** Two phones that Okta has and Entra does not take, for two reasons that look alike; each is named and mended. */
export async function attributeSync(story: Story): Promise<void> {
  story.say('Phones that do not arrive, though Okta says that it has sent them');
  await story.control('POST', 'seed/attributes');
  const inTenant = async (name: string) => {
    const { users } = (await story.control('GET', 'state')) as State;
    return users.find(({ userPrincipalName }) => userPrincipalName === name)?.mobilePhone;
  };
  const ask = (name: string) =>
    `users/${name}/attribute-sync?mobilePhone=${encodeURIComponent(phone)}&onPremisesMobilePhone=${encodeURIComponent(phone)}`;
  const bypass = { enabled: true, confirm: 'contoso.onmicrosoft.com' };

  await story.play({
    title: 'Ask why the phone of an administrator is not what Okta says.',
    method: 'GET',
    path: ask(privileged),
    expected: { status: 200, cause: 'role_missing', causeCount: 1 },
  });
  await grant(story, { directoryRoles: [userAdministrator], graph: [] });
  await story.play({
    title: 'The role that was named has been assigned to the app: now it writes the phone.',
    method: 'PATCH',
    path: `users/${privileged}/sensitive-attributes`,
    body: { mobilePhone: phone },
    expected: { status: 200, ok: true, outcome: 'updated' },
  });
  story.check('In the tenant the phone is as in Okta.', await inTenant(privileged), phone);

  await story.play({
    title: 'Ask the same about somebody from on-premises, where Active Directory has the right phone.',
    method: 'GET',
    path: ask(overridden),
    expected: { status: 200, cause: 'overridden_in_cloud', causeCount: 1 },
  });
  await story.play({
    title: 'The cause is ended by a switch for the whole tenant. See first whose phones it would cost.',
    method: 'PUT',
    path: 'dirsync/bypass-overrides',
    body: { enabled: true, dryRun: true },
    expected: { status: 200, outcome: 'planned', changed: false, former: false },
  });
  const { body: refused } = await story.play({
    title: 'Switch: Microsoft lets people alone do that. The phones are remembered, and the fix is what to do by hand.',
    method: 'PUT',
    path: 'dirsync/bypass-overrides',
    body: bypass,
    expected: { status: 403, code: 'dirsync_app_refused' },
  });
  for (const line of String(refused.fix).split('\n')) story.say(`    ${line}`);
  await story.happen({
    title: 'A Global Administrator does so, and runs a full sync cycle.',
    shown: 'Graph Explorer: PATCH directory/onPremisesSynchronization; Start-ADSyncSyncCycle -PolicyType Initial',
    cause: async () => {
      await story.control('PUT', 'tenant', {
        onPremisesSynchronization: { features: { bypassDirSyncOverridesEnabled: true } },
      });
      await story.control('POST', 'onPremises/sync', { policy: 'initial' });
    },
    sentence: 'In the tenant the phone is the one from on-premises,',
    actual: () => inTenant(overridden),
    expected: phone,
  });
  const { body: noted } = await story.play({
    title: 'The same request finds it done, and says where the phones before it are remembered.',
    method: 'PUT',
    path: 'dirsync/bypass-overrides',
    body: bypass,
    expected: { status: 200, ok: true, outcome: 'unchanged', changed: false },
  });
  await story.play({
    title: 'List whose phone was overwritten.',
    method: 'GET',
    path: `dirsync/users?switchId=${String(noted.switchId)}&only=overwritten`,
    expected: { status: 200, count: 1, hasMore: false },
  });
  await story.play({
    title: 'List whom to change in Okta, so that it pushes again.',
    method: 'GET',
    path: `dirsync/users?switchId=${String(noted.switchId)}&only=touch`,
    expected: { status: 200, count: 1, hasMore: false },
  });
  await story.play({
    title: 'Ask again why: there is nothing left to be explained.',
    method: 'GET',
    path: ask(overridden),
    expected: { status: 200, equal: true, causeCount: 0 },
  });
}

/** What an administrator grants to the app. */
async function grant(story: Story, more: { directoryRoles: readonly string[]; graph: readonly string[] }) {
  const { servicePrincipals } = (await story.control('GET', 'state')) as State;
  const own = servicePrincipals.find(({ displayName }) => displayName === 'okta-m365-actions');
  const granted = {
    appId: own?.appId,
    roles: { ...own?.roles, graph: [...(own?.roles.graph ?? []), ...more.graph] },
    directoryRoles: [...(own?.directoryRoles ?? []), ...more.directoryRoles],
  };
  await story.control('PUT', 'tenant', { servicePrincipals: [granted] });
}

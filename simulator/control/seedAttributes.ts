import { mergeOrg } from '../okta/merge.ts';
import { mergeTenant } from '../tenant/merge.ts';
import { directoryRoles } from '../tenant/roles.ts';
import type { World } from '../world.ts';

// One person for each cause why a phone is not as Okta has it; docs/simulator.md has the table.

const OKTA_PHONE = '+1 555 010 0199';
const OTHER_PHONE = '+1 555 010 0100';
const CUSTOM_ROLE = 'c0570000-0000-4000-8000-000000000001';
const SYNCED_AT = '2025-03-03T08:30:00.000Z';

/** By the part of the user principal name after `cause.`; what is not said is in the cloud and not privileged. */
const privileged: Readonly<Record<string, object>> = {
  'active.role': { directoryRoles: [directoryRoles.userAdministrator] },
  'custom.role': { directoryRoles: [CUSTOM_ROLE] },
  'eligible.role': { eligibleRoles: [directoryRoles.privilegedRoleAdministrator] },
  'scoped.role': { scopedRoles: [{ role: directoryRoles.helpdeskAdministrator, administrativeUnit: 'Board' }] },
  'group.role': {},
  'group.member': {},
  'group.owner': {},
  'restricted.unit': {},
};
const ordinary = ['permission', 'unmapped', 'unpushed'];
const synced: Readonly<Record<string, object>> = {
  synced: { onPremises: { mobilePhone: OTHER_PHONE } },
  override: { onPremises: { mobilePhone: OKTA_PHONE }, dirSyncOverrides: ['mobilePhone'] },
};

const cloud = (name: string): string => `cause.${name}@corp.contoso.com`;

/** Of a name, such as "Cause Active Role". */
const titled = (name: string): string[] => name.split('.').map((word) => word.charAt(0).toUpperCase() + word.slice(1));

function user(userPrincipalName: string, mobilePhone: string, more: object = {}): Record<string, unknown> {
  const [given = '', ...rest] = titled(userPrincipalName.replace(/@.*/, ''));
  return {
    userPrincipalName,
    displayName: [given, ...rest].join(' '),
    givenName: given,
    surname: rest.join(' '),
    mail: userPrincipalName,
    mobilePhone,
    ...more,
  };
}

/** The people of issue "Sensitive attributes", in Entra and in Okta; both merges are checked before they apply. */
export function seedAttributeCauses(world: World): string[] {
  const onPremises = { onPremisesSyncEnabled: true, onPremisesLastSyncDateTime: '2025-03-03T08:00:00Z' };
  const users = [
    ...ordinary.map((name) => user(cloud(name), OTHER_PHONE)),
    user(cloud('equal'), OKTA_PHONE),
    ...Object.entries(privileged).map(([name, more]) => user(cloud(name), OTHER_PHONE, more)),
    ...Object.entries(synced).map(([name, more]) =>
      user(`cause.${name}@contoso.com`, OTHER_PHONE, {
        ...onPremises,
        onPremisesImmutableId: world.random.guid(`immutableId:cause.${name}`),
        ...more,
      }),
    ),
  ];
  const roleGroup = { isAssignableToRole: true, owners: ['chief.admin@contoso.com'] };
  const faults = mergeTenant(world, {
    users,
    customRoles: [{ id: CUSTOM_ROLE, displayName: 'Licence Reporter' }],
    administrativeUnits: [
      { displayName: 'Board', isMemberManagementRestricted: true, members: [cloud('restricted.unit')] },
    ],
    groups: [
      {
        ...roleGroup,
        displayName: 'Helpdesk Crew',
        directoryRoles: [directoryRoles.helpdeskAdministrator],
        members: [cloud('group.role')],
      },
      {
        ...roleGroup,
        displayName: 'Vault Keepers',
        members: [cloud('group.member')],
        owners: [cloud('group.owner')],
      },
    ],
    servicePrincipals: [
      {
        appId: world.random.guid('app:reads-users-only'),
        displayName: 'reads-users-only',
        roles: {
          graph: ['User.Read.All', 'Group.Read.All', 'Organization.Read.All', 'RoleManagement.Read.Directory'],
          exchange: [],
        },
      },
    ],
  });
  if (faults.length > 0) return faults;
  const people = [...world.tenant.view('entra').ofType('user')].filter(({ displayName }) =>
    displayName.startsWith('Cause '),
  );
  const appUsers = people.map(({ id, userPrincipalName, mail, displayName, givenName, surname }) => ({
    user: userPrincipalName,
    externalId: id,
    userName: userPrincipalName,
    status: 'PROVISIONED',
    ...(userPrincipalName === cloud('unpushed')
      ? { syncState: 'ERROR', lastSync: null }
      : { syncState: 'SYNCHRONIZED', lastSync: SYNCED_AT }),
    profile: {
      email: mail,
      displayName,
      firstName: givenName,
      lastName: surname,
      mobilePhone: userPrincipalName === cloud('unmapped') ? null : OKTA_PHONE,
    },
  }));
  return mergeOrg(world, {
    users: people.map(({ userPrincipalName, givenName, surname }) => ({
      login: userPrincipalName,
      profile: { firstName: givenName, lastName: surname, mobilePhone: OKTA_PHONE },
    })),
    appUsers,
  });
}

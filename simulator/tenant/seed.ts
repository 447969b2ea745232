import type { Random } from '../random.ts';
import { newDomain, newServicePrincipal } from './defaults.ts';
import { newOnPremisesSynchronization } from './dirSync.ts';
import type { DirectoryObject, ServicePrincipal, TenantContents } from './model.ts';
import { directoryRoles, exchangeAppId, exchangeManageAsApp, graphAppId } from './roles.ts';
import { seedGroups } from './seedGroups.ts';
import { seedContacts, seedUsers } from './seedPeople.ts';

export interface SeedIds {
  tenantId: string;
  clientId: string;
  clientSecret: string;
}

export const seedIds = (random: Random): SeedIds => ({
  tenantId: random.guid('tenant'),
  clientId: random.guid('app:okta-m365-actions'),
  clientSecret: `simulated~${random.guid('clientSecret').replaceAll('-', '')}`,
});

/** What graph.md §6 lists as needed by the app. */
const graphRoles = [
  'User.ReadWrite.All',
  'Group.ReadWrite.All',
  'Group.Read.All',
  'GroupMember.ReadWrite.All',
  'Domain.Read.All',
  'Organization.Read.All',
  'RoleManagement.Read.Directory',
  'Application.Read.All',
];

function seedServicePrincipals(random: Random, ids: SeedIds): ServicePrincipal[] {
  const secret = (value: string) => [{ value, endDateTime: '2099-12-31T00:00:00Z' }];
  const app = (name: string, more: Partial<ServicePrincipal>): ServicePrincipal =>
    newServicePrincipal({
      id: random.guid(`servicePrincipal:${name}`),
      appId: random.guid(`app:${name}`),
      displayName: name,
      clientSecrets: secret(ids.clientSecret),
      roles: { graph: graphRoles, exchange: [exchangeManageAsApp.value] },
      directoryRoles: [directoryRoles.exchangeAdministrator],
      ...more,
    });
  const full = { graph: graphRoles, exchange: [exchangeManageAsApp.value] };
  return [
    app('okta-m365-actions', {
      appId: ids.clientId,
      clientSecrets: [
        ...secret(ids.clientSecret),
        { value: `${ids.clientSecret}-expired`, endDateTime: '2025-01-01T00:00:00Z' },
      ],
    }),
    // The states of a half-finished set-up, each as an identity of its own.
    app('without-exchange-app-role', { roles: { graph: graphRoles, exchange: [] } }),
    app('without-directory-role', { roles: full, directoryRoles: [] }),
    app('recipient-administrator', { roles: full, directoryRoles: [directoryRoles.exchangeRecipientAdministrator] }),
    app('global-reader', { roles: full, directoryRoles: [directoryRoles.globalReader] }),
    app('without-graph-roles', { roles: { graph: [], exchange: [exchangeManageAsApp.value] } }),
    newServicePrincipal({
      id: random.guid('servicePrincipal:graph'),
      appId: graphAppId,
      displayName: 'Microsoft Graph',
    }),
    newServicePrincipal({
      id: random.guid('servicePrincipal:exchange'),
      appId: exchangeAppId,
      displayName: 'Office 365 Exchange Online',
    }),
  ];
}

export function seedTenant(random: Random, nowMs: number): TenantContents {
  const ids = seedIds(random);
  const people = [...seedUsers(random, nowMs), ...seedContacts(random)];
  const idOf = (ref: string): string => {
    const found = people.find((each) => each.mail === ref || (each.type === 'user' && each.userPrincipalName === ref));
    if (!found) throw new Error(`The seed names ${ref}, who is not in it`);
    return found.id;
  };
  const objects: DirectoryObject[] = [...people, ...seedGroups(random, idOf), ...seedServicePrincipals(random, ids)];
  return {
    tenantId: ids.tenantId,
    displayName: 'Contoso',
    domains: [
      newDomain({ id: 'contoso.onmicrosoft.com', isInitial: true }),
      newDomain({ id: 'contoso.com', isDefault: true, authenticationType: 'Federated' }),
      newDomain({ id: 'corp.contoso.com' }),
    ],
    objects,
    administrativeUnits: [],
    customRoles: [],
    syncState: { onPremisesSyncEnabled: true, onPremisesLastSyncDateTime: '2025-03-03T08:00:00Z' },
    onPremisesSynchronization: newOnPremisesSynchronization(),
    settings: {
      namingPolicy: null,
      blockedWords: [],
      defaultDomain: 'contoso.com',
      replicationLagMs: { entraToExchange: 0, exchangeToEntra: 0, entraReads: 0, entraChecks: 0 },
      userWrites: {
        federatedImmutableId: 'refused',
        federatedNeedsImmutableId: true,
        betweenFederatedDomains: 'refused',
        leavingFederation: 'accepted',
        clearing: 'accepted',
        upnInAddresses: 'added',
        deletedUsersHold: ['onPremisesImmutableId'],
        deletedUsersFilter: 'accepted',
        conflictDetails: true,
      },
      tenantServicePrincipal: 'present',
      booleansAsStrings: false,
      nonMemberRemovalStatus: 404,
      softDeleteSecurityGroups: false,
      addressQuarantineMs: 0,
      syncedUserWrites: ['otherMails'],
      eligibleRolesProtect: true,
      readerRolesProtect: true,
      privilegedIdentityManagement: true,
      callerRoles: 'token',
      onPremisesSynchronizationForm: 'collection',
      onPremisesSynchronizationAppOnly: 'read',
      limits: [],
      latencyMs: { graph: 0, exchange: 0 },
    },
  };
}

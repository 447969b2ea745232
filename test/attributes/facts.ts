import type { AttributeFacts, OktaAttributes, Reading, TargetStanding } from '../../shared/attributes/facts.ts';
import type { OwnStanding } from '../../shared/identity/privilege.ts';

export const userId = 'a0000000-0000-4000-8000-000000000001';
export const upn = 'amara.osei@corp.contoso.com';
export const ownId = 'a0000000-0000-4000-8000-00000000000f';

export const known = <Value>(value: Value): Reading<Value> => ({ known: true, value });
export const unread = (code: 'okta_api_required' | 'graph_permission_missing'): Reading<never> => ({
  known: false,
  why: { code, message: 'It was refused.', fix: 'Grant it.' },
});

export const ordinary: TargetStanding = {
  roles: [],
  eligibleRoleIds: known([]),
  groups: [],
  units: known([]),
};

export function ownOf(own: Partial<OwnStanding> = {}): OwnStanding {
  return { id: ownId, permissions: ['User.ReadWrite.All'], tokenRoleIds: [], assignments: known([]), ...own };
}

/** Assigned, linked and pushed, with nothing mapped. */
export const synchronized: OktaAttributes = {
  isAppInDoubt: false,
  userId: '00u1AbCdEfGhIjKlMn5d',
  mobilePhone: null,
  office365: {
    appId: '0oa1AbCdEfGhIjKlMn5d',
    appLabel: 'Microsoft Office 365',
    externalId: userId,
    syncState: 'SYNCHRONIZED',
    lastSync: '2025-03-03T08:30:00.000Z',
    values: {},
  },
};

/** A user in the cloud with no privilege, of whom nothing is expected. */
export function factsOf({
  user,
  ...facts
}: Partial<Omit<AttributeFacts, 'user'>> & { user?: Partial<AttributeFacts['user']> } = {}): AttributeFacts {
  return {
    user: {
      id: userId,
      userPrincipalName: upn,
      displayName: 'Amara Osei',
      accountEnabled: true,
      mobilePhone: null,
      businessPhones: [],
      otherMails: [],
      isSynced: false,
      lastSyncedAt: null,
      isManagementRestricted: false,
      mail: upn,
      proxyAddresses: [],
      ...user,
    },
    expected: {},
    isProtected: false,
    okta: known(synchronized),
    onPremisesMobile: null,
    own: ownOf(),
    privilege: known(ordinary),
    bypassesOverrides: null,
    ...facts,
  };
}

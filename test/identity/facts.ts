import type {
  DeletedUser,
  IdentityFacts,
  OktaSide,
  OtherUser,
  Reading,
  TenantDomain,
} from '../../shared/identity/facts.ts';

export const userId = 'a0000000-0000-4000-8000-000000000001';
export const upn = 'amara.osei@contoso.com';

export const initial: TenantDomain = {
  name: 'contoso.onmicrosoft.com',
  isFederated: false,
  isVerified: true,
  isInitial: true,
};
export const federated: TenantDomain = { name: 'contoso.com', isFederated: true, isVerified: true, isInitial: false };
export const corporate: TenantDomain = {
  name: 'corp.contoso.com',
  isFederated: false,
  isVerified: true,
  isInitial: false,
};

/** Check values of graph.md §2.1. */
export const objectGuid = 'a1b2c3d4-e5f6-4789-abcd-1234567890ab';
export const immutableId = '1MOyofbliUerzRI0VniQqw==';
export const bigEndian = 'obLD1OX2R4mrzRI0VniQqw==';
export const otherGuid = 'AAAAAAAAAAAAAAAAAAAAAA==';
export const oktaUserId = '00u1AbCdEfGhIjKlMn5d';

export const known = <Value>(value: Value): Reading<Value> => ({ known: true, value });
export const unread = (code: 'okta_api_required' | 'graph_permission_missing'): Reading<never> => ({
  known: false,
  why: { code, message: 'It was refused.', fix: 'Grant it.' },
});

export const other = (name: string): OtherUser => ({
  id: `b0000000-0000-4000-8000-${String(name.length).padStart(12, '0')}`,
  userPrincipalName: `${name}@contoso.com`,
  displayName: name,
});

/** A user of a federated domain with no privilege, of whom all is known, and nothing expected. */
export function factsOf({
  user,
  ...facts
}: Partial<Omit<IdentityFacts, 'user'>> & { user?: Partial<IdentityFacts['user']> } = {}): IdentityFacts {
  return {
    user: {
      id: userId,
      userPrincipalName: upn,
      displayName: 'Amara Osei',
      immutableId,
      accountEnabled: true,
      isSynced: false,
      isManagementRestricted: false,
      mail: upn,
      mailNickname: 'amara.osei',
      proxyAddresses: [`SMTP:${upn}`, 'smtp:amara.osei@contoso.onmicrosoft.com'],
      ...user,
    },
    given: null,
    okta: unread('okta_api_required'),
    domains: known([federated, corporate, initial]),
    holders: known([]),
    isProtected: false,
    deletedUsers: known([]),
    privilege: known({ roleIds: [], eligibleRoleIds: [], roleAssignableGroups: [] }),
    ownPrincipal: known({ id: 'c0000000-0000-4000-8000-000000000001', roleIds: [] }),
    ...facts,
  };
}

export function oktaOf(side: Partial<OktaSide> = {}): Reading<OktaSide> {
  return known({ userId: oktaUserId, directoryExternalId: null, consistencyGuid: null, office365: null, ...side });
}

export const assignment = {
  appId: '0oa1',
  appLabel: 'Office 365',
  immutableId: null,
  externalId: null,
  isByGroup: false,
  group: null,
};

export const deleted = (name: string, value: string | null = null): DeletedUser => ({
  ...other(name),
  immutableId: value,
});

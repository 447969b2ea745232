import { MemberList } from './memberList.ts';
import type { Contact, Domain, ExchangeGroup, Group, ServicePrincipal, User } from './model.ts';

// The values a new object has where nothing else is said.

export function newUser(
  fields: Partial<User> & Pick<User, 'id' | 'userPrincipalName' | 'displayName' | 'createdDateTime'>,
): User {
  return {
    type: 'user',
    userType: 'Member',
    accountEnabled: true,
    givenName: null,
    surname: null,
    jobTitle: null,
    department: null,
    officeLocation: null,
    mobilePhone: null,
    businessPhones: [],
    otherMails: [],
    mail: null,
    mailNickname: fields.userPrincipalName.split('@')[0] ?? null,
    proxyAddresses: fields.mail ? [`SMTP:${fields.mail}`] : [],
    onPremisesSyncEnabled: null,
    onPremisesImmutableId: null,
    onPremisesDistinguishedName: null,
    onPremisesDomainName: null,
    onPremisesSamAccountName: null,
    onPremisesUserPrincipalName: null,
    isManagementRestricted: null,
    deletedDateTime: null,
    recipientTypeDetails: fields.mail ? 'UserMailbox' : null,
    directoryRoles: [],
    scopedRoles: [],
    eligibleRoles: [],
    onPremises: {},
    isExportPending: false,
    dirSyncOverrides: [],
    onPremisesLastSyncDateTime: null,
    ...fields,
  };
}

export function newContact(fields: Partial<Contact> & Pick<Contact, 'id' | 'mail' | 'displayName'>): Contact {
  return {
    type: 'contact',
    mailNickname: fields.mail.replace('@', '.'),
    proxyAddresses: [`SMTP:${fields.mail}`],
    onPremisesSyncEnabled: null,
    ...fields,
  };
}

/** facts.legacyExchangeDN; `guid` is one for each creation. */
export const legacyExchangeDN = (guid: string, name: string): string =>
  `/o=ExchangeLabs/ou=Exchange Administrative Group (FYDIBOHF23SPDLT)/cn=Recipients/cn=${guid.replaceAll('-', '')}-${name.replace(/[^A-Za-z0-9]/g, '').slice(0, 12)}`;

export function newExchangeGroup(
  fields: Partial<ExchangeGroup> &
    Pick<ExchangeGroup, 'RecipientTypeDetails' | 'Name' | 'WhenChangedUTC' | 'LegacyExchangeDN'>,
): ExchangeGroup {
  const security = fields.RecipientTypeDetails === 'MailUniversalSecurityGroup';
  return {
    MemberJoinRestriction: 'Closed',
    // exchange.md §4: default Open for a distribution list, Closed for a security group
    MemberDepartRestriction: security ? 'Closed' : 'Open',
    RequireSenderAuthenticationEnabled: true,
    HiddenFromAddressListsEnabled: false,
    HiddenGroupMembershipEnabled: false,
    ModerationEnabled: false,
    ModeratedBy: [],
    SendModerationNotifications: 'Always',
    AcceptMessagesOnlyFromSendersOrMembers: [],
    RejectMessagesFromSendersOrMembers: [],
    BypassModerationFromSendersOrMembers: [],
    GrantSendOnBehalfTo: [],
    BypassNestedModerationEnabled: false,
    BccBlocked: false,
    MailTip: null,
    Notes: '',
    CustomAttributes: {},
    ...fields,
  };
}

export function newGroup(
  fields: Partial<Group> & Pick<Group, 'id' | 'displayName' | 'mailNickname' | 'createdDateTime'>,
): Group {
  return {
    type: 'group',
    description: null,
    groupTypes: [],
    mailEnabled: false,
    securityEnabled: true,
    mail: null,
    proxyAddresses: fields.mail ? [`SMTP:${fields.mail}`] : [],
    onPremisesSyncEnabled: null,
    onPremisesSecurityIdentifier: null,
    onPremisesSamAccountName: null,
    isCloudManaged: false,
    deletedDateTime: null,
    isAssignableToRole: null,
    isManagementRestricted: null,
    membershipRule: null,
    membershipRuleProcessingState: null,
    resourceProvisioningOptions: [],
    visibility: null,
    members: MemberList.empty,
    owners: [],
    directoryRoles: [],
    scopedRoles: [],
    eligibleRoles: [],
    exchange: null,
    ...fields,
  };
}

export function newServicePrincipal(
  fields: Partial<ServicePrincipal> & Pick<ServicePrincipal, 'id' | 'appId' | 'displayName'>,
): ServicePrincipal {
  return {
    type: 'servicePrincipal',
    servicePrincipalType: 'Application',
    roles: { graph: [], exchange: [] },
    directoryRoles: [],
    scopedRoles: [],
    clientSecrets: [],
    ...fields,
  };
}

export const newDomain = (fields: Partial<Domain> & Pick<Domain, 'id'>): Domain => ({
  authenticationType: 'Managed',
  isDefault: false,
  isInitial: false,
  isVerified: true,
  ...fields,
});

import type { Contact, Device, DirectoryObject, Domain, Group, ServicePrincipal, User } from '../tenant/model.ts';
import { appRolesOf } from './appRoles.ts';

/** One entity type of Graph: what it has, what comes without $select, what may be filtered (graph.md §1.2). */
export interface EntityType<T> {
  readonly name: string;
  readonly properties: Readonly<Record<string, (object: T) => unknown>>;
  readonly byDefault: readonly string[];
  readonly filterable: readonly string[];
  readonly searchable?: readonly string[];
  /** Properties that Graph has and the simulator does not model: 501 rather than "no such property". */
  readonly notModelled: readonly string[];
}

const words = (text: string): string[] => text.trim().split(/\s+/);

export const userType: EntityType<User> = {
  name: 'microsoft.graph.user',
  properties: {
    id: (user) => user.id,
    accountEnabled: (user) => user.accountEnabled,
    businessPhones: (user) => user.businessPhones,
    createdDateTime: (user) => user.createdDateTime,
    deletedDateTime: (user) => user.deletedDateTime,
    department: (user) => user.department,
    displayName: (user) => user.displayName,
    givenName: (user) => user.givenName,
    isManagementRestricted: (user) => user.isManagementRestricted,
    jobTitle: (user) => user.jobTitle,
    mail: (user) => user.mail,
    mailNickname: (user) => user.mailNickname,
    mobilePhone: (user) => user.mobilePhone,
    officeLocation: (user) => user.officeLocation,
    onPremisesDistinguishedName: (user) => user.onPremisesDistinguishedName,
    onPremisesDomainName: (user) => user.onPremisesDomainName,
    onPremisesImmutableId: (user) => user.onPremisesImmutableId,
    onPremisesLastSyncDateTime: (user) => user.onPremisesLastSyncDateTime,
    onPremisesSamAccountName: (user) => user.onPremisesSamAccountName,
    onPremisesSyncEnabled: (user) => user.onPremisesSyncEnabled,
    onPremisesUserPrincipalName: (user) => user.onPremisesUserPrincipalName,
    otherMails: (user) => user.otherMails,
    preferredLanguage: () => null,
    proxyAddresses: (user) => user.proxyAddresses,
    surname: (user) => user.surname,
    // facts.deletedUserName
    userPrincipalName: (user) =>
      (user.deletedDateTime === null ? '' : user.id.replaceAll('-', '')) + user.userPrincipalName,
    userType: (user) => user.userType,
  },
  byDefault: words(
    'businessPhones displayName givenName jobTitle mail mobilePhone officeLocation preferredLanguage surname userPrincipalName id',
  ),
  filterable: words(
    'id accountEnabled department displayName givenName jobTitle mail mailNickname onPremisesImmutableId onPremisesSyncEnabled otherMails proxyAddresses surname userPrincipalName userType',
  ),
  searchable: words('displayName mail mailNickname userPrincipalName'),
  notModelled: words(
    `aboutMe ageGroup assignedLicenses assignedPlans authorizationInfo birthday city companyName consentProvidedForMinor country
    creationType customSecurityAttributes employeeHireDate employeeId employeeLeaveDateTime employeeOrgData
    employeeType externalUserState externalUserStateChangeDateTime faxNumber hireDate identities identityParentId imAddresses
    interests isResourceAccount lastPasswordChangeDateTime legalAgeGroupClassification licenseAssignmentStates mailboxSettings
    mySite onPremisesExtensionAttributes onPremisesProvisioningErrors onPremisesSecurityIdentifier
    passwordPolicies passwordProfile pastProjects postalCode preferredDataLocation preferredName provisionedPlans
    refreshTokensValidFromDateTime responsibilities schools securityIdentifier serviceProvisioningErrors showInAddressList
    signInActivity signInSessionsValidFromDateTime skills state streetAddress usageLocation`,
  ),
};

export const groupType: EntityType<Group> = {
  name: 'microsoft.graph.group',
  properties: {
    id: (group) => group.id,
    createdDateTime: (group) => group.createdDateTime,
    deletedDateTime: (group) => group.deletedDateTime,
    description: (group) => group.description,
    displayName: (group) => group.displayName,
    groupTypes: (group) => group.groupTypes,
    isAssignableToRole: (group) => group.isAssignableToRole,
    isManagementRestricted: (group) => group.isManagementRestricted,
    mail: (group) => group.mail,
    mailEnabled: (group) => group.mailEnabled,
    mailNickname: (group) => group.mailNickname,
    membershipRule: (group) => group.membershipRule,
    membershipRuleProcessingState: (group) => group.membershipRuleProcessingState,
    onPremisesSamAccountName: (group) => group.onPremisesSamAccountName,
    onPremisesSecurityIdentifier: (group) => group.onPremisesSecurityIdentifier,
    onPremisesSyncEnabled: (group) => group.onPremisesSyncEnabled,
    proxyAddresses: (group) => group.proxyAddresses,
    resourceProvisioningOptions: (group) => group.resourceProvisioningOptions,
    securityEnabled: (group) => group.securityEnabled,
    visibility: (group) => group.visibility,
  },
  // isManagementRestricted comes only when selected (graph.md §1.2)
  byDefault: words(
    `id createdDateTime deletedDateTime description displayName groupTypes isAssignableToRole mail mailEnabled mailNickname
    membershipRule membershipRuleProcessingState onPremisesSamAccountName onPremisesSecurityIdentifier onPremisesSyncEnabled proxyAddresses resourceProvisioningOptions
    securityEnabled visibility`,
  ),
  filterable: words(
    `id createdDateTime description displayName groupTypes isAssignableToRole mail mailEnabled mailNickname
    onPremisesSamAccountName onPremisesSecurityIdentifier onPremisesSyncEnabled proxyAddresses resourceProvisioningOptions securityEnabled`,
  ),
  searchable: words('displayName description mail mailNickname'),
  notModelled: words(
    `allowExternalSenders assignedLabels assignedLicenses autoSubscribeNewMembers classification creationOptions
    expirationDateTime hasMembersWithLicenseErrors hideFromAddressLists hideFromOutlookClients isArchived isSubscribedByMail
    licenseProcessingState onPremisesDomainName onPremisesLastSyncDateTime onPremisesNetBiosName onPremisesProvisioningErrors
    preferredDataLocation preferredLanguage renewedDateTime
    resourceBehaviorOptions securityIdentifier serviceProvisioningErrors theme uniqueName unseenCount`,
  ),
};

export const orgContactType: EntityType<Contact> = {
  name: 'microsoft.graph.orgContact',
  properties: {
    id: (contact) => contact.id,
    displayName: (contact) => contact.displayName,
    mail: (contact) => contact.mail,
    mailNickname: (contact) => contact.mailNickname,
    onPremisesSyncEnabled: (contact) => contact.onPremisesSyncEnabled,
    proxyAddresses: (contact) => contact.proxyAddresses,
  },
  byDefault: words('id displayName mail mailNickname onPremisesSyncEnabled proxyAddresses'),
  filterable: [],
  notModelled: words('addresses companyName department givenName jobTitle phones serviceProvisioningErrors surname'),
};

export const deviceType: EntityType<Device> = {
  name: 'microsoft.graph.device',
  properties: { id: (device) => device.id, displayName: (device) => device.displayName },
  byDefault: words('id displayName'),
  filterable: [],
  notModelled: words('accountEnabled deviceId operatingSystem operatingSystemVersion trustType'),
};

export const servicePrincipalType: EntityType<ServicePrincipal> = {
  name: 'microsoft.graph.servicePrincipal',
  properties: {
    id: (principal) => principal.id,
    appId: (principal) => principal.appId,
    appRoles: (principal) => appRolesOf(principal.appId),
    displayName: (principal) => principal.displayName,
    accountEnabled: () => true,
    servicePrincipalType: (principal) => principal.servicePrincipalType,
  },
  byDefault: words('id appId appRoles displayName accountEnabled servicePrincipalType'),
  filterable: words('appId displayName id'),
  notModelled: words(
    'alternativeNames appDisplayName appOwnerOrganizationId keyCredentials oauth2PermissionScopes tags',
  ),
};

export const domainType: EntityType<Domain> = {
  name: 'microsoft.graph.domain',
  properties: {
    id: (domain) => domain.id,
    authenticationType: (domain) => domain.authenticationType,
    availabilityStatus: () => null,
    isAdminManaged: () => true,
    isDefault: (domain) => domain.isDefault,
    isInitial: (domain) => domain.isInitial,
    isRoot: (domain) => domain.isInitial || domain.id.split('.').length === 2,
    isVerified: (domain) => domain.isVerified,
    supportedServices: () => ['Email', 'OfficeCommunicationsOnline'],
    state: () => null,
  },
  byDefault: words(
    'authenticationType availabilityStatus id isAdminManaged isDefault isInitial isRoot isVerified supportedServices state',
  ),
  filterable: [],
  notModelled: words('manufacturer model passwordNotificationWindowInDays passwordValidityPeriodInDays'),
};

/** The entity type of an object in a mixed collection, as members are. */
export function entityTypeOf(object: DirectoryObject): EntityType<DirectoryObject> {
  const types = {
    user: userType,
    group: groupType,
    contact: orgContactType,
    device: deviceType,
    servicePrincipal: servicePrincipalType,
  };
  return types[object.type] as EntityType<DirectoryObject>;
}

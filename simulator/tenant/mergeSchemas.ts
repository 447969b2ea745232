import { isObject, isStringArray } from '../http/json.ts';
import { syncFeatures } from './dirSync.ts';

// What PUT /_sim/tenant may say of each kind of object; anything else is refused by name.

type Check = (value: unknown) => boolean;
export type Schema = Readonly<Record<string, Check>>;

const text: Check = (value) => typeof value === 'string';
const flag: Check = (value) => typeof value === 'boolean';
const list: Check = isStringArray;
const orNull =
  (check: Check): Check =>
  (value) =>
    value === null || check(value);
const oneOf =
  (...values: string[]): Check =>
  (value) =>
    typeof value === 'string' && values.includes(value);
const shaped =
  (schema: Schema): Check =>
  (value) =>
    mismatches(value, schema, '').length === 0;
const lag: Check = (value) => typeof value === 'number' && value >= 0;
const positive: Check = (value) => typeof value === 'number' && value > 0;
const required =
  (...names: string[]): Check =>
  (value) =>
    isObject(value) && names.every((name) => name in value);

const exchange: Schema = {
  RecipientTypeDetails: oneOf(
    'MailUniversalDistributionGroup',
    'MailUniversalSecurityGroup',
    'RoomList',
    'GroupMailbox',
    'DynamicDistributionGroup',
  ),
  Name: text,
  MemberJoinRestriction: oneOf('Open', 'Closed', 'ApprovalRequired'),
  MemberDepartRestriction: oneOf('Open', 'Closed'),
  RequireSenderAuthenticationEnabled: flag,
  HiddenFromAddressListsEnabled: flag,
  HiddenGroupMembershipEnabled: flag,
  ModerationEnabled: flag,
  ModeratedBy: list,
  SendModerationNotifications: oneOf('Always', 'Internal', 'Never'),
  AcceptMessagesOnlyFromSendersOrMembers: list,
  RejectMessagesFromSendersOrMembers: list,
  BypassModerationFromSendersOrMembers: list,
  GrantSendOnBehalfTo: list,
  LegacyExchangeDN: text,
  BypassNestedModerationEnabled: flag,
  BccBlocked: flag,
  MailTip: orNull(text),
  Notes: text,
  CustomAttributes: (value) => isObject(value) && Object.values(value).every(text),
};

const limit: Schema = {
  upstream: oneOf('graph', 'exchange'),
  effect: oneOf('read', 'write'),
  ratePerSecond: positive,
  burst: (value) => Number.isInteger(value) && positive(value),
  seconds: (value) => Number.isInteger(value) && positive(value),
  retryAfter: oneOf('seconds', 'date', 'absent'),
  refusedCallsCount: flag,
  earlyCallsExtend: flag,
};
const limitIsWhole = required('upstream', 'ratePerSecond', 'burst', 'seconds');

/** What of a role assignment is given by name or id, and what it is over. */
const scopedRole: Schema = { role: text, administrativeUnit: text };
const scopedRoles: Check = (value) =>
  Array.isArray(value) &&
  value.every((item) => required('role', 'administrativeUnit')(item) && shaped(scopedRole)(item));

const onPremises: Schema = {
  accountEnabled: flag,
  mobilePhone: orNull(text),
  businessPhones: list,
  department: orNull(text),
  jobTitle: orNull(text),
  officeLocation: orNull(text),
};

const user: Schema = {
  id: text,
  userPrincipalName: text,
  displayName: text,
  userType: oneOf('Member', 'Guest'),
  accountEnabled: flag,
  givenName: orNull(text),
  surname: orNull(text),
  jobTitle: orNull(text),
  department: orNull(text),
  officeLocation: orNull(text),
  mobilePhone: orNull(text),
  businessPhones: list,
  otherMails: list,
  mail: orNull(text),
  mailNickname: orNull(text),
  proxyAddresses: list,
  onPremisesSyncEnabled: orNull(flag),
  onPremisesImmutableId: orNull(text),
  onPremisesDistinguishedName: orNull(text),
  onPremisesDomainName: orNull(text),
  onPremisesLastSyncDateTime: orNull(text),
  onPremisesSamAccountName: orNull(text),
  onPremisesUserPrincipalName: orNull(text),
  isManagementRestricted: orNull(flag),
  createdDateTime: text,
  recipientTypeDetails: orNull(
    oneOf('UserMailbox', 'SharedMailbox', 'RoomMailbox', 'EquipmentMailbox', 'MailUser', 'GuestMailUser'),
  ),
  directoryRoles: list,
  scopedRoles,
  eligibleRoles: list,
  onPremises: shaped(onPremises),
  isExportPending: flag,
  dirSyncOverrides: (value) => isStringArray(value) && value.every(oneOf('mobilePhone')),
};

const userWrites: Schema = {
  federatedImmutableId: oneOf('refused', 'refusedOnceSet', 'accepted'),
  federatedNeedsImmutableId: flag,
  betweenFederatedDomains: oneOf('refused', 'accepted'),
  leavingFederation: oneOf('accepted', 'needsPassword'),
  clearing: oneOf('accepted', 'refused'),
  upnInAddresses: oneOf('kept', 'added', 'primary'),
  deletedUsersHold: (value) =>
    isStringArray(value) && value.every(oneOf('onPremisesImmutableId', 'userPrincipalName', 'proxyAddresses')),
  deletedUsersFilter: oneOf('accepted', 'refused'),
  conflictDetails: flag,
};

export const schemas: Readonly<Record<string, Schema>> = {
  users: user,
  deletedUsers: user,
  contacts: {
    id: text,
    displayName: text,
    mail: text,
    mailNickname: text,
    proxyAddresses: list,
    onPremisesSyncEnabled: orNull(flag),
  },
  groups: {
    id: text,
    displayName: text,
    description: orNull(text),
    groupTypes: list,
    mailEnabled: flag,
    securityEnabled: flag,
    mail: orNull(text),
    mailNickname: text,
    proxyAddresses: list,
    onPremisesSyncEnabled: orNull(flag),
    onPremisesSecurityIdentifier: orNull(text),
    onPremisesSamAccountName: orNull(text),
    isCloudManaged: flag,
    isAssignableToRole: orNull(flag),
    isManagementRestricted: orNull(flag),
    membershipRule: orNull(text),
    membershipRuleProcessingState: orNull(text),
    resourceProvisioningOptions: list,
    visibility: orNull(text),
    createdDateTime: text,
    members: list,
    owners: list,
    directoryRoles: list,
    scopedRoles,
    eligibleRoles: list,
    exchange: shaped(exchange),
  },
  servicePrincipals: {
    appId: text,
    displayName: text,
    servicePrincipalType: oneOf('Application', 'ManagedIdentity'),
    roles: shaped({ graph: list, exchange: list }),
    directoryRoles: list,
    scopedRoles,
    clientSecrets: (value) =>
      Array.isArray(value) && value.every((item) => shaped({ value: text, endDateTime: text })(item)),
  },
  domains: {
    id: text,
    authenticationType: oneOf('Managed', 'Federated'),
    isDefault: flag,
    isInitial: flag,
    isVerified: flag,
  },
  administrativeUnits: { id: text, displayName: text, isMemberManagementRestricted: flag, members: list },
  customRoles: { id: text, displayName: text },
  syncState: { onPremisesSyncEnabled: orNull(flag), onPremisesLastSyncDateTime: orNull(text) },
  onPremisesSynchronization: {
    features: shaped(Object.fromEntries(syncFeatures.map((name) => [name, flag]))),
  },
  settings: {
    namingPolicy: orNull(text),
    blockedWords: list,
    defaultDomain: text,
    replicationLagMs: shaped({ entraToExchange: lag, exchangeToEntra: lag, entraReads: lag, entraChecks: lag }),
    userWrites: shaped(userWrites),
    tenantServicePrincipal: oneOf('present', 'absent'),
    booleansAsStrings: flag,
    softDeleteSecurityGroups: flag,
    addressQuarantineMs: lag,
    syncedUserWrites: (value) =>
      isStringArray(value) && value.every(oneOf('accountEnabled', 'mobilePhone', 'otherMails')),
    eligibleRolesProtect: flag,
    readerRolesProtect: flag,
    privilegedIdentityManagement: flag,
    callerRoles: oneOf('token', 'directory'),
    onPremisesSynchronizationForm: oneOf('collection', 'entity'),
    onPremisesSynchronizationAppOnly: oneOf('refused', 'read', 'readWrite'),
    nonMemberRemovalStatus: (value) => value === 400 || value === 404,
    limits: (value) => Array.isArray(value) && value.every((item) => limitIsWhole(item) && shaped(limit)(item)),
    latencyMs: shaped({ graph: lag, exchange: lag }),
  },
};

export function mismatches(value: unknown, schema: Schema, at: string): string[] {
  if (!isObject(value)) return [`${at} is not an object`];
  return Object.entries(value).flatMap(([key, item]) => {
    const check = Object.hasOwn(schema, key) ? schema[key] : undefined;
    if (!check) return [`${at}.${key} is not known`];
    return check(item) ? [] : [`${at}.${key} has a wrong value`];
  });
}

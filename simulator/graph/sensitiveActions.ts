import { directoryRoles } from '../tenant/roles.ts';

// Who may act on sensitive properties of whom: the matrix of graph.md §4, as data.

/** Deleting and restoring a user (`deletedDateTime`) are sensitive as well. */
export const sensitiveProperties = [
  'accountEnabled',
  'businessPhones',
  'deletedDateTime',
  'mobilePhone',
  'onPremisesImmutableId',
  'otherMails',
  'passwordProfile',
  'userPrincipalName',
] as const;

const {
  authenticationAdministrator,
  userAdministrator,
  privilegedAuthenticationAdministrator,
  globalAdministrator,
  ...others
} = directoryRoles;

/** The four roles that the matrix speaks of, in the order of its columns. */
export const actingRoles: readonly string[] = [
  authenticationAdministrator,
  userAdministrator,
  privilegedAuthenticationAdministrator,
  globalAdministrator,
];

const top: readonly string[] = [privilegedAuthenticationAdministrator, globalAdministrator];
const notUserAdministrator: readonly string[] = [authenticationAdministrator, ...top];
const notAuthenticationAdministrator: readonly string[] = [userAdministrator, ...top];

/** By the role that the target holds. */
const mayActOnHolder: Readonly<Record<string, readonly string[]>> = {
  [authenticationAdministrator]: notUserAdministrator,
  [others.directoryReaders]: actingRoles,
  [others.guestInviter]: actingRoles,
  [others.messageCenterReader]: actingRoles,
  [others.passwordAdministrator]: actingRoles,
  [others.reportsReader]: actingRoles,
  [others.usageSummaryReportsReader]: actingRoles,
  [others.groupsAdministrator]: notAuthenticationAdministrator,
  [others.helpdeskAdministrator]: notAuthenticationAdministrator,
  [userAdministrator]: notAuthenticationAdministrator,
  [globalAdministrator]: top,
  [privilegedAuthenticationAdministrator]: top,
  [others.privilegedRoleAdministrator]: top,
};

/** Roles that an app needed no role against, as the documentation once had it: facts.readerRolesProtect. */
export const readerRoles: readonly string[] = [
  others.directoryReaders,
  others.guestInviter,
  others.messageCenterReader,
  others.reportsReader,
];

/** What is privileged about somebody. */
export interface TargetPrivileges {
  readonly roles: readonly string[];
  /** Member or owner. */
  readonly isInRoleAssignableGroup: boolean;
  /** Holds a role scoped to a restricted management administrative unit. */
  readonly hasRestrictedScope: boolean;
}

/** Each list names roles of which the caller has to hold one; no list: the permission is enough. */
export const rolesNeeded = (target: TargetPrivileges): (readonly string[])[] => [
  // facts.rolesNotInMatrix: custom roles and all that the table does not name
  ...target.roles.map((role) => mayActOnHolder[role] ?? top),
  ...(target.isInRoleAssignableGroup || target.hasRestrictedScope ? [top] : []),
];

/** A password takes a role even where the user has none (graph.md §4). */
export const rolesToSetPassword = notAuthenticationAdministrator;

const anyProperty = ['User.ReadWrite.All', 'Directory.ReadWrite.All'];

/** Application permissions by property; accountEnabled takes one to read users as well (graph.md §4). */
const narrowPermissions: Readonly<Record<string, string>> = {
  accountEnabled: 'User.EnableDisableAccount.All',
  businessPhones: 'User-Phone.ReadWrite.All',
  deletedDateTime: 'User.DeleteRestore.All',
  mobilePhone: 'User-Phone.ReadWrite.All',
  otherMails: 'User-Mail.ReadWrite.All',
  passwordProfile: 'User-PasswordProfile.ReadWrite.All',
};

export function mayWrite(granted: readonly string[], property: string): boolean {
  if (anyProperty.some((name) => granted.includes(name))) return true;
  const narrow = Object.hasOwn(narrowPermissions, property) ? narrowPermissions[property] : undefined;
  if (narrow === undefined || !granted.includes(narrow)) return false;
  return property !== 'accountEnabled' || granted.includes('User.Read.All');
}

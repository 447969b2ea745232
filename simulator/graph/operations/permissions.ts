// Application permissions by what they open (graph.md §1.5, §2.2, §5, §6).

const directoryRead = ['Directory.Read.All', 'Directory.ReadWrite.All'];

export const permissionsToReadUsers = ['User.Read.All', 'User.ReadWrite.All', ...directoryRead];

export const readPermissions = [
  'GroupMember.Read.All',
  'GroupMember.ReadWrite.All',
  'Group.Read.All',
  'Group.ReadWrite.All',
  ...directoryRead,
];

/** Everything of a group, not its members alone. */
export const fullGroupReadPermissions = ['Group.Read.All', 'Group.ReadWrite.All', ...directoryRead];
/** graph.md §2.4 names the second; the first is facts.syncBehavior. */
export const syncBehaviorPermissions = [
  'Group-OnPremisesSyncBehavior.Read.All',
  'Group-OnPremisesSyncBehavior.ReadWrite.All',
];
export const writePermissions = ['Group.ReadWrite.All', 'Directory.ReadWrite.All'];
export const createPermissions = ['Group.Create', ...writePermissions];
export const memberWritePermissions = ['GroupMember.ReadWrite.All', ...writePermissions];
/** Those a DELETE without /$ref is answered under (graph.md §1.5). */
export const deleteUserPermissions = ['User.ReadWrite.All', 'User.DeleteRestore.All', 'Directory.ReadWrite.All'];

/** graph.md §2.2, §4: the narrow ones open some properties each (sensitiveActions.ts). */
export const userWritePermissions = [
  'User.ReadWrite.All',
  'Directory.ReadWrite.All',
  'User-Phone.ReadWrite.All',
  'User-Mail.ReadWrite.All',
  'User-PasswordProfile.ReadWrite.All',
  'User.EnableDisableAccount.All',
];
/** User.Read.All opens the organization too, by Microsoft's permission table (graph.md §5). */
export const organizationPermissions = [
  'Organization.Read.All',
  'Organization.ReadWrite.All',
  'User.Read.All',
  'User.ReadWrite.All',
  ...directoryRead,
];
export const domainPermissions = ['Domain.Read.All', 'Domain.ReadWrite.All', ...directoryRead];
export const applicationPermissions = ['Application.Read.All', 'Application.ReadWrite.All', ...directoryRead];
/** graph.md §4 names the first. */
export const eligibilityPermissions = [
  'RoleEligibilitySchedule.Read.Directory',
  'RoleEligibilitySchedule.ReadWrite.Directory',
  'RoleManagement.Read.Directory',
  'RoleManagement.ReadWrite.Directory',
  'RoleManagement.Read.All',
];
export const readSynchronizationPermissions = [
  'OnPremDirectorySynchronization.Read.All',
  'OnPremDirectorySynchronization.ReadWrite.All',
];
export const writeSynchronizationPermissions = ['OnPremDirectorySynchronization.ReadWrite.All'];
export const administrativeUnitPermissions = [
  'AdministrativeUnit.Read.All',
  'AdministrativeUnit.ReadWrite.All',
  ...directoryRead,
];
export const roleManagementPermissions = [
  'RoleManagement.Read.Directory',
  'RoleManagement.ReadWrite.Directory',
  'RoleManagement.Read.All',
];

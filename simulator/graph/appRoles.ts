import { exchangeAppId, exchangeManageAsApp, graphAppId } from '../tenant/roles.ts';

// exchange.md §3 gives the id of Exchange.ManageAsApp; those of Graph are facts.graphAppRoleIds.
const graphRoles: Record<string, string> = {
  'AdministrativeUnit.Read.All': '134fd756-38ce-4afd-ba33-e9623dbe66c2',
  'Application.Read.All': '9a5d68dd-52b0-4cc2-bd40-abcf44ac3a30',
  'Directory.Read.All': '7ab1d382-f21e-4acd-a863-ba3e13f7da61',
  'Directory.ReadWrite.All': '19dbc75e-c2e2-444c-a770-ec69d8559fc7',
  'Domain.Read.All': 'dbb9058a-0e50-45d7-ae91-66909b5d4664',
  'Group-OnPremisesSyncBehavior.ReadWrite.All': '2d9bd318-b883-40be-9df7-63ec4fcdc424',
  'Group.Read.All': '5b567255-7703-4780-807c-7be8301ae99b',
  'Group.ReadWrite.All': '62a82d76-70ea-41e2-9197-370581804d09',
  'GroupMember.Read.All': '98830695-27a2-44f7-8c18-0c3ebc9698f6',
  'GroupMember.ReadWrite.All': 'dbaae8cf-10b5-4b86-a4a1-f871c94c6695',
  // graph.md §3
  'OnPremDirectorySynchronization.Read.All': 'bb70e231-92dc-4729-aff5-697b3f04be95',
  'OnPremDirectorySynchronization.ReadWrite.All': 'c22a92cc-79bf-4bb1-8b6c-e0a05d3d80ce',
  'Organization.Read.All': '498476ce-e0fe-48b0-b801-37ba7e2685c6',
  'RoleEligibilitySchedule.Read.Directory': 'ff278e11-4a33-4d0c-83d2-d01dc58929a5',
  'RoleManagement.Read.Directory': '483bed4a-2ad3-4361-a73b-c83ccdbdc53c',
  'RoleManagement.ReadWrite.Directory': '9e3f62cf-ca93-4989-b6ce-bf83c28f9fe8',
  'User-Mail.ReadWrite.All': '280d0935-0796-47d1-8d26-273470a3f17a',
  'User-PasswordProfile.ReadWrite.All': 'cc117bb9-00cf-4eb8-b580-ea2a878fe8f7',
  'User-Phone.ReadWrite.All': '86ceff06-c822-49ff-989a-d912845ffe69',
  'User.DeleteRestore.All': 'eccc023d-eccf-4e7b-9683-8813ab36cecc',
  'User.EnableDisableAccount.All': '3011c876-62b7-4ada-afa2-506cbbecc68c',
  'User.Read.All': 'df021288-bdef-4463-88db-98f22de89214',
  'User.ReadWrite.All': '741f803b-c850-494e-b5df-cde7c675a1ca',
};

const rolesByApp: Record<string, Record<string, string>> = {
  [graphAppId]: graphRoles,
  [exchangeAppId]: { [exchangeManageAsApp.value]: exchangeManageAsApp.id },
};

/** The app roles that a resource defines, as its service principal lists them. */
export const appRolesOf = (appId: string) =>
  Object.entries(rolesByApp[appId] ?? {}).map(([value, id]) => ({
    id,
    value,
    displayName: value,
    isEnabled: true,
    allowedMemberTypes: ['Application'],
  }));

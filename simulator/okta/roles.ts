/** What an operation asks of the admin roles. */
export type Capability =
  | 'users.read'
  | 'groups.read'
  | 'groups.manage'
  | 'groupMembers.manage'
  | 'apps.read'
  | 'apps.manage'
  | 'eventHooks.read'
  | 'eventHooks.manage';

const reads: readonly Capability[] = ['users.read', 'groups.read', 'apps.read'];

/** facts.oktaAdminRoles; event hooks ask for a super admin or the custom permission (okta.md §1.1). */
const roles: Readonly<Record<string, readonly Capability[]>> = {
  SUPER_ADMIN: [
    ...reads,
    'groups.manage',
    'groupMembers.manage',
    'apps.manage',
    'eventHooks.read',
    'eventHooks.manage',
  ],
  ORG_ADMIN: [...reads, 'groups.manage', 'groupMembers.manage'],
  APP_ADMIN: [...reads, 'apps.manage'],
  GROUP_MEMBERSHIP_ADMIN: ['users.read', 'groups.read', 'groupMembers.manage'],
  HELP_DESK_ADMIN: ['users.read', 'groups.read'],
  READ_ONLY_ADMIN: reads,
  'okta.eventhooks.manage': ['eventHooks.read', 'eventHooks.manage'],
};

export const isRole = (name: string): boolean => Object.hasOwn(roles, name);

export const allows = (held: readonly string[], capability: Capability): boolean =>
  held.some((name) => isRole(name) && roles[name]?.includes(capability));

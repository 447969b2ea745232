/** What reading groups, users, app users and push mappings asks for (okta.md §4). */
export const readScopes = ['okta.groups.read', 'okta.users.read', 'okta.apps.read'] as const;

/** What registering the event hook asks for, in a set-up of its own: the app itself never needs it (okta.md §1.1). */
export const eventHookScopes = ['okta.eventHooks.manage'] as const;

/** What taking a user off Office 365 for a repair and back asks for, beside what is read (okta.md §4). */
export const assignmentScopes = ['okta.apps.manage'] as const;

export type OktaScope = (typeof readScopes | typeof eventHookScopes | typeof assignmentScopes)[number];

/** By the least that will do; a service app needs scopes and a role, an API token the role of its administrator. */
export const rolesFor: Readonly<Record<OktaScope, string>> = {
  'okta.groups.read': 'Read-only Administrator, or a custom role with "View groups and their details"',
  'okta.users.read': 'Read-only Administrator, or a custom role with "View users and their details"',
  'okta.apps.read': 'Read-only Administrator, or a custom role with "View applications and their details"',
  'okta.apps.manage': 'Application Administrator for the Office 365 app, or a custom role with "Manage applications"',
  'okta.eventHooks.manage': 'Super Administrator, or a custom role with okta.eventhooks.manage',
};

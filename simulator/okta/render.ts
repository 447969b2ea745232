import { hookEligible } from './events.ts';
import type { AppUser, EventHook, GroupRule, OktaApp, OktaGroup, OktaUser, PushMapping } from './model.ts';
import type { Org } from './org.ts';

// What the Management API shows of each kind of object (okta.md §4 and the samples of Okta's specification).

const link = (href: string, ...allow: string[]) => (allow.length > 0 ? { href, hints: { allow } } : { href });

export const userRow = (origin: string, user: OktaUser) => ({
  id: user.id,
  status: user.status,
  created: user.created,
  activated: user.activated,
  statusChanged: user.statusChanged,
  lastLogin: null,
  lastUpdated: user.lastUpdated,
  passwordChanged: user.activated,
  type: { id: 'oty1162QAr8hJjTaq0g4' },
  profile: user.profile,
  credentials: { password: {}, provider: { type: 'OKTA', name: 'OKTA' } },
  _links: { self: link(`${origin}/api/v1/users/${user.id}`) },
});

const objectClass = (group: OktaGroup): string[] =>
  group.type === 'APP_GROUP' && 'objectSid' in group.profile
    ? ['okta:windows_security_principal']
    : ['okta:user_group'];

export const groupRow = (origin: string, group: OktaGroup) => ({
  id: group.id,
  created: group.created,
  lastUpdated: group.lastUpdated,
  lastMembershipUpdated: group.lastMembershipUpdated,
  objectClass: objectClass(group),
  type: group.type,
  profile: group.profile,
  _links: {
    ...(group.sourceAppId === null ? {} : { source: link(`${origin}/api/v1/apps/${group.sourceAppId}`) }),
    users: link(`${origin}/api/v1/groups/${group.id}/users`),
    apps: link(`${origin}/api/v1/groups/${group.id}/apps`),
  },
});

/** `expand=stats` */
export const groupStats = (org: Org, group: OktaGroup) => ({
  usersCount: group.members.length,
  appsCount: [...org.apps].filter(({ assignedGroupIds }) => assignedGroupIds.includes(group.id)).length,
  groupPushMappingsCount: [...org.pushMappings].filter(({ sourceGroupId }) => sourceGroupId === group.id).length,
  hasAdminPrivilege: false,
});

export const ruleRow = (rule: GroupRule) => ({
  type: 'group_rule',
  id: rule.id,
  status: rule.status,
  name: rule.name,
  created: rule.created,
  lastUpdated: rule.lastUpdated,
  conditions: {
    people: { users: { exclude: [] }, groups: { exclude: [] } },
    expression: { value: rule.expression, type: 'urn:okta:expression:1.0' },
  },
  actions: { assignUserToGroups: { groupIds: rule.groupIds } },
});

export const appRow = (origin: string, app: OktaApp) => ({
  id: app.id,
  name: app.name,
  label: app.label,
  status: 'ACTIVE',
  lastUpdated: app.lastUpdated,
  created: app.created,
  features: app.capabilities ? ['PUSH_NEW_USERS', 'PUSH_PROFILE_UPDATES', 'PUSH_USER_DEACTIVATION', 'GROUP_PUSH'] : [],
  signOnMode: 'SAML_1_1',
  settings: { app: app.settings },
  _links: {
    users: link(`${origin}/api/v1/apps/${app.id}/users`),
    groups: link(`${origin}/api/v1/apps/${app.id}/groups`),
  },
});

export const featureRow = (origin: string, app: OktaApp) => ({
  name: 'USER_PROVISIONING',
  status: 'ENABLED',
  description: 'User provisioning settings from Okta to a downstream application',
  capabilities: app.capabilities,
  _links: { self: link(`${origin}/api/v1/apps/${app.id}/features/USER_PROVISIONING`, 'GET', 'PUT') },
});

export function appUserRow(origin: string, org: Org, app: OktaApp, appUser: AppUser) {
  const group = appUser.groupId === null ? undefined : org.groups.get(appUser.groupId);
  return {
    id: appUser.id,
    externalId: appUser.externalId,
    created: appUser.created,
    lastUpdated: appUser.lastUpdated,
    scope: appUser.scope,
    status: appUser.status,
    statusChanged: appUser.statusChanged,
    passwordChanged: null,
    syncState: appUser.syncState,
    lastSync: appUser.lastSync,
    credentials: { userName: appUser.userName },
    profile: appUser.profile,
    _links: {
      app: link(`${origin}/api/v1/apps/${app.id}`),
      user: link(`${origin}/api/v1/users/${appUser.id}`),
      ...(group ? { group: { name: group.profile.name, href: `${origin}/api/v1/groups/${group.id}` } } : {}),
    },
  };
}

export const mappingRow = (origin: string, mapping: PushMapping) => ({
  id: mapping.id,
  created: mapping.created,
  lastUpdated: mapping.lastUpdated,
  lastPush: mapping.lastPush,
  sourceGroupId: mapping.sourceGroupId,
  targetGroupId: mapping.targetGroupId,
  status: mapping.status,
  errorSummary: mapping.errorSummary,
  _links: {
    app: link(`${origin}/api/v1/apps/${mapping.appId}`),
    sourceGroup: link(`${origin}/api/v1/groups/${mapping.sourceGroupId}`),
    targetGroup: link(`${origin}/api/v1/groups/${mapping.targetGroupId}`),
  },
});

/** The value of the auth header is never shown. */
export function hookRow(origin: string, hook: EventHook) {
  const self = `${origin}/api/v1/eventHooks/${hook.id}`;
  return {
    id: hook.id,
    status: hook.status,
    verificationStatus: hook.verificationStatus,
    name: hook.name,
    description: hook.description,
    created: hook.created,
    createdBy: hook.createdBy,
    lastUpdated: hook.lastUpdated,
    events: {
      type: 'EVENT_TYPE',
      items: hookEligible.filter((type) => hook.eventTypes.includes(type)),
      filter: null,
    },
    channel: {
      type: 'HTTP',
      version: '1.0.0',
      config: {
        uri: hook.uri,
        headers: hook.headers,
        method: 'POST',
        ...(hook.auth ? { authScheme: { type: 'HEADER', key: hook.auth.key } } : {}),
      },
    },
    _links: {
      self: link(self),
      verify: link(`${self}/lifecycle/verify`, 'POST'),
      deactivate: link(`${self}/lifecycle/deactivate`, 'POST'),
    },
  };
}

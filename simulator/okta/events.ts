import type { OktaApp, OktaGroup, OktaUser } from './model.ts';

/** One row of the System Log, as event hooks carry it (okta.md §1.2). */
export interface LogEvent {
  readonly uuid: string;
  readonly published: string;
  readonly eventType: string;
  readonly target: readonly Target[] | null;
  readonly debugContext: { readonly debugData: Readonly<Record<string, string>> };
  readonly [key: string]: unknown;
}

export interface Target {
  readonly id: string;
  readonly type: 'User' | 'UserGroup' | 'AppUser' | 'AppInstance';
  readonly alternateId: string;
  readonly displayName: string;
  readonly detailEntry: null;
}

/** Something that happened, before it is written as an event. */
export interface Happening {
  readonly eventType: HookEligible;
  readonly target: readonly Target[];
  /** JOB: by a rule or an import. */
  readonly by: 'WEB' | 'JOB';
  readonly changedAttributes?: readonly string[];
  readonly requestUri?: string;
}

/** Display message and legacy type; where a sample has none, both are facts.oktaEventTexts. */
const catalog = {
  'group.user_membership.add': ['Add user to group membership', 'core.user_group_member.user_add'],
  'group.user_membership.remove': ['Remove user from group membership', 'core.user_group_member.user_remove'],
  'group.lifecycle.create': ['Create Okta group', null],
  'group.lifecycle.delete': ['Delete Okta group', null],
  'group.profile.update': ['Okta group profile updated', null],
  'group.application_assignment.add': ['Add assigned application to group', null],
  'group.application_assignment.remove': ['Remove assigned application from group', null],
  'group.application_assignment.update': ['Update assigned application of group', null],
  'user.account.update_profile': ['Update user profile for Okta', 'core.user.config.profile_update.success'],
  'user.lifecycle.create': ['Create Okta user', 'core.user.config.user_creation.success'],
  'user.lifecycle.activate': ['Activate Okta user', 'core.user.config.user_activated'],
  'user.lifecycle.deactivate': ['Deactivate Okta user', 'core.user.config.user_deactivated'],
  'user.lifecycle.reactivate': ['Reactivate Okta user', null],
  'user.lifecycle.suspend': ['Suspend Okta user', 'core.user.config.user_suspended'],
  'user.lifecycle.unsuspend': ['Unsuspend Okta user', 'core.user.config.user_unsuspended'],
  'user.lifecycle.delete.initiated': ['Delete Okta user initiated', null],
  'application.user_membership.add': ['Add user to application membership', null],
  'application.user_membership.remove': ["Remove user's application membership", null],
  'application.user_membership.update': ['Update user in application membership', null],
  'application.provision.user.push': ['Push new user to external application', null],
  'application.provision.user.push_profile': ["Push user's profile to external application", null],
  'application.provision.user.reactivate': ['Reactivate user in external application', null],
  'application.provision.user.sync': ['Sync user in external application', null],
  'application.provision.user.import_profile': ['Import user profile from external application', null],
  'application.provision.user.delete': ['Delete user from external application', null],
  'application.provision.group_push.mapping.update.or.delete.failed.with.error': [
    'Group push mapping change failed and cannot be retried',
    null,
  ],
  'app.user_management': ['Imported new or deleted existing member of an application group', null],
  'app.user_management.user_group_import.upsert_success': ['Imported members of an application group', null],
  'system.import.group.create': ['Create group during import', null],
  'system.import.group.delete': ['Delete group during import', null],
  'system.import.complete': ['Import completed', null],
} as const satisfies Record<string, readonly [string, string | null]>;
export type HookEligible = keyof typeof catalog;

/** The types that okta.md §1.1 lists as useful to us; a hook may subscribe to these only. */
export const isHookEligible = (type: string): boolean => Object.hasOwn(catalog, type);
export const hookEligible = Object.keys(catalog);

export const userTarget = (user: OktaUser): Target => ({
  id: user.id,
  type: 'User',
  alternateId: user.profile.login,
  displayName: [user.profile.firstName, user.profile.lastName].join(' '),
  detailEntry: null,
});

export const groupTarget = (group: OktaGroup): Target => ({
  id: group.id,
  type: 'UserGroup',
  alternateId: 'unknown',
  displayName: group.profile.name,
  detailEntry: null,
});

export const appTarget = (app: OktaApp): Target => ({
  id: app.id,
  type: 'AppInstance',
  alternateId: app.label,
  displayName: app.label,
  detailEntry: null,
});

export function logEvent(
  { eventType, target, by, changedAttributes, requestUri }: Happening,
  { uuid, published, transactionId }: { uuid: string; published: string; transactionId: string },
): LogEvent {
  const [displayMessage, legacyEventType] = catalog[eventType];
  return {
    uuid,
    published,
    eventType,
    version: '0',
    displayMessage,
    severity: 'INFO',
    client: {
      userAgent: { rawUserAgent: 'Mozilla/5.0', os: 'Mac OS X', browser: 'CHROME' },
      zone: 'null',
      device: 'Computer',
      id: null,
      ipAddress: '203.0.113.10',
      geographicalContext: null,
      ipChain: [],
    },
    device: null,
    actor: {
      id: '00uAdmin000000000001',
      type: 'User',
      alternateId: 'admin@example.com',
      displayName: 'Okta Admin',
      detailEntry: null,
    },
    outcome: { result: 'SUCCESS', reason: null },
    target,
    transaction: { type: by, id: transactionId, detail: {} },
    debugContext: {
      debugData: {
        ...(changedAttributes ? { changedAttributes: changedAttributes.join(',') } : {}),
        ...(requestUri ? { requestUri } : {}),
        threatSuspected: 'false',
      },
    },
    legacyEventType,
    authenticationContext: {
      authenticationProvider: null,
      credentialProvider: null,
      credentialType: null,
      issuer: null,
      authenticationStep: 0,
      externalSessionId: 'idxExampleSession',
      interface: null,
    },
    securityContext: { asNumber: null, asOrg: null, isp: null, domain: null, isProxy: null },
    insertionTimestamp: null,
  };
}

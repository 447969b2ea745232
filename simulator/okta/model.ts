import type { MemberList } from '../tenant/memberList.ts';

// An Okta org. Properties carry the names of Okta's Management API; objects are never changed in place, only replaced.

export const userStatuses = [
  'STAGED',
  'PROVISIONED',
  'ACTIVE',
  'RECOVERY',
  'PASSWORD_EXPIRED',
  'LOCKED_OUT',
  'SUSPENDED',
  'DEPROVISIONED',
] as const;
export type UserStatus = (typeof userStatuses)[number];

export type Profile = Readonly<Record<string, unknown>>;

export interface OktaUser {
  readonly id: string;
  readonly status: UserStatus;
  readonly created: string;
  readonly activated: string | null;
  readonly statusChanged: string | null;
  readonly lastUpdated: string;
  /** Custom attributes too. */
  readonly profile: Profile & { readonly login: string; readonly email: string };
}

export const groupTypes = ['OKTA_GROUP', 'APP_GROUP', 'BUILT_IN'] as const;

export interface OktaGroup {
  readonly id: string;
  readonly type: (typeof groupTypes)[number];
  readonly created: string;
  readonly lastUpdated: string;
  readonly lastMembershipUpdated: string;
  /** Custom attributes too. */
  readonly profile: Profile & { readonly name: string; readonly description: string | null };
  /** The app that an APP_GROUP comes from. */
  readonly sourceAppId: string | null;
  /** Ids of users. */
  readonly members: MemberList;
}

export interface GroupRule {
  readonly id: string;
  readonly name: string;
  readonly status: 'ACTIVE' | 'INACTIVE';
  readonly created: string;
  readonly lastUpdated: string;
  /** `user.department=="Marketing"`: the one form that is modelled. */
  readonly expression: string;
  readonly groupIds: readonly string[];
}

type EnabledStatus = 'ENABLED' | 'DISABLED';

export interface Capabilities {
  readonly create: { readonly lifecycleCreate: { readonly status: EnabledStatus } };
  readonly update: {
    readonly lifecycleDeactivate: { readonly status: EnabledStatus };
    readonly profile: { readonly status: EnabledStatus };
    readonly password: {
      readonly status: EnabledStatus;
      readonly seed: 'OKTA' | 'RANDOM';
      readonly change: 'CHANGE' | 'KEEP_EXISTING';
    };
  };
}

export interface OktaApp {
  readonly id: string;
  readonly name: 'office365' | 'active_directory';
  readonly label: string;
  readonly created: string;
  readonly lastUpdated: string;
  readonly settings: Readonly<Record<string, string>>;
  readonly assignedGroupIds: readonly string[];
  /** null: provisioning is not set up. */
  readonly capabilities: Capabilities | null;
}

export const syncStates = ['DISABLED', 'ERROR', 'OUT_OF_SYNC', 'SYNCHRONIZED', 'SYNCING'] as const;
export const appUserStatuses = [
  'ACTIVE',
  'APPROVED',
  'DEPROVISIONED',
  'IMPLICIT',
  'IMPORTED',
  'INACTIVE',
  'MATCHED',
  'PENDING',
  'PROVISIONED',
  'REVOKED',
  'STAGED',
  'SUSPENDED',
  'UNASSIGNED',
] as const;

export interface AppUser {
  /** Of the user, as the API has it; events name the app user by an id of its own. */
  readonly id: string;
  readonly externalId: string | null;
  readonly status: (typeof appUserStatuses)[number];
  readonly syncState: (typeof syncStates)[number];
  readonly lastSync: string | null;
  readonly scope: 'USER' | 'GROUP';
  /** The group that assigns, where the scope is GROUP. */
  readonly groupId: string | null;
  readonly created: string;
  readonly lastUpdated: string;
  readonly statusChanged: string;
  readonly userName: string;
  readonly profile: Profile;
}

export interface PushMapping {
  readonly id: string;
  readonly appId: string;
  readonly sourceGroupId: string;
  readonly targetGroupId: string;
  readonly status: 'ACTIVE' | 'INACTIVE' | 'ERROR';
  readonly errorSummary: string;
  readonly created: string;
  readonly lastUpdated: string;
  readonly lastPush: string;
  /** What the next push will say; null: it succeeds. */
  readonly failsWith: string | null;
}

export interface HookHeader {
  readonly key: string;
  readonly value: string;
}

export interface EventHook {
  readonly id: string;
  readonly name: string;
  readonly description: string | null;
  readonly status: 'ACTIVE' | 'INACTIVE';
  readonly verificationStatus: 'VERIFIED' | 'UNVERIFIED';
  readonly created: string;
  readonly createdBy: string;
  readonly lastUpdated: string;
  readonly eventTypes: readonly string[];
  readonly uri: string;
  readonly headers: readonly HookHeader[];
  readonly auth: HookHeader | null;
}

/** A service app: client credentials with private_key_jwt. All have the simulator's one key pair. */
export interface ServiceApp {
  readonly id: string;
  readonly label: string;
  readonly grantedScopes: readonly string[];
  /** Standard roles, and permissions of custom roles (`okta.eventhooks.manage`). */
  readonly adminRoles: readonly string[];
  readonly dpopBound: boolean;
}

/** It has the roles of the admin who made it; scopes do not concern it. */
export interface ApiToken {
  readonly id: string;
  readonly value: string;
  readonly adminRoles: readonly string[];
}

export interface OrgSettings {
  /** Calls a minute for each caller and bucket; `default` for buckets not named. */
  rateLimits: Record<string, number>;
  /** Unknown (okta.md §7.5): whether who is deactivated also leaves the groups, with an event for each. */
  deactivationRemovesMemberships: boolean;
  /** Whether who is assigned Office 365 gets the immutable id of the app user's profile in Entra: facts.oktaImmutableIdPush. */
  pushesImmutableId: boolean;
}

/** How the event hooks deliver; all that Okta does not promise, on request. */
export interface Delivery {
  /** Events collect and nothing is sent. */
  paused: boolean;
  /** Events in one POST at most. */
  batchSize: number;
  /** How long an event waits before it is sent. */
  delayMs: number;
  /** Posts under way at once. */
  concurrency: number;
  /** Whatever waits is shuffled before it is sent. */
  disorder: boolean;
  /** Probabilities. */
  duplicates: number;
  loss: number;
  timeoutMs: number;
  dailyLimit: number;
  /** As in 2019 and 2020: `eventID`, and keys without a value dropped (okta.md §1.2). */
  legacyEnvelope: boolean;
  /** user.account.update_profile without target: its path alone says who (okta.md §1.2). */
  nullTargets: boolean;
}

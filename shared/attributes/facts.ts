import type { AttributeUser, UserUnit } from '../graph/userAttributes.ts';
import type { Reading } from '../identity/facts.ts';
import type { OwnStanding } from '../identity/privilege.ts';
import type { AttributeName, AttributeValues } from './attribute.ts';

export type { AttributeUser, UserUnit } from '../graph/userAttributes.ts';
export type { Reading } from '../identity/facts.ts';

/** Where it is known from what a value should be. */
export const expectedSources = ['given', 'office365Profile', 'oktaUserProfile'] as const;
export type ExpectedSource = (typeof expectedSources)[number];

export interface Expectation {
  readonly source: ExpectedSource;
  /** Holds this property, and no other. */
  readonly value: AttributeValues;
}

/** What should be; a property that is not there is not known. */
export type Expectations = Readonly<Partial<Record<AttributeName, Expectation>>>;

/**
 * Everything a diagnosis is made from. Whatever could not be read says why, and is never taken for empty; null is what
 * no difference made worth reading.
 */
export interface AttributeFacts {
  readonly user: AttributeUser;
  readonly expected: Expectations;
  /** Whether PROTECTED_USERS lists the user. */
  readonly isProtected: boolean;
  readonly okta: Reading<OktaAttributes>;
  /** `mobile` in Active Directory: as it was given, else as Okta imported it; null: not known. */
  readonly onPremisesMobile: { readonly value: string | null; readonly source: 'given' | 'okta' } | null;
  readonly own: OwnStanding | null;
  readonly privilege: Reading<TargetStanding> | null;
  /** Whether the tenant's sync overwrites what was edited in the cloud. */
  readonly bypassesOverrides: Reading<boolean> | null;
}

/** What decides whether Graph lets us write to the user. */
export type StandingFacts = Pick<AttributeFacts, 'user' | 'own' | 'privilege'>;

/** What Okta has of the user. */
export interface OktaAttributes {
  /** null: nobody in Okta has the user principal name as login. */
  readonly userId: string | null;
  /** `mobilePhone` of the user in Okta, whatever the mapping of an app makes of it. */
  readonly mobilePhone: string | null;
  readonly office365: OktaSync | null;
  /** Whether several Office 365 apps have the user, and it is not known which is meant. */
  readonly isAppInDoubt: boolean;
}

/** The user in an Office 365 app of Okta. */
export interface OktaSync {
  readonly appId: string;
  readonly appLabel: string | null;
  /** The object id in Entra it is linked to (okta.md §4, inferred); null: not linked. */
  readonly externalId: string | null;
  /** `DISABLED`, `ERROR`, `OUT_OF_SYNC`, `SYNCHRONIZED`, `SYNCING`. */
  readonly syncState: string | null;
  /** ISO 8601; null: nothing was ever sent. */
  readonly lastSync: string | null;
  /** In its profile; what is not there is not mapped. */
  readonly values: AttributeValues;
}

/** What is privileged about the user, and what units it is in. */
export interface TargetStanding {
  readonly roles: readonly TargetRole[];
  /** Could be activated (PIM). */
  readonly eligibleRoleIds: Reading<readonly string[]>;
  /** Groups that can hold roles, of which the user is a member or an owner. */
  readonly groups: readonly TargetGroup[];
  readonly units: Reading<readonly UserUnit[]>;
}

export interface TargetRole {
  readonly roleId: string;
  /** null: over the tenant. */
  readonly unit: Reading<UserUnit> | null;
}

export interface TargetGroup {
  readonly name: string;
  readonly isMember: boolean;
  /** Active roles of the group. */
  readonly roleIds: readonly string[];
}

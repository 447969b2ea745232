import type { FaultCode } from '../errors.ts';
import type { ExpectedValue } from './expectedValue.ts';

/** Everything a diagnosis and a plan are made from. Whatever could not be read says why, and is never taken for empty. */
export interface IdentityFacts {
  readonly user: IdentityUser;
  /** What the caller said that the immutable ID should be; null: nothing. */
  readonly given: ExpectedValue | null;
  readonly okta: Reading<OktaSide>;
  readonly domains: Reading<readonly TenantDomain[]>;
  /** Users that hold the expected value, other than this one. */
  readonly holders: Reading<readonly OtherUser[]>;
  /** Deleted users that hold the expected value. */
  readonly deletedHolders: Reading<readonly OtherUser[]>;
  /** Deleted users that had the user principal name of this one. */
  readonly deletedTwins: Reading<readonly OtherUser[]>;
  readonly privilege: Reading<UserPrivilege>;
  readonly ownPrincipal: Reading<OwnPrincipal>;
}

export type Reading<Value> =
  { readonly known: true; readonly value: Value } | { readonly known: false; readonly why: Unread };

export interface Unread {
  readonly code: FaultCode;
  /** One sentence. */
  readonly message: string;
  readonly fix: string;
}

export interface IdentityUser {
  readonly id: string;
  readonly userPrincipalName: string;
  readonly displayName: string | null;
  readonly immutableId: string | null;
  readonly accountEnabled: boolean;
  readonly isSynced: boolean;
  readonly mail: string | null;
  readonly mailNickname: string | null;
  /** As Graph gives them: `SMTP:` before the primary one, `smtp:` before others, and what is no SMTP address at all. */
  readonly proxyAddresses: readonly string[];
}

export interface OtherUser {
  readonly id: string;
  readonly userPrincipalName: string;
  readonly displayName: string | null;
}

export interface TenantDomain {
  readonly name: string;
  readonly isFederated: boolean;
  readonly isVerified: boolean;
  /** `….onmicrosoft.com`, which can never be federated (graph.md §2.3). */
  readonly isInitial: boolean;
}

/** What Okta has of the user. */
export interface OktaSide {
  /** null: nobody in Okta has the user principal name as login. */
  readonly userId: string | null;
  /** Of the user in the Active Directory integration: Base64 of the objectGUID (okta.md §4). */
  readonly directoryExternalId: string | null;
  readonly office365: OktaAssignment | null;
}

/** The user in an Office 365 app of Okta. */
export interface OktaAssignment {
  readonly appId: string;
  readonly appLabel: string | null;
  /** `immutableId` of its profile: what Okta asserts at sign-in (okta.md §4). */
  readonly immutableId: string | null;
  /** The object id in Entra it is linked to (okta.md §4, inferred); null: not linked, or single sign-on alone. */
  readonly externalId: string | null;
  /** Whether a group assigns it, so that it cannot be unassigned alone. */
  readonly isByGroup: boolean;
}

export interface UserPrivilege {
  /** Role definition ids, whatever their scope. */
  readonly roleIds: readonly string[];
  /** Those that could be activated (PIM); null: could not be read, as without a P2 licence. */
  readonly eligibleRoleIds: readonly string[] | null;
  /** Names of groups that can hold roles, of which the user is a member or an owner. */
  readonly roleAssignableGroups: readonly string[];
}

/** Our service principal. */
export interface OwnPrincipal {
  readonly id: string;
  readonly roleIds: readonly string[];
}

export function domainOf(userPrincipalName: string): string {
  return userPrincipalName.slice(userPrincipalName.lastIndexOf('@') + 1).toLowerCase();
}

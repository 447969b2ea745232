import type { FaultCode } from '../errors.ts';
import type { DeletedUser, IdentityUser, OtherUser, TenantDomain } from '../graph/identityReads.ts';
import type { ExpectedValue } from './expectedValue.ts';

export type { DeletedUser, IdentityUser, OtherUser, TenantDomain } from '../graph/identityReads.ts';

/** Everything a diagnosis and a plan are made from. Whatever could not be read says why, and is never taken for empty. */
export interface IdentityFacts {
  readonly user: IdentityUser;
  /** What the caller said that the immutable ID should be; null: nothing. */
  readonly given: ExpectedValue | null;
  readonly okta: Reading<OktaSide>;
  readonly domains: Reading<readonly TenantDomain[]>;
  /** Whether PROTECTED_USERS lists the user. */
  readonly isProtected: boolean;
  /** Users that hold the expected value; this one may be among them. */
  readonly holders: Reading<readonly OtherUser[]>;
  /** Deleted users that may hold the expected value, or may have had the user principal name. */
  readonly deletedUsers: Reading<readonly DeletedUser[]>;
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

/** What Okta has of the user. */
export interface OktaSide {
  /** null: nobody in Okta has the user principal name as login. */
  readonly userId: string | null;
  /** Of the user in the Active Directory integration: Base64 of the objectGUID (okta.md §4). */
  readonly directoryExternalId: string | null;
  /** ms-DS-ConsistencyGuid in its profile there, as an immutable ID; null where it is not imported. */
  readonly consistencyGuid: string | null;
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
  /** Its name, or else its id; null: no group, or not told. */
  readonly group: string | null;
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

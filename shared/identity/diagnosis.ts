import { isGuid } from '../guid.ts';
import { managedDomains, tenantDomainOf } from './domains.ts';
import { type Anchor, anchorOf, type Expectation, expectationOf, type ExpectedSource } from './expectation.ts';
import {
  type DeletedUser,
  domainOf,
  type IdentityFacts,
  type OktaSide,
  type OtherUser,
  type Reading,
} from './facts.ts';
import { guidOfImmutableId, wrongEndianTwin } from './immutableIdCodec.ts';
import { nameOfRole, rolesToActOn } from './sensitiveActions.ts';

/** How the actual value compares with the expected one: exactly one finding has one of these. */
export const comparisonCodes = [
  'equal',
  'missing',
  'wrong_endian',
  'other_anchor',
  'different',
  'expected_unknown',
] as const;
export type ComparisonCode = (typeof comparisonCodes)[number];

export const findingCodes = [
  ...comparisonCodes,
  'synced_from_on_premises',
  'management_restricted',
  'protected_user',
  'held_by_user',
  'held_by_deleted_user',
  'role_missing',
  'privileged_target',
  'differs_from_okta',
  'linked_elsewhere',
  'assigned_by_group',
  'soft_deleted_twin',
  'federated_domain',
  'managed_domain',
  'no_managed_domain',
  'hard_match_hardening',
  'not_checked',
] as const;
export type FindingCode = (typeof findingCodes)[number];

/** The gravest first: `blocker` no repair begins, `problem` a repair mends it, `warning` to be looked at, `info`. */
export const severities = ['blocker', 'problem', 'warning', 'info'] as const;
export type Severity = (typeof severities)[number];

/** One cause found by a diagnosis (design §2). */
export interface Finding {
  readonly code: FindingCode;
  readonly severity: Severity;
  /** One sentence. */
  readonly message: string;
  /** What to do about it. */
  readonly fix: string;
  /** The facts it follows from, as text: names, ids and values. */
  readonly evidence: string;
}

/** How actual and expected compare. */
export interface Comparison extends Finding {
  readonly code: ComparisonCode;
}

export interface Diagnosis {
  readonly comparison: Comparison;
  /** Everything that is to be said, the comparison among it, the gravest first. */
  readonly findings: readonly Finding[];
  /** Whether nothing that is known stands in the way of a repair. */
  readonly isRepairable: boolean;
}

/** Pure. */
export function diagnose(facts: IdentityFacts): Diagnosis {
  const expectation = expectationOf(facts);
  const comparison = compare(facts, expectation);
  const all = [
    comparison,
    synced(facts),
    restricted(facts),
    listedAsProtected(facts),
    held(facts, expectation),
    heldByDeleted(facts, expectation),
    ...privileged(facts),
    differsFromOkta(facts),
    linkedElsewhere(facts),
    assignedByGroup(facts),
    softDeletedTwin(facts),
    ...signInDomain(facts),
    hardMatchHardening(facts),
    ...notChecked(facts),
  ].filter((finding) => finding !== null);
  const findings = severities.flatMap((severity) => all.filter((finding) => finding.severity === severity));
  return { comparison, findings, isRepairable: findings.every(({ severity }) => severity !== 'blocker') };
}

const nothingToDo = 'Nothing is to be done.';
const repairIt = 'Repair the immutable ID (repairImmutableId).';

const anchorNames: Readonly<Record<Anchor, string>> = {
  objectGuid: 'the objectGUID',
  consistencyGuid: 'the ms-DS-ConsistencyGuid',
  oktaUserId: 'the id of a user in Okta',
  guid: 'an objectGUID or ms-DS-ConsistencyGuid',
  other: 'something else',
};

const sourceNames: Readonly<Record<ExpectedSource, string>> = {
  given: 'given by the request',
  office365Profile: "immutableId in the profile of Okta's Office 365 app",
  office365ExternalId: "external ID in Okta's Office 365 app",
  directoryExternalId: "external ID in Okta's Active Directory integration",
};

function compare(facts: IdentityFacts, expectation: Expectation | null): Comparison {
  const actual = facts.user.immutableId;
  if (expectation === null) return unknownExpectation(facts);
  const { source, immutableId: expected, anchor } = expectation;
  const evidence = `actual ${shown(actual)}; expected ${shown(expected)} (${sourceNames[source]})`;
  if (actual === expected) {
    return {
      code: 'equal',
      severity: 'info',
      message: 'The immutable ID is what it should be.',
      fix: nothingToDo,
      evidence,
    };
  }
  const problem = { severity: 'problem', fix: repairIt, evidence } as const;
  if (actual === null) {
    const message = 'The user has no immutable ID: a federated sign-in finds no account.';
    return { ...problem, code: 'missing', message };
  }
  if (expected === null) {
    return { ...problem, code: 'different', message: 'The user has an immutable ID and should have none.' };
  }
  if (wrongEndianTwin(expected) === actual) {
    return {
      ...problem,
      code: 'wrong_endian',
      message: 'The immutable ID was made from the right GUID with its bytes in the wrong order.',
      fix: `${repairIt} Whatever wrote it turned the text of the GUID into bytes; Active Directory's first three fields are little-endian.`,
    };
  }
  const actualAnchor = anchorOf(actual, facts);
  if (isOtherAnchor(actualAnchor, anchor)) {
    return {
      ...problem,
      code: 'other_anchor',
      message: `The immutable ID is made from ${anchorNames[actualAnchor]}, ${anchor === null || anchor === 'other' ? 'and what is expected is not' : `not from ${anchorNames[anchor]}`}.`,
      fix: 'Find out which anchor the tenant uses; then repair this user, or change the mapping of immutableId in Okta or the source anchor of Entra Connect.',
      evidence: `${evidence}; anchor in use: ${actualAnchor}${isInferred(actualAnchor, actual, facts) ? ', inferred' : ''}`,
    };
  }
  return { ...problem, code: 'different', message: 'The immutable ID is another than it should be.' };
}

/** Two GUIDs of which nobody says what they are may be of one kind. */
function isOtherAnchor(actual: Anchor, expected: Anchor | null): boolean {
  if (actual === 'other' || actual === expected) return false;
  return actual !== 'guid' || expected === 'oktaUserId' || expected === 'other';
}

/** A GUID that is only not the other one. */
function isInferred(anchor: Anchor, immutableId: string, { okta }: IdentityFacts): boolean {
  if (!okta.known) return true;
  const { userId, directoryExternalId, consistencyGuid } = okta.value;
  const ids: Readonly<Record<Anchor, string | null>> = {
    oktaUserId: userId,
    objectGuid: directoryExternalId,
    consistencyGuid,
    guid: null,
    other: null,
  };
  return ids[anchor] !== immutableId;
}

function unknownExpectation({ user, okta }: IdentityFacts): Comparison {
  const asked = okta.known ? whatOktaHas(okta.value) : 'Okta could not be asked';
  return {
    code: 'expected_unknown',
    severity: 'warning',
    message: 'What the immutable ID should be is not known: it was not given, and Okta does not say.',
    fix: okta.known
      ? 'Give one of immutableId, objectGuid, consistencyGuid, externalId or oktaUserId, or map immutableId in Okta.'
      : `Give one of immutableId, objectGuid, consistencyGuid, externalId or oktaUserId. To have Okta asked: ${okta.why.fix}`,
    evidence: `actual ${shown(user.immutableId)}; ${asked}`,
  };
}

function whatOktaHas({ userId }: OktaSide): string {
  if (userId === null) return 'nobody in Okta has the user principal name as login';
  return `user ${userId} in Okta has neither an external ID from Active Directory nor an immutableId`;
}

function synced({ user }: IdentityFacts): Finding | null {
  if (!user.isSynced) return null;
  return {
    code: 'synced_from_on_premises',
    severity: 'blocker',
    message:
      'The user is synced from on-premises Active Directory; Entra lets nobody change the immutable ID in the cloud.',
    fix: "Change the source anchor where the user is synced from (Entra Connect), or move the user's source of authority to the cloud first.",
    evidence: `onPremisesSyncEnabled true of ${nameOf(user)}`,
  };
}

function restricted({ user }: IdentityFacts): Finding | null {
  if (!user.isManagementRestricted) return null;
  return {
    code: 'management_restricted',
    severity: 'blocker',
    message: 'The user is in a restricted management administrative unit.',
    fix: 'Have an administrator of that unit change it, or take the user out of the unit.',
    evidence: `isManagementRestricted true of ${nameOf(user)}`,
  };
}

function listedAsProtected({ user, isProtected }: IdentityFacts): Finding | null {
  if (!isProtected) return null;
  return {
    code: 'protected_user',
    severity: 'blocker',
    message: 'The user is listed in PROTECTED_USERS.',
    fix: 'Change it by hand, or take it off PROTECTED_USERS.',
    evidence: `PROTECTED_USERS lists ${nameOf(user)}`,
  };
}

function held({ holders, user }: IdentityFacts, expectation: Expectation | null): Finding | null {
  const others = valueOf(holders, []).filter(({ id }) => id !== user.id);
  if (others.length === 0) return null;
  return {
    code: 'held_by_user',
    severity: 'blocker',
    message: `Another user holds the expected immutable ID: ${others.map(nameOf).join(', ')}.`,
    fix: "Find out whose it is. If it is this user's, take it off the other first (repair that one to its own value).",
    evidence: `${shown(expectation?.immutableId ?? null)} is held by ${others.map(nameWithId).join(', ')}`,
  };
}

function heldByDeleted({ deletedUsers }: IdentityFacts, expectation: Expectation | null): Finding | null {
  const expected = expectation?.immutableId ?? null;
  const others = valueOf(deletedUsers, []).filter(({ immutableId }) => expected !== null && immutableId === expected);
  if (others.length === 0) return null;
  return {
    code: 'held_by_deleted_user',
    severity: 'blocker',
    message: `A deleted user still holds the expected immutable ID: ${others.map(nameOf).join(', ')}.`,
    fix: 'Restore the deleted user if it is the right account, else delete it for good (Entra: Deleted users) and repeat in some minutes.',
    evidence: `${shown(expectation?.immutableId ?? null)} is held by deleted ${others.map(nameWithId).join(', ')}`,
  };
}

function privileged({ user, privilege, ownPrincipal }: IdentityFacts): (Finding | null)[] {
  if (!privilege.known) return [];
  const { roleIds, roleAssignableGroups } = privilege.value;
  const needed = rolesToActOn({ roleIds, isInRoleAssignableGroup: roleAssignableGroups.length > 0 });
  if (needed === null) return [];
  const target = `${nameOf(user)} has ${privilegesOf(privilege.value)}`;
  const own = ownPrincipal.known ? ownPrincipal.value : null;
  const ownNames = (own?.roleIds ?? []).map(nameOfRole);
  if (own === null || needed.some((role) => ownNames.includes(role))) {
    const finding: Finding = {
      code: 'privileged_target',
      severity: own === null ? 'warning' : 'info',
      message: `The user is privileged: only a principal with the role ${needed.join(' or ')} may change the immutable ID.`,
      fix: own === null ? 'See to it that the service principal of this app has the role.' : nothingToDo,
      evidence: own === null ? target : `${target}; service principal ${own.id} has ${ownNames.join(', ')}`,
    };
    return [finding];
  }
  const [least = 'Privileged Authentication Administrator'] = needed;
  return [
    {
      code: 'role_missing',
      severity: 'blocker',
      message: `The user is privileged, and the service principal of this app (${own.id}) lacks the role ${needed.join(' or ')}.`,
      fix: `Assign the Entra role ${least} to service principal ${own.id} for the time of the repair, or have an administrator with it do it by hand.`,
      evidence: `${target}; service principal ${own.id} has ${ownNames.length === 0 ? 'no role' : ownNames.join(', ')}`,
    },
  ];
}

function differsFromOkta({ given, okta }: IdentityFacts): Finding | null {
  if (given === null || !okta.known || okta.value.office365 === null) return null;
  const { appId, appLabel, immutableId } = okta.value.office365;
  if (immutableId === given.immutableId) return null;
  return {
    code: 'differs_from_okta',
    severity: 'warning',
    message:
      immutableId === null
        ? 'Okta asserts no immutable ID at sign-in, whatever is given here.'
        : 'The given value differs from what Okta asserts at sign-in: with it the user could not sign in.',
    fix: "Change the mapping of immutableId in Okta's Office 365 app or the profile of the user there, or give the value that Okta asserts.",
    evidence: `given ${shown(given.immutableId)}; app ${appLabel ?? appId} has ${shown(immutableId)}`,
  };
}

function linkedElsewhere({ user, okta, deletedUsers }: IdentityFacts): Finding | null {
  const linked = okta.known ? (okta.value.office365?.externalId ?? null) : null;
  if (linked === null || !isGuid(linked) || linked.toLowerCase() === user.id.toLowerCase()) return null;
  const deleted = valueOf(deletedUsers, []).find(({ id }) => id.toLowerCase() === linked.toLowerCase());
  return {
    code: 'linked_elsewhere',
    severity: 'warning',
    message: `Okta's Office 365 app is linked to another account in Entra: ${deleted === undefined ? linked : `the deleted ${nameWithId(deleted)}`}.`,
    fix: 'Find out which account is the right one; unassign and assign the user in Okta, so that it is linked anew.',
    evidence: `external ID ${linked} in Okta; this user is ${user.id}`,
  };
}

function assignedByGroup({ okta }: IdentityFacts): Finding | null {
  const assignment = okta.known ? okta.value.office365 : null;
  if (assignment?.isByGroup !== true) return null;
  return {
    code: 'assigned_by_group',
    severity: 'warning',
    message: `${assignment.group === null ? 'A group' : `The group ${assignment.group}`} assigns the user to Okta's Office 365 app: the user cannot be unassigned alone.`,
    fix: 'Repair without oktaAppId, or take the user out of the group in Okta for the time of the repair.',
    evidence: `app ${assignment.appLabel ?? assignment.appId}, scope GROUP${assignment.group === null ? '' : `, group ${assignment.group}`}`,
  };
}

function softDeletedTwin({ user, deletedUsers }: IdentityFacts): Finding | null {
  const name = user.userPrincipalName.toLowerCase();
  const twins: readonly DeletedUser[] = valueOf(deletedUsers, []).filter(
    ({ userPrincipalName }) => userPrincipalName.toLowerCase() === name,
  );
  if (twins.length === 0) return null;
  return {
    code: 'soft_deleted_twin',
    severity: 'warning',
    message: `A deleted user had the same user principal name: ${twins.map(nameWithId).join(', ')}; this account may have been made in its place.`,
    fix: 'If the deleted account has the mailbox and the files, restore it and remove this one before anything is repaired; else delete it for good.',
    evidence: `deleted ${twins.map(nameWithId).join(', ')}; this user is ${user.id}`,
  };
}

function signInDomain({ user, domains }: IdentityFacts): Finding[] {
  if (!domains.known) return [];
  const domain = tenantDomainOf(user.userPrincipalName, domains.value);
  if (domain === null) {
    const name = domainOf(user.userPrincipalName);
    return [
      {
        code: 'not_checked',
        severity: 'warning',
        message: `Whether ${name} is federated is not known: it is no domain of the tenant.`,
        fix: 'Look at the domains of the tenant, and at the user principal name.',
        evidence: `userPrincipalName ${user.userPrincipalName}; domains ${domains.value.map(({ name: each }) => each).join(', ')}`,
      },
    ];
  }
  if (!domain.isFederated) {
    return [
      {
        code: 'managed_domain',
        severity: 'info',
        message: `The user signs in at a managed domain, ${domain.name}: Entra takes another immutable ID directly.`,
        fix: nothingToDo,
        evidence: `userPrincipalName ${user.userPrincipalName}; ${domain.name} is Managed`,
      },
    ];
  }
  const federated: Finding = {
    code: 'federated_domain',
    severity: 'info',
    message: `The user signs in at a federated domain, ${domain.name}, where Entra refuses another immutable ID; a repair moves the user principal name to a managed domain and back.`,
    fix: 'Have the user know: for a minute the sign-in is interrupted.',
    evidence: `userPrincipalName ${user.userPrincipalName}; ${domain.name} is Federated`,
  };
  if (managedDomains(domains.value).length > 0) return [federated];
  return [
    federated,
    {
      code: 'no_managed_domain',
      severity: 'warning',
      message: 'The tenant has no verified managed domain to move the user principal name to.',
      fix: 'Verify a domain that is not federated; the initial one (….onmicrosoft.com) always is managed.',
      evidence: `domains ${domains.value.map(({ name }) => name).join(', ')}`,
    },
  ];
}

/** graph.md §2.5: writing the immutable ID is not blocked, but a sync client's hard match by it then is. */
function hardMatchHardening({ user, privilege }: IdentityFacts): Finding | null {
  if (!privilege.known) return null;
  const { roleIds, roleAssignableGroups } = privilege.value;
  const eligible = privilege.value.eligibleRoleIds ?? [];
  if (roleIds.length + eligible.length + roleAssignableGroups.length === 0) return null;
  return {
    code: 'hard_match_hardening',
    severity: 'warning',
    message:
      'Entra no longer lets a sync client (Entra Connect, perhaps Okta Universal Sync) take over a privileged user by its immutable ID.',
    fix: 'Where such a client shall match the user, take the roles off it, eligible ones too, until the match is made. For sign-in through Okta nothing is to be done.',
    evidence: `${nameOf(user)} has ${privilegesOf(privilege.value)}`,
  };
}

function notChecked(facts: IdentityFacts): Finding[] {
  const readings: readonly (readonly [string, Reading<unknown>])[] = [
    ['What Okta has of the user', facts.okta],
    ['Which domains are federated', facts.domains],
    ['Whether another user holds the expected value', facts.holders],
    ['Whether a deleted user holds the expected value or had this user principal name', facts.deletedUsers],
    ['Whether the user is privileged', facts.privilege],
    ['Which roles the service principal of this app has', facts.ownPrincipal],
  ];
  return readings.flatMap(([what, reading]) => {
    // To work without Okta's API is a choice.
    if (reading.known || reading.why.code === 'okta_api_required') return [];
    const { code, message, fix } = reading.why;
    return [
      {
        code: 'not_checked',
        severity: 'warning',
        message: `${what} could not be read.`,
        fix,
        evidence: `${code}: ${message}`,
      },
    ];
  });
}

function valueOf<Value>(reading: Reading<Value>, otherwise: Value): Value {
  return reading.known ? reading.value : otherwise;
}

function privilegesOf(privilege: {
  readonly roleIds: readonly string[];
  readonly eligibleRoleIds: readonly string[] | null;
  readonly roleAssignableGroups: readonly string[];
}): string {
  const parts = [
    ...privilege.roleIds.map(nameOfRole),
    ...(privilege.eligibleRoleIds ?? []).map((id) => `${nameOfRole(id)} (eligible)`),
    ...privilege.roleAssignableGroups.map((group) => `the role-assignable group ${group}`),
  ];
  return parts.join(', ');
}

function nameOf({ userPrincipalName }: Pick<OtherUser, 'userPrincipalName'>): string {
  return userPrincipalName;
}

function nameWithId({ userPrincipalName, id }: Pick<OtherUser, 'userPrincipalName' | 'id'>): string {
  return `${userPrincipalName} (${id})`;
}

function shown(immutableId: string | null): string {
  if (immutableId === null) return 'none';
  const guid = guidOfImmutableId(immutableId);
  return guid === null ? immutableId : `${immutableId} (GUID ${guid})`;
}

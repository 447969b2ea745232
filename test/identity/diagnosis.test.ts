import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { comparisonCodes, diagnose, type Finding, findingCodes, severities } from '../../shared/identity/diagnosis.ts';
import { type ExpectedField, type ExpectedValue } from '../../shared/identity/expectedValue.ts';
import { anchorOf, expectationOf } from '../../shared/identity/expectation.ts';
import type { IdentityFacts } from '../../shared/identity/facts.ts';
import { actingRoles, nameOfRole, roleNames, rolesToActOn } from '../../shared/identity/sensitiveActions.ts';
import {
  assignment,
  bigEndian,
  corporate,
  deleted,
  factsOf,
  federated,
  immutableId,
  initial,
  known,
  oktaOf,
  oktaUserId,
  other,
  otherGuid,
  unread,
  upn,
  userId,
} from './facts.ts';

const given = (value: string | null, field: ExpectedField = 'immutableId'): ExpectedValue => ({
  field,
  given: value,
  immutableId: value,
});
const roleId = (name: string): string => Object.entries(roleNames).find(([, each]) => each === name)?.[0] ?? '';
const codes = (facts: IdentityFacts): string[] => diagnose(facts).findings.map(({ code }) => code);
function find(facts: IdentityFacts, code: string): Finding {
  const found = diagnose(facts).findings.find((finding) => finding.code === code);
  if (found === undefined) throw new Error(`no ${code} among ${codes(facts).join(', ')}`);
  return found;
}
const comparisons: readonly string[] = comparisonCodes;

describe('how the actual value compares', () => {
  const actual = (value: string | null) => ({ user: { immutableId: value } });
  const directory = oktaOf({ directoryExternalId: immutableId });

  test.each<[string, IdentityFacts]>([
    ['equal', factsOf({ given: given(immutableId) })],
    ['equal', factsOf({ ...actual(null), given: given(null) })],
    ['missing', factsOf({ ...actual(null), given: given(immutableId) })],
    ['wrong_endian', factsOf({ ...actual(bigEndian), given: given(immutableId) })],
    ['wrong_endian', factsOf({ ...actual(bigEndian), okta: directory })],
    ['other_anchor', factsOf({ ...actual(oktaUserId), given: given(immutableId) })],
    ['other_anchor', factsOf({ ...actual(oktaUserId), okta: directory })],
    ['other_anchor', factsOf({ ...actual(otherGuid), okta: directory })],
    ['other_anchor', factsOf({ okta: directory, given: given(otherGuid, 'consistencyGuid') })],
    ['other_anchor', factsOf({ given: given(oktaUserId, 'oktaUserId') })],
    ['other_anchor', factsOf({ given: given('employee 4711') })],
    ['different', factsOf({ given: given(otherGuid) })],
    // Neither of the two GUIDs that are known.
    [
      'different',
      factsOf({ ...actual(bigEndian), okta: oktaOf({ directoryExternalId: otherGuid, consistencyGuid: immutableId }) }),
    ],
    ['different', factsOf({ ...actual('employee 4711'), given: given(immutableId) })],
    ['different', factsOf({ given: given(null) })],
    // Base64 of bytes: another letter case is another value.
    ['different', factsOf({ ...actual(immutableId.toLowerCase()), given: given(immutableId) })],
    ['expected_unknown', factsOf()],
    ['expected_unknown', factsOf({ okta: oktaOf() })],
  ])('is %s', (code, facts) => {
    expect(codes(facts).filter((each) => comparisons.includes(each))).toEqual([code]);
  });

  test.each<[string, IdentityFacts]>([
    ['oktaUserId', factsOf({ ...actual(oktaUserId), okta: oktaOf({ directoryExternalId: immutableId }) })],
    ['consistencyGuid, inferred', factsOf({ ...actual(otherGuid), given: given(immutableId, 'objectGuid') })],
    ['objectGuid, inferred', factsOf({ ...actual(otherGuid), given: given(immutableId, 'consistencyGuid') })],
    [
      'consistencyGuid',
      factsOf({ ...actual(otherGuid), okta: oktaOf({ directoryExternalId: immutableId, consistencyGuid: otherGuid }) }),
    ],
    ['objectGuid', factsOf({ okta: directory, given: given(otherGuid, 'consistencyGuid') })],
    ['oktaUserId, inferred', factsOf({ ...actual(oktaUserId), given: given(immutableId) })],
    ['guid, inferred', factsOf({ given: given(oktaUserId) })],
  ])('names the anchor %s', (anchor, facts) => {
    expect(find(facts, 'other_anchor').evidence).toMatch(new RegExp(`anchor in use: ${anchor}$`));
  });

  test('shows both values with their GUIDs, and where the expected one is from', () => {
    expect(find(factsOf({ ...actual(bigEndian), okta: directory }), 'wrong_endian').evidence).toBe(
      `actual ${bigEndian} (GUID d4c3b2a1-f6e5-8947-abcd-1234567890ab); expected ${immutableId} (GUID a1b2c3d4-e5f6-4789-abcd-1234567890ab) (external ID in Okta's Active Directory integration)`,
    );
    expect(find(factsOf({ ...actual(null), given: given('x') }), 'missing').evidence).toBe(
      'actual none; expected x (given by the request)',
    );
  });

  test('says how the expected value can be known where it is not', () => {
    expect(find(factsOf(), 'expected_unknown').fix).toContain('Grant it.');
    expect(find(factsOf({ okta: oktaOf({ userId: null }) }), 'expected_unknown').evidence).toContain('nobody in Okta');
    expect(find(factsOf({ okta: oktaOf() }), 'expected_unknown').fix).toContain('map immutableId in Okta');
  });
});

describe('what is expected', () => {
  const office365 = { ...assignment, immutableId: 'from profile', externalId: 'from the app' };
  test('is what was given, else what Okta asserts, else what it would assert', () => {
    const all = oktaOf({ directoryExternalId: immutableId, office365 });
    const of = (facts: Partial<IdentityFacts>) => {
      const expectation = expectationOf(factsOf(facts));
      return expectation === null ? null : [expectation.source, expectation.immutableId, expectation.anchor];
    };
    expect(of({ given: given('mine'), okta: all })).toEqual(['given', 'mine', 'other']);
    expect(of({ given: given(null), okta: all })).toEqual(['given', null, null]);
    expect(of({ okta: all })).toEqual(['office365Profile', 'from profile', 'other']);
    const unmapped = oktaOf({ directoryExternalId: immutableId, office365: { ...office365, immutableId: null } });
    expect(of({ okta: unmapped })).toEqual(['office365ExternalId', 'from the app', 'other']);
    const linked = { ...assignment, externalId: userId };
    expect(of({ okta: oktaOf({ directoryExternalId: immutableId, office365: linked }) })).toEqual([
      'directoryExternalId',
      immutableId,
      'objectGuid',
    ]);
    expect(of({ okta: oktaOf({ office365: linked }) })).toBeNull();
    expect(of({ okta: unread('graph_permission_missing') })).toBeNull();
  });

  test('is of the anchor that is known', () => {
    expect(anchorOf('not like an id', factsOf({ okta: oktaOf({ userId: 'not like an id' }) }))).toBe('oktaUserId');
    expect(anchorOf(immutableId, factsOf({ given: given(immutableId, 'externalId') }))).toBe('objectGuid');
    expect(anchorOf(immutableId, factsOf({ given: given(immutableId, 'consistencyGuid') }))).toBe('consistencyGuid');
    expect(anchorOf(immutableId, factsOf())).toBe('guid');
  });
});

describe('a finding', () => {
  const expected = given(immutableId);

  test('names who holds the value, but never the user', () => {
    const self = { id: userId, userPrincipalName: upn, displayName: null };
    const facts = factsOf({ user: { immutableId: null }, given: expected, holders: known([self, other('bruno')]) });
    expect(find(facts, 'held_by_user')).toMatchObject({
      severity: 'blocker',
      message: expect.stringContaining('bruno@contoso.com'),
      evidence: expect.stringContaining(other('bruno').id),
    });
    expect(codes(factsOf({ given: expected, holders: known([self]) }))).not.toContain('held_by_user');
  });

  test('names the deleted user that holds the value, and the one that had the same name', () => {
    const twin = { ...deleted('twin', otherGuid), userPrincipalName: upn.toUpperCase() };
    const facts = factsOf({ given: expected, deletedUsers: known([deleted('gone', immutableId), twin]) });
    expect(find(facts, 'held_by_deleted_user')).toMatchObject({
      severity: 'blocker',
      message: expect.stringContaining('gone@contoso.com'),
    });
    expect(find(facts, 'soft_deleted_twin')).toMatchObject({
      severity: 'warning',
      message: expect.stringContaining(twin.id),
    });
    expect(find(facts, 'held_by_deleted_user').message).not.toContain(upn.toUpperCase());
    expect(find(facts, 'soft_deleted_twin').message).not.toContain('gone');
    const nobody = factsOf({ user: { immutableId: null }, given: given(null), deletedUsers: known([deleted('gone')]) });
    expect(codes(nobody)).toEqual(['equal', 'federated_domain']);
  });

  test('keeps from users that are not to be touched', () => {
    for (const facts of [factsOf({ isProtected: true }), factsOf({ user: { isManagementRestricted: true } })]) {
      expect(diagnose(facts).isRepairable).toBe(false);
    }
    expect(codes(factsOf({ isProtected: true }))).toContain('protected_user');
    expect(codes(factsOf({ user: { isManagementRestricted: true } }))).toContain('management_restricted');
  });

  test('tells where a synced user is changed', () => {
    expect(find(factsOf({ user: { isSynced: true } }), 'synced_from_on_premises')).toMatchObject({
      severity: 'blocker',
      fix: expect.stringContaining('Entra Connect'),
    });
  });

  test('names the missing role and our service principal', () => {
    const privilege = known({
      roleIds: [roleId('Global Administrator')],
      eligibleRoleIds: null,
      roleAssignableGroups: [],
    });
    const own = (roleIds: string[]) => known({ id: 'our-principal', roleIds });
    const lacking = factsOf({ privilege, ownPrincipal: own([roleId('User Administrator')]) });
    expect(find(lacking, 'role_missing')).toMatchObject({
      severity: 'blocker',
      message: expect.stringMatching(/our-principal.*Privileged Authentication Administrator or Global Administrator/),
      fix: expect.stringContaining('Privileged Authentication Administrator'),
      evidence: `${upn} has Global Administrator; service principal our-principal has User Administrator`,
    });
    expect(find(factsOf({ privilege, ownPrincipal: own([]) }), 'role_missing').evidence).toContain('has no role');
    const enough = factsOf({ privilege, ownPrincipal: own([roleId('Privileged Authentication Administrator')]) });
    expect(find(enough, 'privileged_target').severity).toBe('info');
    expect(codes(enough)).not.toContain('role_missing');
    const unknown = factsOf({ privilege, ownPrincipal: unread('graph_permission_missing') });
    expect(find(unknown, 'privileged_target').severity).toBe('warning');
    expect(diagnose(unknown).isRepairable).toBe(true);
  });

  test('warns of the hard match hardening for privileged, eligible and group-bound users alone', () => {
    const privilegeOf = (more: object) =>
      factsOf({ privilege: known({ roleIds: [], eligibleRoleIds: [], roleAssignableGroups: [], ...more }) });
    expect(
      find(privilegeOf({ eligibleRoleIds: [roleId('User Administrator')] }), 'hard_match_hardening').evidence,
    ).toBe(`${upn} has User Administrator (eligible)`);
    expect(codes(privilegeOf({ roleIds: ['custom'] }))).toContain('hard_match_hardening');
    expect(find(privilegeOf({ roleAssignableGroups: ['Admins'] }), 'hard_match_hardening').evidence).toContain(
      'Admins',
    );
    expect(codes(privilegeOf({ roleAssignableGroups: ['Admins'] }))).toContain('role_missing');
    expect(codes(factsOf())).not.toContain('hard_match_hardening');
    expect(codes(factsOf({ privilege: unread('graph_permission_missing') }))).not.toContain('hard_match_hardening');
  });

  test('holds the given value against what Okta asserts', () => {
    const facts = (asserted: string | null) =>
      factsOf({ given: expected, okta: oktaOf({ office365: { ...assignment, immutableId: asserted } }) });
    expect(codes(facts(immutableId))).not.toContain('differs_from_okta');
    expect(find(facts(otherGuid), 'differs_from_okta').evidence).toContain(otherGuid);
    expect(find(facts(null), 'differs_from_okta').message).toContain('asserts no immutable ID');
    expect(codes({ ...facts(otherGuid), given: null })).not.toContain('differs_from_okta');
    expect(codes(factsOf({ given: expected, okta: oktaOf() }))).not.toContain('differs_from_okta');
  });

  test('tells that Okta is linked to another account, and whether that is a deleted one', () => {
    const linkedTo = (externalId: string | null, gone: IdentityFacts['deletedUsers'] = known([])) =>
      factsOf({ okta: oktaOf({ office365: { ...assignment, externalId } }), deletedUsers: gone });
    const twin = deleted('former');
    expect(find(linkedTo(twin.id), 'linked_elsewhere').message).toContain(twin.id);
    expect(find(linkedTo(twin.id, known([twin])), 'linked_elsewhere').message).toContain(
      'the deleted former@contoso.com',
    );
    for (const own of [userId.toUpperCase(), null, immutableId]) {
      expect(codes(linkedTo(own))).not.toContain('linked_elsewhere');
    }
  });

  test('tells that a group assigns the user', () => {
    const by = (isByGroup: boolean) => factsOf({ okta: oktaOf({ office365: { ...assignment, isByGroup } }) });
    expect(codes(by(true))).toContain('assigned_by_group');
    expect(codes(by(false))).not.toContain('assigned_by_group');
  });

  test.each<[string, string, readonly (typeof initial)[], readonly string[]]>([
    ['is federated', upn, [federated, initial], ['federated_domain']],
    ['is managed', 'a@corp.contoso.com', [federated, corporate], ['managed_domain']],
    ['inherits from its parent', 'a@sales.CONTOSO.com', [federated, initial], ['federated_domain']],
    ['only ends alike', 'a@mycontoso.com', [federated, initial], ['not_checked']],
    ['has no managed one beside it', upn, [federated], ['no_managed_domain', 'federated_domain']],
    [
      'has an unverified one beside it',
      upn,
      [federated, { ...corporate, isVerified: false }],
      ['no_managed_domain', 'federated_domain'],
    ],
  ])('tells of a domain that %s', (_, userPrincipalName, domains, expectedCodes) => {
    const facts = factsOf({ given: expected, user: { userPrincipalName }, domains: known(domains) });
    expect(codes(facts).filter((code) => code !== 'equal')).toEqual(expectedCodes);
  });

  test('tells of each thing that could not be read, and why', () => {
    const denied = unread('graph_permission_missing');
    const nothing = factsOf({
      okta: denied,
      domains: denied,
      holders: denied,
      deletedUsers: denied,
      privilege: denied,
      ownPrincipal: denied,
    });
    const notChecked = diagnose(nothing).findings.filter(({ code }) => code === 'not_checked');
    expect(notChecked).toHaveLength(6);
    expect(new Set(notChecked.map(({ message }) => message)).size).toBe(6);
    expect(notChecked[0]).toMatchObject({ fix: 'Grant it.', evidence: 'graph_permission_missing: It was refused.' });
    expect(codes(factsOf({ okta: unread('okta_api_required') }))).not.toContain('not_checked');
  });
});

describe('all findings', () => {
  const readingOf = <Value>(value: fc.Arbitrary<Value>) =>
    fc.oneof(value.map(known), fc.constant(unread('graph_permission_missing')));
  const anyValue = fc.constantFrom(null, immutableId, bigEndian, otherGuid, oktaUserId, 'employee 4711');
  const anyRoles = fc.subarray([...Object.keys(roleNames), 'custom']);
  const anyFacts = fc
    .record({
      user: fc.record({ immutableId: anyValue, isSynced: fc.boolean(), isManagementRestricted: fc.boolean() }),
      given: fc.option(anyValue.map((value) => given(value))),
      okta: readingOf(
        fc.record({
          userId: fc.constantFrom(null, oktaUserId),
          directoryExternalId: anyValue,
          consistencyGuid: anyValue,
          office365: fc.option(
            fc.record({
              immutableId: anyValue,
              externalId: fc.constantFrom(null, userId, other('twin').id),
              isByGroup: fc.boolean(),
              group: fc.constantFrom(null, 'Everyone'),
              appId: fc.constant('0oa1'),
              appLabel: fc.option(fc.constant('Office 365')),
            }),
          ),
        }),
      ),
      domains: readingOf(fc.subarray([federated, corporate, initial])),
      holders: readingOf(fc.subarray([other('bruno')])),
      isProtected: fc.boolean(),
      deletedUsers: readingOf(fc.subarray([deleted('gone', immutableId), deleted('twin')])),
      privilege: readingOf(
        fc.record({
          roleIds: anyRoles,
          eligibleRoleIds: fc.option(anyRoles),
          roleAssignableGroups: fc.subarray(['Admins']),
        }),
      ),
      ownPrincipal: readingOf(fc.record({ id: fc.constant('our-principal'), roleIds: anyRoles })),
    })
    .map(factsOf);

  test('have one comparison, come by severity, and say what to do', () => {
    fc.assert(
      fc.property(anyFacts, (facts) => {
        const { comparison, findings, isRepairable } = diagnose(facts);
        expect(findings.filter(({ code }) => comparisons.includes(code))).toEqual([comparison]);
        expect(isRepairable).toBe(findings[0]?.severity !== 'blocker');
        const order = findings.map(({ severity }) => severities.indexOf(severity));
        expect(order).toEqual([...order].sort());
        for (const { code, message, fix, evidence } of findings) {
          expect(findingCodes).toContain(code);
          for (const text of [message, fix]) expect(text).toMatch(/^[^a-z ].+\.$/);
          expect(evidence).not.toBe('');
          expect(`${message} ${fix} ${evidence}`).not.toMatch(/undefined|null|\[object/);
        }
      }),
      { numRuns: 500 },
    );
  });
});

describe('who may act on whom', () => {
  const rolesFor = (...names: string[]) => rolesToActOn({ roleIds: names.map(roleId), isInRoleAssignableGroup: false });

  test('is the table of sensitive actions', () => {
    expect(rolesFor()).toBeNull();
    expect(rolesFor('Directory Readers')).toEqual(actingRoles);
    expect(rolesFor('Helpdesk Administrator')).toEqual([
      'User Administrator',
      'Privileged Authentication Administrator',
      'Global Administrator',
    ]);
    expect(rolesFor('Authentication Administrator')?.[0]).toBe('Authentication Administrator');
    const most = ['Privileged Authentication Administrator', 'Global Administrator'];
    for (const role of ['Global Administrator', 'Exchange Administrator', 'Hybrid Identity Administrator']) {
      expect(rolesFor(role)).toEqual(most);
    }
    expect(rolesFor('Helpdesk Administrator', 'Authentication Administrator')).toEqual(most);
    expect(rolesToActOn({ roleIds: ['a custom role'], isInRoleAssignableGroup: false })).toEqual(most);
    expect(rolesToActOn({ roleIds: [], isInRoleAssignableGroup: true })).toEqual(most);
  });

  test('knows the roles by their ids, whatever the case', () => {
    expect(nameOfRole(roleId('User Administrator').toUpperCase())).toBe('User Administrator');
    expect(nameOfRole('custom')).toBe('role custom');
  });
});

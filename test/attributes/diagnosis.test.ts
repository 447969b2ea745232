import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import {
  attributeNames,
  type AttributeName,
  type AttributeValues,
  isEqual,
  isMasteredOnPremises,
  mayWrite,
  narrowestPermissions,
  only,
} from '../../shared/attributes/attribute.ts';
import {
  attributeOutcomes,
  type AttributeRow,
  groupsOf,
  inOrder,
  judgeAttributes,
} from '../../shared/attributes/attributeChange.ts';
import { compareAttribute, diagnoseAttributes, isAbout, summaryOf } from '../../shared/attributes/diagnosis.ts';
import type { AttributeFacts, OktaAttributes, TargetStanding } from '../../shared/attributes/facts.ts';
import { certainties, isCause } from '../../shared/attributes/findings.ts';
import { type OktaReading, valuesIn } from '../../shared/attributes/oktaAttributes.ts';
import { expectationsOf } from '../../shared/attributes/readAttributes.ts';
import { isAdministeredByUs, isPrivileged, judgeRoles } from '../../shared/attributes/standing.ts';
import type { OwnStanding } from '../../shared/identity/privilege.ts';
import { actingRoles, roleNames } from '../../shared/identity/sensitiveActions.ts';
import { factsOf, known, ordinary, ownId, ownOf, synchronized, unread, userId } from './facts.ts';

const roleIds = Object.keys(roleNames);
const idOf = (name: string): string => roleIds.find((id) => roleNames[id] === name) ?? '';
const readerRoles = ['Directory Readers', 'Guest Inviter', 'Message Center Reader', 'Reports Reader'];
const numRuns = 400;

const phone = fc.constantFrom('+1 555 010 0100', '+1 555 010 0199', '+1 555 010 0123');
const mail = fc.constantFrom('ops@example.com', 'OPS@example.com', 'night@example.com');
const phoneOrNone = fc.option(phone);
const whole = fc.record({
  accountEnabled: fc.boolean(),
  mobilePhone: phoneOrNone,
  businessPhones: fc.array(phone, { maxLength: 1 }),
  otherMails: fc.array(mail, { maxLength: 3 }),
});
const some: fc.Arbitrary<AttributeValues> = fc
  .tuple(whole, fc.subarray([...attributeNames]))
  .map(([values, names]) => Object.assign({}, ...names.map((name) => only(name, values))) as AttributeValues);

const unit = fc.record({
  id: fc.constantFrom('unit-1', 'unit-2'),
  name: fc.constantFrom('Board', 'Branch'),
  isRestricted: fc.constantFrom(true, false, null),
});
const readingOf = <Value>(value: fc.Arbitrary<Value>) =>
  fc.oneof({ weight: 4, arbitrary: value.map(known) }, fc.constant(unread('graph_permission_missing')));
const target: fc.Arbitrary<TargetStanding> = fc.record({
  roles: fc.array(
    fc.record({
      roleId: fc.constantFrom(...roleIds, 'a-custom-role'),
      unit: fc.option(readingOf(unit)),
    }),
    { maxLength: 3 },
  ),
  eligibleRoleIds: readingOf(fc.array(fc.constantFrom(...roleIds), { maxLength: 2 })),
  groups: fc.array(
    fc.record({
      name: fc.constantFrom('Keepers', 'Crew'),
      isMember: fc.boolean(),
      roleIds: fc.array(fc.constantFrom(...roleIds), { maxLength: 1 }),
    }),
    { maxLength: 1 },
  ),
  units: readingOf(fc.array(unit, { maxLength: 2 })),
});
const assignment = fc.oneof(
  fc.record({
    roleId: fc.constantFrom(...roleIds),
    isTenantWide: fc.constant(true),
    unitId: fc.constant(null),
  }),
  fc.record({
    roleId: fc.constantFrom(...roleIds),
    isTenantWide: fc.constant(false),
    unitId: fc.constantFrom('unit-1', 'unit-2'),
  }),
);
const own: fc.Arbitrary<OwnStanding> = fc.record({
  id: fc.constant('own'),
  permissions: fc.subarray(['User.Read.All', 'User.ReadWrite.All', 'User-Phone.ReadWrite.All']),
  tokenRoleIds: fc.subarray(roleIds, { maxLength: 2 }),
  assignments: readingOf(fc.array(assignment, { maxLength: 2 })),
});
const okta: fc.Arbitrary<OktaAttributes> = fc.record({
  isAppInDoubt: fc.boolean(),
  userId: fc.option(fc.constant('00u1AbCdEfGhIjKlMn5d')),
  mobilePhone: phoneOrNone,
  office365: fc.option(
    fc.record({
      appId: fc.constant('0oa1AbCdEfGhIjKlMn5d'),
      appLabel: fc.option(fc.constant('Microsoft Office 365')),
      externalId: fc.constantFrom(userId, userId.toUpperCase(), ownId, 'another', null),
      syncState: fc.constantFrom('SYNCHRONIZED', 'ERROR', 'DISABLED', 'SYNCING', null),
      lastSync: fc.option(fc.constant('2025-03-03T08:30:00.000Z')),
      values: some,
    }),
  ),
});
const facts: fc.Arbitrary<AttributeFacts> = fc
  .record({
    values: whole,
    given: some,
    isSynced: fc.boolean(),
    isManagementRestricted: fc.boolean(),
    isProtected: fc.boolean(),
    okta: readingOf(okta),
    onPremisesMobile: fc.option(fc.record({ value: phoneOrNone, source: fc.constantFrom('given', 'okta') })),
    own: fc.option(own, { freq: 6 }),
    privilege: fc.option(readingOf(target), { freq: 6 }),
    bypassesOverrides: fc.option(readingOf(fc.boolean())),
  })
  .map(({ values, given, isSynced, isManagementRestricted, ...more }) =>
    factsOf({
      ...more,
      user: { ...values, isSynced, isManagementRestricted },
      expected: expectationsOf(given, unread('okta_api_required')),
    }),
  );
const differing = (each: AttributeFacts): AttributeName[] =>
  attributeNames.filter((name) => compareAttribute(name, each) === 'different');

describe('a diagnosis', () => {
  test('explains every property that differs, and no other', () => {
    fc.assert(
      fc.property(facts, (each) => {
        const { findings } = diagnoseAttributes(each);
        const causes = findings.filter(isCause);
        const names = differing(each);
        for (const name of names) expect(causes.some((cause) => isAbout(cause, name))).toBe(true);
        for (const { properties } of causes) {
          expect(names).toEqual(expect.arrayContaining(properties.split(',')));
        }
      }),
      { numRuns },
    );
  });

  test('has the likeliest cause first, tells how many there are, and has none where nothing differs', () => {
    fc.assert(
      fc.property(facts, (each) => {
        const diagnosis = diagnoseAttributes(each);
        const causes = diagnosis.findings.filter(isCause);
        expect(diagnosis.cause).toBe(causes[0] ?? null);
        expect(diagnosis.cause === null).toBe(differing(each).length === 0);
        const places = causes.map(({ certainty }) => certainties.indexOf(certainty));
        expect(places).toEqual([...places].sort());
        expect(diagnosis.findings.slice(0, causes.length)).toEqual(causes);
        const summary = summaryOf(diagnosis);
        expect(summary).not.toBe('');
        expect(/^\d+ causes fit/.test(summary)).toBe(causes.length > 1);
      }),
      { numRuns },
    );
  });

  test('never lays to the cloud what Active Directory decides, nor the reverse', () => {
    const ofPremises = ['synced_from_on_premises', 'overridden_in_cloud'];
    fc.assert(
      fc.property(facts, (each) => {
        for (const { code, properties } of diagnoseAttributes(each).findings.filter(isCause)) {
          if (code === 'protected_user') continue;
          const there = (properties.split(',') as AttributeName[]).map((name) => isMasteredOnPremises(name, each.user));
          expect([...new Set(there)]).toEqual([ofPremises.includes(code)]);
        }
      }),
      { numRuns },
    );
  });

  test('says what could not be read, and concludes nothing from it', () => {
    fc.assert(
      fc.property(facts, (each) => {
        const codes = diagnoseAttributes({ ...each, privilege: unread('graph_permission_missing') }).findings.map(
          ({ code }) => code,
        );
        expect(codes).not.toContain('role_missing');
        expect(codes).toContain('not_checked');
      }),
      { numRuns },
    );
  });

  test('without Okta is complete, since that is a choice', () => {
    const { findings } = diagnoseAttributes(factsOf({ okta: unread('okta_api_required') }));
    expect(findings).toMatchObject([{ code: 'expected_unknown', fix: expect.stringContaining('Grant it.') }]);
  });

  test('of a user whom Okta links by the object id in capitals is not told as linked elsewhere', () => {
    const { office365 } = synchronized;
    const linked = { ...synchronized, office365: office365 && { ...office365, externalId: userId.toUpperCase() } };
    const expected = expectationsOf(
      { mobilePhone: '+1 555 010 0199' },
      known({ ...linked, onPremisesMobile: undefined }),
    );
    const codes = diagnoseAttributes(factsOf({ okta: known(linked), expected })).findings.map(({ code }) => code);
    expect(codes).toEqual(['okta_not_mapped']);
  });

  /** The findings about one user whom Okta's app has like this. */
  const findingsOf = (given: AttributeValues, office365: Partial<NonNullable<OktaAttributes['office365']>>) => {
    const side = { ...synchronized, office365: synchronized.office365 && { ...synchronized.office365, ...office365 } };
    const expected = expectationsOf(given, known({ ...side, onPremisesMobile: undefined }));
    return diagnoseAttributes(factsOf({ okta: known(side), expected })).findings;
  };

  test('of a user in several apps of Okta, of which none is named, lays nothing to Okta, and says so', () => {
    const side = { ...synchronized, office365: null, isAppInDoubt: true };
    const expected = expectationsOf({ mobilePhone: '+1' }, known({ ...side, onPremisesMobile: undefined }));
    expect(diagnoseAttributes(factsOf({ okta: known(side), expected })).findings).toMatchObject([
      { code: 'differs', certainty: 'possible' },
      { code: 'not_checked', fix: expect.stringContaining('oktaAppId'), evidence: expect.stringContaining('several') },
    ]);
  });

  test('is sure of a mapping that is missing only where the name in Okta is known', () => {
    expect(findingsOf({ mobilePhone: '+1', otherMails: ['a@example.com'] }, {})).toMatchObject([
      { code: 'okta_not_mapped', certainty: 'certain', properties: 'mobilePhone' },
      { code: 'okta_not_mapped', certainty: 'likely', properties: 'otherMails' },
    ]);
  });

  test('never says that the sign-in flag is to be mapped, which Okta holds as a status', () => {
    expect(findingsOf({ accountEnabled: false }, {})).toMatchObject([{ code: 'differs' }]);
    expect(findingsOf({ accountEnabled: false }, { syncState: 'ERROR' })).toMatchObject([
      { code: 'okta_not_pushed', certainty: 'likely', message: expect.stringMatching(/^Okta has not pushed the user/) },
    ]);
  });

  test('of an app whose provisioning is off names no error to mend', () => {
    const [finding] = findingsOf({ mobilePhone: '+1' }, { syncState: 'DISABLED', values: { mobilePhone: '+1' } });
    expect(finding).toMatchObject({ code: 'okta_not_pushed', fix: expect.stringMatching(/^Turn provisioning/) });
  });

  test('concludes nothing from an external ID that is no object id', () => {
    const [finding] = findingsOf({ mobilePhone: '+1' }, { externalId: 'amara.osei', values: { mobilePhone: '+1' } });
    expect(finding).toMatchObject({ code: 'differs' });
  });

  test('of a restricted user of whom nothing else is known tells that and the usual role', () => {
    const each = factsOf({
      user: { isManagementRestricted: true, mobilePhone: 'x' },
      expected: expectationsOf({ mobilePhone: null }, known({ ...synchronized, onPremisesMobile: undefined })),
      privilege: unread('graph_permission_missing'),
    });
    const [first] = diagnoseAttributes(each).findings;
    expect(first).toMatchObject({ code: 'management_restricted', certainty: 'likely' });
    expect(first?.fix).toContain('role User Administrator over that unit');
  });
});

describe('a verdict about roles', () => {
  const yes = (verdict: { mayWrite: string }) => verdict.mayWrite === 'yes';

  test('is yes with the least role that it names', () => {
    fc.assert(
      fc.property(target, own, (each, us) => {
        const { leastRole, mayWrite: verdict } = judgeRoles(each, us);
        if (leastRole === null) {
          expect(verdict).toBe('yes');
        } else {
          const held = ownOf({ tokenRoleIds: [idOf(leastRole)] });
          expect(judgeRoles(each, held)).toEqual({ mayWrite: 'yes', leastRole });
        }
      }),
      { numRuns },
    );
  });

  test('is not made worse by one more role of ours', () => {
    fc.assert(
      fc.property(target, own, fc.constantFrom(...roleIds), (each, us, roleId) => {
        const more = { ...us, tokenRoleIds: [...us.tokenRoleIds, roleId] };
        if (yes(judgeRoles(each, us))) expect(yes(judgeRoles(each, more))).toBe(true);
      }),
      { numRuns },
    );
  });

  test('is sure where everything is known and nobody is merely eligible, and never sure where our roles are not', () => {
    fc.assert(
      fc.property(target, own, (each, us) => {
        const isKnown = each.roles.every(
          ({ unit: its }) => its === null || (its.known && its.value.isRestricted !== null),
        );
        const isEligible = each.eligibleRoleIds.known && each.eligibleRoleIds.value.length > 0;
        const isReader = each.roles.some(({ roleId }) => readerRoles.includes(roleNames[roleId] ?? ''));
        const { mayWrite: verdict } = judgeRoles(each, us);
        if (isKnown && !isEligible && !isReader && us.assignments.known) expect(verdict).not.toBe('perhaps');
        if (!us.assignments.known) expect(verdict).not.toBe('no');
      }),
      { numRuns },
    );
  });

  test('is needed by whoever is privileged, and by nobody else', () => {
    fc.assert(
      fc.property(target, (each) => {
        expect(isPrivileged(each)).toBe(judgeRoles(each, ownOf()).leastRole !== null);
      }),
      { numRuns },
    );
  });

  test.each(readerRoles)('of a holder of %s is not sure, which some documents count and some do not', (name) => {
    const each = { ...ordinary, roles: [{ roleId: idOf(name), unit: null }] };
    expect(judgeRoles(each, ownOf())).toEqual({ mayWrite: 'perhaps', leastRole: 'User Administrator' });
    const both = { ...each, roles: [...each.roles, { roleId: idOf('Helpdesk Administrator'), unit: null }] };
    expect(judgeRoles(both, ownOf()).mayWrite).toBe('no');
  });

  test('counts a role of ours over a unit of the user, and not over another', () => {
    const each: TargetStanding = {
      ...ordinary,
      roles: [{ roleId: idOf('Helpdesk Administrator'), unit: null }],
      units: known([{ id: 'unit-1', name: 'Branch', isRestricted: false }]),
    };
    const over = (unitId: string) =>
      ownOf({ assignments: known([{ roleId: idOf('User Administrator'), isTenantWide: false, unitId }]) });
    expect(judgeRoles(each, over('unit-1')).mayWrite).toBe('yes');
    expect(judgeRoles(each, over('unit-2')).mayWrite).toBe('no');
  });

  test('of who is merely eligible, or holds a role over a unit that cannot be seen, is not sure', () => {
    const leastRole = 'Privileged Authentication Administrator';
    const eligible = { ...ordinary, eligibleRoleIds: known([idOf('Global Administrator')]) };
    expect(judgeRoles(eligible, ownOf())).toEqual({ mayWrite: 'perhaps', leastRole });
    const roleId = idOf('Directory Readers');
    const unseen = { ...ordinary, roles: [{ roleId, unit: unread('graph_permission_missing') }] };
    const reader = ownOf({ tokenRoleIds: [idOf('User Administrator')] });
    expect(judgeRoles(unseen, reader)).toEqual({ mayWrite: 'perhaps', leastRole });
  });

  test.each(actingRoles)('%s over the restricted unit of the user counts, over another does not', (role) => {
    const units = known([{ id: 'unit-1', name: 'Board', isRestricted: true }]);
    const over = (unitId: string) =>
      ownOf({ assignments: known([{ roleId: idOf(role), isTenantWide: false, unitId }]) });
    expect(isAdministeredByUs({ ...ordinary, units }, over('unit-1'))).toBe(true);
    expect(isAdministeredByUs({ ...ordinary, units }, over('unit-2'))).toBe(false);
    expect(isAdministeredByUs({ ...ordinary, units: unread('graph_permission_missing') }, over('unit-1'))).toBe(false);
    const unseen = ownOf({ assignments: unread('graph_permission_missing') });
    expect(isAdministeredByUs({ ...ordinary, units }, unseen)).toBe(false);
  });
});

describe('values', () => {
  test('are equal to themselves in any order and case of addresses, and equality goes both ways', () => {
    fc.assert(
      fc.property(whole, whole, fc.constantFrom(...attributeNames), (left, right, name) => {
        const otherMails = left.otherMails.map((each) => each.toUpperCase()).reverse();
        expect(isEqual(name, left, { ...left, otherMails })).toBe(true);
        expect(isEqual(name, left, right)).toBe(isEqual(name, right, left));
      }),
      { numRuns },
    );
  });

  test('that are given count alone; else the app profile counts before that of the user', () => {
    fc.assert(
      fc.property(some, okta, (given, side) => {
        const reading: OktaReading = { ...side, onPremisesMobile: undefined };
        const sources = Object.entries(expectationsOf(given, known(reading))).map(([name, { source }]) => [
          name,
          source,
        ]);
        const named = attributeNames.filter((name) => given[name] !== undefined);
        const mapped = attributeNames.filter((name) => side.office365?.values[name] !== undefined);
        const own =
          mapped.includes('mobilePhone') || side.mobilePhone === null ? [] : [['mobilePhone', 'oktaUserProfile']];
        const expected =
          named.length > 0
            ? named.map((name) => [name, 'given'])
            : [...own, ...mapped.map((name) => [name, 'office365Profile'])];
        expect(sources.sort()).toEqual(expected.sort());
      }),
      { numRuns },
    );
  });

  test('of an app profile are read whatever is in it', () => {
    fc.assert(
      fc.property(fc.dictionary(fc.constantFrom(...attributeNames), fc.jsonValue()), (profile) => {
        const values = valuesIn(profile);
        for (const list of [values.businessPhones, values.otherMails]) {
          expect(list === undefined || (list.length > 0 && list.every((each) => each.trim() !== ''))).toBe(true);
        }
        expect(['undefined', 'boolean']).toContain(typeof values.accountEnabled);
        expect(['undefined', 'string']).toContain(typeof values.mobilePhone);
      }),
      { numRuns },
    );
    const texts = { accountEnabled: 'true', otherMails: 'a@example.com, b@example.com', businessPhones: ['+1', 2] };
    expect(valuesIn(texts)).toEqual({
      accountEnabled: true,
      otherMails: ['a@example.com', 'b@example.com'],
      businessPhones: ['+1'],
    });
    expect(valuesIn({ accountEnabled: 'false' })).toEqual({ accountEnabled: false });
  });

  test.each(attributeNames)('of %s may be written with the least permission that is named for it', (name) => {
    expect(mayWrite(name, [])).toBe(false);
    expect(mayWrite(name, narrowestPermissions(name))).toBe(true);
    expect(mayWrite(name, ['User.ReadWrite.All'])).toBe(true);
  });
});

describe('an update', () => {
  test('sends every property once, and never two that different permissions open', () => {
    fc.assert(
      fc.property(fc.subarray([...attributeNames]), (names) => {
        const groups = groupsOf(names);
        expect(groups.flat().sort()).toEqual([...names].sort());
        for (const group of groups) {
          expect(group).not.toHaveLength(0);
          expect(new Set(group.map((name) => narrowestPermissions(name).join())).size).toBe(1);
        }
      }),
      { numRuns },
    );
  });

  test('is told as done only where all of it is', () => {
    const row = (property: AttributeName, outcome: (typeof attributeOutcomes)[number]) =>
      ({ property, outcome, before: '', after: '', cause: null, message: '', fix: '' }) as unknown as AttributeRow;
    const rows = fc
      .dictionary(fc.constantFrom(...attributeNames), fc.constantFrom(...attributeOutcomes), { minKeys: 1 })
      .map((ends) => attributeNames.flatMap((name) => (ends[name] === undefined ? [] : [row(name, ends[name])])));
    fc.assert(
      fc.property(rows, (each) => {
        const has = (...wanted: string[]) => each.some(({ outcome }) => wanted.includes(outcome));
        const outcome = judgeAttributes(each);
        expect(outcome === 'planned').toBe(has('would_set'));
        if (outcome === 'updated') expect(has('refused', 'failed', 'pending', 'would_set')).toBe(false);
        if (outcome === 'unchanged') expect(each.every((one) => one.outcome === 'unchanged')).toBe(true);
        if (outcome === 'partial') expect(has('refused', 'failed')).toBe(true);
        if (outcome === 'pending') expect(has('pending') && !has('refused', 'failed')).toBe(true);
        expect(inOrder([...each].reverse()).map(({ property }) => property)).toEqual(
          attributeNames.filter((name) => each.some(({ property }) => property === name)),
        );
      }),
      { numRuns },
    );
  });
});

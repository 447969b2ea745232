import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { temporaryUpnOf } from '../../shared/identity/domains.ts';
import type { ExpectedValue } from '../../shared/identity/expectedValue.ts';
import { domainOf, type OktaAssignment, type TenantDomain } from '../../shared/identity/facts.ts';
import { addressChangesOf, planRepair, repairGoalOf } from '../../shared/identity/repairPlan.ts';
import {
  assignment,
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

const expected = (value: string | null): ExpectedValue => ({ field: 'immutableId', given: value, immutableId: value });
const needed = { given: expected(otherGuid) };
const held = 'amara.osei@contoso.onmicrosoft.com';
const made = 'repair-a0000000000040008000000000000001@contoso.onmicrosoft.com';

describe('the temporary user principal name', () => {
  const nameOf = (proxyAddresses: readonly string[], domains: readonly TenantDomain[]) =>
    temporaryUpnOf({ id: userId, proxyAddresses }, domains);

  test.each<[string, readonly string[], readonly TenantDomain[], string | null]>([
    ['an address that is held already', [`smtp:${held}`], [federated, initial], held],
    ['whatever its case', ['smtp:Amara.Osei@Contoso.OnMicrosoft.com'], [federated, initial], held],
    ['one of the initial domain first', ['smtp:a@corp.contoso.com', `smtp:${held}`], [corporate, initial], held],
    ['one of another managed domain else', ['smtp:a@corp.contoso.com'], [corporate, initial], 'a@corp.contoso.com'],
    ['one that may be a user principal name', ['smtp:a+b@contoso.onmicrosoft.com'], [initial], made],
    ['one of mail alone', ['SIP:a@contoso.onmicrosoft.com', 'X500:/o=a'], [initial], made],
    ['none of a federated domain', [`SMTP:${upn}`], [federated, initial], made],
    ['none of an unverified domain', ['smtp:a@corp.contoso.com'], [{ ...corporate, isVerified: false }, initial], made],
    ['nothing without a managed domain', [`smtp:${held}`], [federated], null],
  ])('is %s', (_, addresses, domains, name) => {
    expect(nameOf(addresses, domains)).toBe(name);
  });

  test('is the same every time, whatever the order of what is read, and always on a managed domain', () => {
    const domain = fc.constantFrom('a.com', 'b.com', 'c.com', 'd.onmicrosoft.com').map((name) => ({
      name,
      isFederated: name === 'a.com',
      isVerified: true,
      isInitial: name.endsWith('onmicrosoft.com'),
    }));
    const address = fc
      .tuple(fc.constantFrom('x', 'y', 'z'), domain)
      .map(([local, { name }]) => `smtp:${local}@${name}`);
    const inputs = fc
      .tuple(fc.uniqueArray(address), fc.uniqueArray(domain, { selector: ({ name }) => name }))
      .chain(([addresses, domains]) =>
        fc.tuple(
          fc.constant([addresses, domains] as const),
          fc.shuffledSubarray(addresses, { minLength: addresses.length }),
          fc.shuffledSubarray(domains, { minLength: domains.length }),
        ),
      );
    fc.assert(
      fc.property(inputs, ([[addresses, domains], shuffledAddresses, shuffledDomains]) => {
        const name = nameOf(addresses, domains);
        expect(nameOf(shuffledAddresses, shuffledDomains)).toBe(name);
        const managed = domains.filter(({ isFederated }) => !isFederated).map((each): string => each.name);
        expect(name === null ? managed.length === 0 : managed.includes(domainOf(name))).toBe(true);
      }),
    );
  });
});

describe('the plan', () => {
  const patch = `PATCH /users/${userId}`;

  test('has four steps in a federated domain, three of them only when the first is refused', () => {
    const ifRefused = expect.stringContaining('refuses');
    expect(planRepair(factsOf(needed), null)).toEqual([
      {
        step: 'setImmutableId',
        upstream: 'graph',
        request: patch,
        body: `{"onPremisesImmutableId":"${otherGuid}"}`,
        condition: null,
      },
      {
        step: 'moveUpn',
        upstream: 'graph',
        request: patch,
        body: `{"userPrincipalName":"${held}"}`,
        condition: ifRefused,
      },
      {
        step: 'setImmutableIdAgain',
        upstream: 'graph',
        request: patch,
        body: `{"onPremisesImmutableId":"${otherGuid}"}`,
        condition: ifRefused,
      },
      {
        step: 'restoreUpn',
        upstream: 'graph',
        request: patch,
        body: `{"userPrincipalName":"${upn}"}`,
        condition: 'if it was moved',
      },
    ]);
  });

  const stepsOf = (facts: Parameters<typeof factsOf>[0], office365: OktaAssignment | null = null) =>
    planRepair(factsOf(facts), office365).map(({ step }) => step);

  test('has one step in a managed domain, and where there is nowhere to move to', () => {
    expect(stepsOf({ ...needed, user: { userPrincipalName: 'a@corp.contoso.com' } })).toEqual(['setImmutableId']);
    expect(stepsOf({ ...needed, domains: known([federated]) })).toEqual(['setImmutableId']);
    expect(stepsOf({ ...needed, domains: unread('graph_permission_missing') })).toEqual(['setImmutableId']);
  });

  test('clears at a managed domain alone', () => {
    const cleared = { given: expected(null) };
    expect(planRepair(factsOf({ ...cleared, user: { userPrincipalName: 'a@corp.contoso.com' } }), null)).toMatchObject([
      { body: '{"onPremisesImmutableId":null}' },
    ]);
    expect(stepsOf(cleared)).toEqual([]);
    expect(stepsOf({ ...cleared, domains: unread('graph_permission_missing') })).toEqual([]);
  });

  test.each([
    ['all is well', { given: expected(immutableId) }],
    ['nothing is expected', {}],
    ['the user is synced', { ...needed, user: { isSynced: true } }],
    ['the user is protected', { ...needed, isProtected: true }],
    ['another holds the value', { ...needed, holders: known([other('bruno')]) }],
    ['a deleted user holds the value', { ...needed, deletedUsers: known([deleted('gone', otherGuid)]) }],
  ])('has no step where %s', (_, facts) => {
    expect(stepsOf(facts)).toEqual([]);
  });

  test("takes the user out of Okta's app meanwhile, and puts it back as it was", () => {
    const facts = factsOf({
      ...needed,
      okta: oktaOf({ office365: assignment }),
      user: { userPrincipalName: 'a@corp.contoso.com' },
    });
    expect(
      planRepair(facts, assignment).map(({ step, upstream, request, body }) => [step, upstream, request, body]),
    ).toEqual([
      [
        'turnOffDeactivateUsers',
        'okta',
        'PUT /api/v1/apps/0oa1/features/USER_PROVISIONING',
        '{"update":{"lifecycleDeactivate":{"status":"DISABLED"}}}',
      ],
      ['unassignFromOkta', 'okta', `DELETE /api/v1/apps/0oa1/users/${oktaUserId}`, null],
      ['setImmutableId', 'graph', patch, `{"onPremisesImmutableId":"${otherGuid}"}`],
      ['assignInOkta', 'okta', 'POST /api/v1/apps/0oa1/users', `{"id":"${oktaUserId}","scope":"USER"}`],
      [
        'turnOnDeactivateUsers',
        'okta',
        'PUT /api/v1/apps/0oa1/features/USER_PROVISIONING',
        '{"update":{"lifecycleDeactivate":{"status":"ENABLED"}}}',
      ],
    ]);
  });

  test('has none where a group assigns the user, and leaves Okta alone where it is not asked to', () => {
    const okta = oktaOf({ office365: assignment });
    expect(stepsOf({ ...needed, okta }, { ...assignment, isByGroup: true })).toEqual([]);
    expect(stepsOf({ ...needed, okta })).not.toContain('unassignFromOkta');
  });

  test('keeps what the user was like before', () => {
    expect(repairGoalOf(factsOf(needed))).toEqual({
      userId,
      desired: otherGuid,
      before: {
        userPrincipalName: upn,
        immutableId,
        mail: upn,
        mailNickname: 'amara.osei',
        proxyAddresses: [`SMTP:${upn}`, `smtp:${held}`],
      },
      isFederated: true,
      temporaryUpn: held,
    });
    expect(repairGoalOf(factsOf({ ...needed, user: { userPrincipalName: 'a@corp.contoso.com' } }))).toMatchObject({
      isFederated: false,
      temporaryUpn: null,
    });
  });
});

describe('the addresses afterwards', () => {
  const before = { mail: upn, proxyAddresses: [`SMTP:${upn}`] };

  test('are as before, or it is told what was added, removed and left over', () => {
    expect(addressChangesOf(before, before, made)).toEqual({
      added: [],
      removed: [],
      leftover: null,
      isMailChanged: false,
    });
    const after = { mail: made, proxyAddresses: [`SMTP:${made}`, 'smtp:new@contoso.com'] };
    expect(addressChangesOf(before, after, made.toUpperCase())).toEqual({
      added: after.proxyAddresses,
      removed: before.proxyAddresses,
      leftover: `SMTP:${made}`,
      isMailChanged: true,
    });
    expect(addressChangesOf(before, { ...before, proxyAddresses: ['smtp:new@contoso.com'] }, null).leftover).toBeNull();
  });

  test('that were held already are nothing left over', () => {
    const had = { mail: upn, proxyAddresses: [`smtp:${held}`] };
    expect(addressChangesOf(had, { ...had, proxyAddresses: [`SMTP:${held}`] }, held)).toMatchObject({
      added: [`SMTP:${held}`],
      leftover: null,
    });
  });
});

import { Type } from '@sinclair/typebox';
import { action } from '../../shared/action/contract.ts';
import { nullable, oneOf, readReply } from '../../shared/action/schemas.ts';
import { attributeNames, textOfAttribute } from '../../shared/attributes/attribute.ts';
import { attributeComparisons, compareAttribute, isAbout, summaryOf } from '../../shared/attributes/diagnosis.ts';
import { expectedSources } from '../../shared/attributes/facts.ts';
import { attributeFindingCodes, causeCodes, certainties, isCause } from '../../shared/attributes/findings.ts';
import { isPrivileged } from '../../shared/attributes/standing.ts';
import { severities } from '../../shared/identity/diagnosis.ts';
import { attributeQuery, readAttributeValues, textOrNone } from './attributeFields.ts';
import { oktaAppIdField, userParams } from './identityFields.ts';

const text = (description: string) => Type.String({ description });
const causeCode = oneOf(causeCodes, 'code of the finding');

export const diagnoseAttributes = action({
  name: 'diagnoseAttributes',
  room: 'users',
  method: 'GET',
  route: 'users/{user}/attribute-sync',
  summary:
    "Say why a user's phones, further addresses or sign-in flag are not what Okta says, or a caller, and how to mend it",
  authLevel: 'function',
  writes: false,
  params: userParams,
  query: Type.Object(
    {
      ...attributeQuery,
      onPremisesMobilePhone: Type.Optional(
        Type.String({
          maxLength: 64,
          description: 'mobile of the user in on-premises Active Directory; empty: none there',
        }),
      ),
      oktaAppId: oktaAppIdField,
    },
    { additionalProperties: false },
  ),
  successes: { 200: 'The attributes with what was found' },
  reply: readReply({
    userId: text('Entra object id'),
    userPrincipalName: Type.String(),
    displayName: nullable(Type.String()),
    syncedFromOnPremises: Type.Boolean(),
    lastSyncedAt: nullable(text('when on-premises Active Directory was synced last for the user')),
    privileged: nullable(
      Type.Boolean({
        description: 'whether roles or role-assignable groups protect the user; null: was not looked at',
      }),
    ),
    bypassDirSyncOverrides: nullable(
      Type.Boolean({
        description: 'whether the sync overwrites what was edited in the cloud; null: was not looked at',
      }),
    ),
    equal: nullable(Type.Boolean({ description: 'null: what is expected is not known' })),
    cause: nullable(oneOf(causeCodes, 'code of the likeliest cause; null: none, all is as it should be')),
    certainty: nullable(oneOf(certainties, 'how sure that cause is')),
    causeCount: Type.Integer({ description: 'how many causes the facts allow' }),
    fix: nullable(text('what to do about the likeliest cause')),
    oktaUserId: nullable(Type.String()),
    oktaAppId: nullable(text('the Office 365 app that the user is assigned to')),
    oktaSyncState: nullable(text('as Okta has it: SYNCHRONIZED, ERROR, …')),
    oktaLastPush: nullable(text('when Okta sent the profile last')),
    findingCodes: text('the codes of the findings, separated by commas'),
    message: text('one sentence for a person'),
    attributes: Type.Array(
      Type.Object(
        {
          property: oneOf(attributeNames, 'which property'),
          actual: text('as text; lists separated by commas, none as an empty text'),
          expected: nullable(text('as it should be; null: not known')),
          expectedSource: nullable(oneOf(expectedSources, 'who says so; null: nobody')),
          comparison: oneOf(attributeComparisons, 'how the two compare'),
          cause: nullable(causeCode),
        },
        { additionalProperties: false },
      ),
      { description: 'one row for each property' },
    ),
    findings: Type.Array(
      Type.Object(
        {
          code: oneOf(attributeFindingCodes, 'what was found'),
          severity: oneOf(severities, 'blocker: a write would be refused'),
          certainty: oneOf(certainties, 'possible: stands beside another that the facts do not tell it from'),
          properties: text('what it is about, separated by commas'),
          message: text('one sentence for a person'),
          fix: text('what to do about it'),
          evidence: text('the facts it follows from'),
        },
        { additionalProperties: false },
      ),
      { description: 'the likeliest cause first' },
    ),
  }),
  run: async ({ params, query, call }, { attributeReader }) => {
    const { oktaAppId = null, onPremisesMobilePhone, ...texts } = query;
    const onPremisesMobile = onPremisesMobilePhone === undefined ? undefined : textOrNone(onPremisesMobilePhone);
    const given = readAttributeValues(texts);
    const diagnosis = await attributeReader.diagnose({ user: params.user, given, onPremisesMobile, oktaAppId }, call);
    const { facts, findings, cause } = diagnosis;
    const { user, privilege, bypassesOverrides } = facts;
    const okta = facts.okta.known ? facts.okta.value : null;
    const comparisons = attributeNames.map((name) => compareAttribute(name, facts));
    return {
      userId: user.id,
      userPrincipalName: user.userPrincipalName,
      displayName: user.displayName,
      syncedFromOnPremises: user.isSynced,
      lastSyncedAt: user.lastSyncedAt,
      privileged: privilege?.known === true ? isPrivileged(privilege.value) : null,
      bypassDirSyncOverrides: bypassesOverrides?.known === true ? bypassesOverrides.value : null,
      equal: comparisons.every((each) => each === 'expected_unknown') ? null : !comparisons.includes('different'),
      cause: cause?.code ?? null,
      certainty: cause?.certainty ?? null,
      causeCount: findings.filter(isCause).length,
      fix: cause?.fix ?? null,
      oktaUserId: okta?.userId ?? null,
      oktaAppId: okta?.office365?.appId ?? null,
      oktaSyncState: okta?.office365?.syncState ?? null,
      oktaLastPush: okta?.office365?.lastSync ?? null,
      findingCodes: findings.map(({ code }) => code).join(','),
      message: summaryOf(diagnosis),
      attributes: attributeNames.map((name) => {
        const expectation = facts.expected[name];
        return {
          property: name,
          actual: textOfAttribute(name, user) ?? '',
          expected: expectation === undefined ? null : (textOfAttribute(name, expectation.value) ?? ''),
          expectedSource: expectation?.source ?? null,
          comparison: compareAttribute(name, facts),
          cause: findings.filter(isCause).find((finding) => isAbout(finding, name))?.code ?? null,
        };
      }),
      findings,
    };
  },
});

import { Type } from '@sinclair/typebox';
import { action } from '../../shared/action/contract.ts';
import { nullable, oneOf, readReply } from '../../shared/action/schemas.ts';
import { comparisonCodes } from '../../shared/identity/diagnosis.ts';
import { anchors, expectedSources } from '../../shared/identity/expectation.ts';
import { signInTypes } from '../../shared/identity/readImmutableId.ts';
import { expectedQuery, findingRows, oktaAppIdField, planRows, readGiven, userParams } from './identityFields.ts';

const immutableId = nullable(Type.String({ description: 'null: none' }));
const guid = nullable(Type.String({ description: 'the GUID it encodes, as text; null where it is none' }));

export const getImmutableId = action({
  name: 'getImmutableId',
  room: 'users',
  method: 'GET',
  route: 'users/{user}/immutable-id',
  summary: "Compare a user's immutable ID with what it should be, say what is wrong and what a repair would do",
  authLevel: 'function',
  writes: false,
  params: userParams,
  query: Type.Object({ ...expectedQuery, oktaAppId: oktaAppIdField }, { additionalProperties: false }),
  successes: { 200: 'The immutable ID with what was found' },
  reply: readReply({
    userId: Type.String({ description: 'Entra object id' }),
    userPrincipalName: Type.String(),
    displayName: nullable(Type.String()),
    accountEnabled: Type.Boolean(),
    syncedFromOnPremises: Type.Boolean(),
    signIn: nullable(oneOf(signInTypes, 'what the domain of the user principal name is; null: not known')),
    comparison: oneOf(comparisonCodes, 'the finding that compares the two values'),
    equal: nullable(Type.Boolean({ description: 'null: what is expected is not known' })),
    actual: immutableId,
    actualGuid: guid,
    actualAnchor: nullable(oneOf(anchors, 'what it seems to be made from')),
    expected: immutableId,
    expectedGuid: guid,
    expectedAnchor: nullable(oneOf(anchors, 'what it seems to be made from')),
    expectedSource: nullable(oneOf(expectedSources, 'who says so; null: nobody')),
    oktaUserId: nullable(Type.String()),
    oktaAppId: nullable(Type.String({ description: 'the Office 365 app that the user is assigned to' })),
    oktaImmutableId: nullable(Type.String({ description: 'what Okta asserts at sign-in' })),
    repairable: Type.Boolean({ description: 'whether nothing that is known stands in the way of a repair' }),
    findingCodes: Type.String({ description: 'the codes of the findings, separated by commas' }),
    message: Type.String({ description: 'one sentence for a person' }),
    findings: findingRows,
    plan: planRows,
  }),
  run: async ({ params, query, call }, { immutableIdReader }) => {
    const { oktaAppId = null, ...expected } = query;
    const given = readGiven(expected, '/query');
    const description = await immutableIdReader.describe({ user: params.user, given, oktaAppId }, call);
    const { facts, comparison, actual, expectation, findings } = description;
    const { user } = facts;
    const okta = facts.okta.known ? facts.okta.value : null;
    return {
      userId: user.id,
      userPrincipalName: user.userPrincipalName,
      displayName: user.displayName,
      accountEnabled: user.accountEnabled,
      syncedFromOnPremises: user.isSynced,
      signIn: description.signIn,
      comparison: comparison.code,
      equal: expectation === null ? null : comparison.code === 'equal',
      actual: actual.immutableId,
      actualGuid: actual.guid,
      actualAnchor: actual.anchor,
      expected: expectation?.immutableId ?? null,
      expectedGuid: expectation?.guid ?? null,
      expectedAnchor: expectation?.anchor ?? null,
      expectedSource: expectation?.source ?? null,
      oktaUserId: okta?.userId ?? null,
      oktaAppId: okta?.office365?.appId ?? null,
      oktaImmutableId: okta?.office365?.immutableId ?? null,
      repairable: description.isRepairable,
      findingCodes: findings.map(({ code }) => code).join(','),
      message: (findings.find(({ severity }) => severity === 'blocker') ?? comparison).message,
      findings,
      plan: description.plan,
    };
  },
});

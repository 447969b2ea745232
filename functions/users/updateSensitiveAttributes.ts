import { Type } from '@sinclair/typebox';
import { action } from '../../shared/action/contract.ts';
import { dryRunField, nullable, oneOf, writeReply } from '../../shared/action/schemas.ts';
import { attributeNames, textOfAttribute } from '../../shared/attributes/attribute.ts';
import { attributeOutcomes, attributeUpdateOutcomes, isNotSet } from '../../shared/attributes/attributeChange.ts';
import { causeCodes } from '../../shared/attributes/findings.ts';
import { attributeBody } from './attributeFields.ts';
import { userParams } from './identityFields.ts';

const asText = (what: string) =>
  Type.String({ description: `${what}; lists separated by commas, none as an empty text` });

export const updateSensitiveAttributes = action({
  name: 'updateSensitiveAttributes',
  room: 'users',
  method: 'PATCH',
  route: 'users/{user}/sensitive-attributes',
  summary:
    "Write a user's phones, further addresses or sign-in flag; what is left out stays, and a refusal names its cause",
  authLevel: 'function',
  writes: true,
  params: userParams,
  body: Type.Object(
    {
      ...attributeBody,
      confirm: Type.Optional(
        Type.String({
          minLength: 1,
          maxLength: 320,
          description: "the user's user principal name, as a sign that this user is meant",
        }),
      ),
      dryRun: dryRunField,
    },
    { additionalProperties: false },
  ),
  successes: { 200: 'What became of each property' },
  reply: writeReply(attributeUpdateOutcomes, {
    userId: Type.String({ description: 'Entra object id' }),
    userPrincipalName: Type.String(),
    displayName: nullable(Type.String()),
    accountEnabled: Type.Boolean({ description: 'as it was read last' }),
    mobilePhone: asText('as it was read last'),
    businessPhones: asText('as they were read last'),
    otherMails: asText('as they were read last'),
    setCount: Type.Integer({ description: 'properties that were written, and show it' }),
    failedCount: Type.Integer({ description: 'properties that are not, or not known to be, as asked for' }),
    firstError: nullable(Type.String({ description: 'the first property that failed, with the reason' })),
    results: Type.Array(
      Type.Object(
        {
          property: oneOf(attributeNames, 'which property'),
          before: asText('as it was'),
          after: asText('what it was, or was to be, set to'),
          outcome: oneOf(attributeOutcomes, 'what became of the property'),
          cause: nullable(oneOf(causeCodes, 'code of the finding of diagnoseAttributes that explains it')),
          code: Type.String({ description: 'the outcome, or the code of the fault' }),
          message: Type.String({ description: 'one sentence for a person' }),
          fix: nullable(Type.String({ description: 'what to do about it; null: nothing' })),
        },
        { additionalProperties: false },
      ),
      { description: 'one row for each property of the request' },
    ),
  }),
  run: async ({ params, body, isDryRun, call }, { attributeUpdater }) => {
    const { confirm = null } = body;
    const request = { user: params.user, change: body, confirm, isDryRun };
    const { outcome, changed, message, user, rows } = await attributeUpdater.update(request, call);
    const failed = rows.filter(isNotSet);
    const [first] = failed;
    return {
      ok: failed.length === 0,
      outcome,
      changed,
      message,
      userId: user.id,
      userPrincipalName: user.userPrincipalName,
      displayName: user.displayName,
      accountEnabled: user.accountEnabled,
      mobilePhone: textOfAttribute('mobilePhone', user) ?? '',
      businessPhones: textOfAttribute('businessPhones', user) ?? '',
      otherMails: textOfAttribute('otherMails', user) ?? '',
      setCount: rows.filter((row) => row.outcome === 'set').length,
      failedCount: failed.length,
      firstError: first === undefined ? null : `${first.property}: ${first.message}`,
      results: rows,
    };
  },
});

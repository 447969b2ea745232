import { type TProperties, type TSchema, Type } from '@sinclair/typebox';
import { guidPattern } from '../guid.ts';
import { memberOutcomes } from '../groups/membership/memberRows.ts';
import { textListKeyword } from './textLists.ts';

/**
 * Fields that mean the same in every action (design §5). A `description` is a noun phrase: it explains the field in the
 * documentation and gives the words of a fault's fix ("Give …").
 */

const address = '[^\\s@,;"<>()\\[\\]\\\\:]+@[A-Za-z0-9-]+(\\.[A-Za-z0-9-]+)+';
const aliasCharacters = "[A-Za-z0-9!#$%&'*+/=?^_`{|}~\\u00A1-\\u00FF-]+";

/** One of a closed set of texts. */
export function oneOf<const Values extends readonly string[]>(values: Values, description: string) {
  return Type.Unsafe<Values[number]>({ type: 'string', enum: values, description });
}

export function nullable<Schema extends TSchema>(schema: Schema) {
  return Type.Union([schema, Type.Null()]);
}

export const groupParams = Type.Object(
  {
    group: Type.String({
      minLength: 1,
      maxLength: 320,
      description: "the group's Entra object id, an SMTP address of it, or its exact name",
    }),
  },
  { additionalProperties: false },
);

export const operationParams = Type.Object(
  { operationId: Type.String({ minLength: 1, maxLength: 64, description: 'the operationId of a reply' }) },
  { additionalProperties: false },
);

export const dryRunField = Type.Optional(
  Type.Boolean({ description: 'true to be told what would be done, without doing it' }),
);

export const smtpAddress = Type.String({
  pattern: `^${address}$`,
  maxLength: 320,
  description: 'an SMTP address like sales@contoso.com',
});

/** Exchange's rule for an alias (exchange.md §4). */
export const alias = Type.String({
  pattern: `^${aliasCharacters}(\\.${aliasCharacters})*$`,
  maxLength: 64,
  description: 'an alias of up to 64 letters, digits, hyphens or single inner dots, without spaces',
});

const member = Type.String({
  pattern: `^(${guidPattern}|[^\\s@,;]+@[^\\s@,;]+)$`,
  maxLength: 320,
  description: 'a UPN, an SMTP address or an Entra object id',
});

/** A list, or one text separated by commas or lines. */
export function memberList(options: { minItems: number; maxItems: number; description: string }) {
  return Type.Array(member, { ...options, [textListKeyword]: true });
}

export function addressList(options: { maxItems: number; description: string }) {
  return Type.Array(smtpAddress, { ...options, [textListKeyword]: true });
}

/** How many members one request may name (design §4). */
export const maxMembersPerRequest = 500;

/** The reply of a write: what every one says, and what this one adds. */
export function writeReply<Properties extends TProperties>(outcomes: readonly string[], properties: Properties) {
  return Type.Object(
    {
      ok: Type.Boolean({ description: 'whether everything is now as asked for' }),
      outcome: oneOf(outcomes, 'what came of the request'),
      changed: Type.Boolean({ description: 'whether anything was written, or may have been' }),
      dryRun: Type.Boolean({ description: 'whether this only says what would be done' }),
      message: Type.String({ description: 'one sentence for a person' }),
      warnings: Type.Array(Type.String(), { description: 'what did not fail the request and should be known' }),
      requestId: Type.String({ description: 'to be found again in the logs and the audit' }),
      ...properties,
    },
    { additionalProperties: false },
  );
}

export function readReply<Properties extends TProperties>(properties: Properties) {
  return Type.Object(
    { requestId: Type.String({ description: 'to be found again in the logs' }), ...properties },
    { additionalProperties: false },
  );
}

/** Counts and rows of a change of members; a flow reads the counts and needs no loop. */
export const memberResults = {
  addedCount: Type.Integer({ description: 'members added by this request' }),
  removedCount: Type.Integer({ description: 'members removed by this request' }),
  unchangedCount: Type.Integer({ description: 'members that were as asked for already' }),
  failedCount: Type.Integer({ description: 'members that are not as asked for' }),
  firstError: nullable(Type.String({ description: 'the first member that failed, with the reason' })),
  results: Type.Array(
    Type.Object(
      {
        member: Type.String({ description: 'the member as the request named it' }),
        outcome: oneOf(memberOutcomes, 'what became of the member'),
        code: Type.String({ description: 'the outcome, or the code of the fault' }),
        message: Type.String({ description: 'one sentence for a person' }),
      },
      { additionalProperties: false },
    ),
    { description: 'one row a member, in the order of the request' },
  ),
};

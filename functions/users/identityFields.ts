import { Type } from '@sinclair/typebox';
import { invalidRequest } from '../../shared/action/handler.ts';
import { nullable, oneOf } from '../../shared/action/schemas.ts';
import { findingCodes, severities } from '../../shared/identity/diagnosis.ts';
import { type ExpectedFields, type ExpectedValue, readExpected } from '../../shared/identity/expectedValue.ts';
import { plannedStepNames } from '../../shared/identity/repairPlan.ts';

/** What requests and replies about immutable IDs have in common. */

export const userParams = Type.Object(
  {
    user: Type.String({
      minLength: 1,
      maxLength: 320,
      description: "the user's Entra object id or user principal name",
    }),
  },
  { additionalProperties: false },
);

const value = (description: string) => Type.Optional(Type.String({ minLength: 1, maxLength: 512, description }));

/** By which of these a request says what the immutable ID should be; `readGiven` holds them to exactly one. */
export const expectedQuery = {
  immutableId: value('the immutable ID as Entra should hold it'),
  objectGuid: value('the objectGUID of Active Directory: its text, its bytes or their Base64'),
  consistencyGuid: value('the ms-DS-ConsistencyGuid of Active Directory: Base64 of its bytes'),
  externalId: value("the external ID of Okta's Active Directory integration: Base64 of the objectGUID"),
  oktaUserId: value('the id of the user in Okta (00u…)'),
};

/** The same in a body, where none at all can be asked for. */
export const expectedBody = {
  ...expectedQuery,
  immutableId: Type.Optional(
    nullable(
      Type.String({
        minLength: 1,
        maxLength: 512,
        description: 'the immutable ID as Entra should hold it; null to have none',
      }),
    ),
  ),
};

export const oktaAppIdField = Type.Optional(
  Type.String({
    pattern: '^0oa[0-9A-Za-z]+$',
    maxLength: 64,
    description: 'the id of an Office 365 app of Okta (0oa…)',
  }),
);

/** null: none is there. @throws Fault `invalid_request` */
export function readGiven(fields: ExpectedFields, at: '/query' | ''): ExpectedValue | null {
  const result = readExpected(fields, at);
  if (result.type === 'faulty') throw invalidRequest(result.errors);
  return result.type === 'given' ? result.expected : null;
}

export const findingRows = Type.Array(
  Type.Object(
    {
      code: oneOf(findingCodes, 'what was found'),
      severity: oneOf(severities, 'blocker: no repair begins; problem: a repair mends it'),
      message: Type.String({ description: 'one sentence for a person' }),
      fix: Type.String({ description: 'what to do about it' }),
      evidence: Type.String({ description: 'the facts it follows from' }),
    },
    { additionalProperties: false },
  ),
  { description: 'the gravest first' },
);

export const planRows = Type.Array(
  Type.Object(
    {
      step: oneOf(plannedStepNames, 'what would be done'),
      upstream: oneOf(['graph', 'okta'], 'where'),
      request: Type.String({ description: 'method and path' }),
      body: nullable(Type.String({ description: 'as JSON text' })),
      condition: nullable(Type.String({ description: 'when it would be done; null: always' })),
    },
    { additionalProperties: false },
  ),
  { description: 'the steps that a repair would take now, in order; none where it would not begin, or need not' },
);

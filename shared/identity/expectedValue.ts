import type { FieldFault } from '../errors.ts';
import { immutableIdOfGuid, isOktaUserId, isRandomGuid, readGuid } from './immutableIdCodec.ts';

/** By which of these a caller may say what the immutable ID should be (design §5). */
export const expectedFields = ['immutableId', 'objectGuid', 'consistencyGuid', 'externalId', 'oktaUserId'] as const;
export type ExpectedField = (typeof expectedFields)[number];

/** As a caller gives it: exactly one is there. `immutableId` may be null, to have none. */
export type ExpectedFields = { readonly immutableId?: string | null | undefined } & Readonly<
  Partial<Record<Exclude<ExpectedField, 'immutableId'>, string | undefined>>
>;

/** What the immutable ID should be. */
export interface ExpectedValue {
  /** By what it was given. */
  readonly field: ExpectedField;
  /** As it was given. */
  readonly given: string | null;
  /** As Entra holds it; null: none. */
  readonly immutableId: string | null;
}

export type ExpectedResult =
  | { readonly type: 'given'; readonly expected: ExpectedValue }
  /** None of the fields is there. */
  | { readonly type: 'absent' }
  | { readonly type: 'faulty'; readonly errors: readonly FieldFault[] };

/** Longer than any anchor in use; Entra's own limit is not written down. */
const maxLength = 256;

/**
 * Pure.
 * @param at where the fields are, for the pointers of faults: `/query`, `/users/3`, or the empty text for the body
 */
export function readExpected(fields: ExpectedFields, at: string): ExpectedResult {
  const named = expectedFields.filter((field) => fields[field] !== undefined);
  const [field] = named;
  if (field === undefined) return { type: 'absent' };
  if (named.length > 1) {
    const errors = named.map((each) => ({
      pointer: `${at}/${each}`,
      message: `is given beside ${named.filter((other) => other !== each).join(', ')}; exactly one says what the immutable ID should be`,
      fix: `Give exactly one of ${expectedFields.join(', ')}.`,
    }));
    return { type: 'faulty', errors };
  }
  const given = fields[field] ?? null;
  const read = given === null ? { immutableId: null } : readers[field](given);
  if ('fix' in read) return { type: 'faulty', errors: [{ pointer: `${at}/${field}`, ...read }] };
  return { type: 'given', expected: { field, given, immutableId: read.immutableId } };
}

type Problem = Pick<FieldFault, 'message' | 'fix'>;
type Read = { readonly immutableId: string } | Problem;

const readers: Readonly<Record<ExpectedField, (given: string) => Read>> = {
  immutableId: readLiteral,

  objectGuid: (given) =>
    readAnyGuid(given, {
      message: 'is no GUID; an objectGUID is 16 bytes',
      fix: 'Give the objectGUID as text (a1b2c3d4-e5f6-4789-abcd-1234567890ab, with or without braces), as the bytes that Active Directory shows (D4 C3 B2 A1 …), or as their Base64.',
    }),

  consistencyGuid: (given) =>
    readAnyGuid(given, {
      message: 'is not the Base64 of 16 bytes, nor a GUID in another form',
      fix: 'Give the ms-DS-ConsistencyGuid as Base64 of its 16 bytes, or as the bytes that Active Directory shows (D4 C3 B2 A1 …).',
    }),

  externalId: (given) => {
    const read = readGuid(given);
    if (read?.form === 'base64') return { immutableId: given.trim() };
    return {
      message:
        "is not the Base64 of 16 bytes, which Okta's external ID of a user from Active Directory is; the external ID in an Office 365 app is another: an object id of Entra",
      fix: 'Copy the external ID from the user under the Active Directory integration in Okta, or give another value as objectGuid, oktaUserId or immutableId.',
    };
  },

  oktaUserId: (given) => {
    const text = given.trim();
    if (isOktaUserId(text)) return { immutableId: text };
    return {
      message: "is no id of a user in Okta: 00u and 17 letters and digits, with capitals as in Okta's address bar",
      fix: 'Give the id of the user (user.id in Okta Workflows), not the login.',
    };
  },
};

/** Any anchor may be in use, so a value that is no GUID is not refused (graph.md §2.1). */
function readLiteral(given: string): Read {
  if (given === '') {
    return {
      message: 'is empty, which Entra refuses',
      fix: 'Give null to have no immutable ID, or the value it should be.',
    };
  }
  if (/[$_]/.test(given)) {
    return { message: 'holds $ or _, which Entra takes in no immutable ID', fix: 'Give a value without $ and _.' };
  }
  if (given.length > maxLength || !/^[\x21-\x7e]([\x20-\x7e]*[\x21-\x7e])?$/.test(given)) {
    return {
      message: `is no plain text of at most ${maxLength} characters without spaces around it`,
      fix: 'Give the value alone, as Entra should hold it.',
    };
  }
  return { immutableId: given };
}

function readAnyGuid(given: string, problem: Problem): Read {
  const read = readGuid(given);
  if (read === null) return problem;
  // DirectoryEntry.NativeGuid and LDAP tools print bytes, others the text without hyphens: alike to the eye.
  if (read.form === 'hex' && !isRandomGuid(read.guid)) {
    return {
      message: 'is 32 digits of which it cannot be told whether they are the text of the GUID or its bytes',
      fix: 'Give the GUID with its hyphens, or its bytes with spaces between them.',
    };
  }
  return { immutableId: immutableIdOfGuid(read.guid) };
}

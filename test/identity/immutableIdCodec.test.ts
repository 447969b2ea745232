import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { type ExpectedFields, readExpected } from '../../shared/identity/expectedValue.ts';
import {
  bytesOfGuid,
  guidForms,
  guidOfBytes,
  guidOfImmutableId,
  immutableIdOfGuid,
  isOktaUserId,
  isRandomGuid,
  readGuid,
  wrongEndianTwin,
  writeGuid,
} from '../../shared/identity/immutableIdCodec.ts';

// The check value of graph.md §2.1.
const guid = 'a1b2c3d4-e5f6-4789-abcd-1234567890ab';
const immutableId = '1MOyofbliUerzRI0VniQqw==';
const bigEndian = 'obLD1OX2R4mrzRI0VniQqw==';
const bytes = 'D4 C3 B2 A1 F6 E5 89 47 AB CD 12 34 56 78 90 AB';
const oktaUserId = '00u1AbCdEfGhIjKlMn5d';

const anyBytes = fc.uint8Array({ minLength: 16, maxLength: 16 });
const anyGuid = anyBytes.map(guidOfBytes);

describe('a GUID', () => {
  test.each([
    ['text', guid],
    ['text', guid.toUpperCase()],
    ['text', ` ${guid}\n`],
    ['braces', `{${guid.toUpperCase()}}`],
    ['hex', guid.replaceAll('-', '')],
    ['bytes', bytes],
    ['bytes', bytes.toLowerCase().replaceAll(' ', '-')],
    ['bytes', bytes.replaceAll(' ', ':')],
    ['bytes', `\\${bytes.replaceAll(' ', '\\')}`],
    ['base64', immutableId],
    ['base64', `${immutableId} `],
  ])('is read as %s from "%s"', (form, text) => {
    expect(readGuid(text)).toEqual({ guid, form });
  });

  test.each([
    '',
    'a1b2c3d4',
    `{${guid}`,
    `${guid}}`,
    guid.replace('-', ''),
    `${guid}0`,
    `${bytes} 00`,
    bytes.slice(3),
    immutableId.replaceAll('=', ''),
    `${immutableId}=`,
    '1MOyofbliUerzRI0VniQqx==',
    '1MOyofbliUerzRI0VniQ qw==',
    Buffer.alloc(15).toString('base64'),
    Buffer.alloc(17).toString('base64'),
    oktaUserId,
  ])('is not read from "%s"', (text) => {
    expect(readGuid(text)).toBeNull();
  });

  test('is read back from every form that it is written in', () => {
    fc.assert(
      fc.property(anyGuid, fc.constantFrom(...guidForms), (each, form) => {
        expect(readGuid(writeGuid({ guid: each, form }))).toEqual({ guid: each, form });
      }),
    );
  });

  test('and its bytes and its immutable ID are one another both ways', () => {
    expect(bytesOfGuid(guid).toString('hex')).toBe(bytes.replaceAll(' ', '').toLowerCase());
    expect(immutableIdOfGuid(guid)).toBe(immutableId);
    fc.assert(
      fc.property(anyBytes, (each) => {
        expect(bytesOfGuid(guidOfBytes(each))).toEqual(Buffer.from(each));
        expect(guidOfImmutableId(Buffer.from(each).toString('base64'))).toBe(guidOfBytes(each));
      }),
    );
  });

  test('says of itself whether it is random', () => {
    expect(isRandomGuid(guid)).toBe(true);
    expect(isRandomGuid('a1b2c3d4-e5f6-1789-4bcd-1234567890ab')).toBe(false);
  });
});

describe('the twin of the wrong byte order', () => {
  test('is the one of the reference, and its twin is the original', () => {
    expect(wrongEndianTwin(immutableId)).toBe(bigEndian);
    expect(wrongEndianTwin(bigEndian)).toBe(immutableId);
  });

  test('is what the digits of the text give, for every GUID that does not read alike both ways', () => {
    fc.assert(
      fc.property(anyGuid, (each) => {
        const wrong = Buffer.from(each.replaceAll('-', ''), 'hex').toString('base64');
        const right = immutableIdOfGuid(each);
        expect(wrongEndianTwin(right)).toBe(wrong === right ? null : wrong);
      }),
    );
  });

  test.each([immutableIdOfGuid('a1a1a1a1-b2b2-c3c3-0102-030405060708'), guid, oktaUserId, ''])(
    'of "%s" is none',
    (text) => {
      expect(wrongEndianTwin(text)).toBeNull();
    },
  );
});

test('the id of an Okta user is told from ids of other things', () => {
  expect(isOktaUserId(oktaUserId)).toBe(true);
  for (const other of ['00g1AbCdEfGhIjKlMn5d', `${oktaUserId}6`, oktaUserId.slice(1), '00u1AbCdEfGhIjKlMn5_', '']) {
    expect(isOktaUserId(other)).toBe(false);
  }
});

describe('an expected value', () => {
  const given = (fields: ExpectedFields) => readExpected(fields, '');

  test.each<[ExpectedFields, string | null]>([
    [{ immutableId }, immutableId],
    [{ immutableId: 'employee 4711' }, 'employee 4711'],
    [{ immutableId: null }, null],
    [{ objectGuid: guid }, immutableId],
    [{ objectGuid: `{${guid}}` }, immutableId],
    [{ objectGuid: guid.replaceAll('-', '') }, immutableId],
    [{ objectGuid: bytes }, immutableId],
    [{ objectGuid: immutableId }, immutableId],
    [{ consistencyGuid: immutableId }, immutableId],
    [{ consistencyGuid: bytes }, immutableId],
    [{ externalId: ` ${immutableId}` }, immutableId],
    [{ oktaUserId: `${oktaUserId}\n` }, oktaUserId],
  ])('is read from %j', (fields, expected) => {
    const [[field, value] = []] = Object.entries(fields);
    expect(given(fields)).toEqual({ type: 'given', expected: { field, given: value, immutableId: expected } });
  });

  test.each<[ExpectedFields, string]>([
    [{ immutableId: '' }, 'empty'],
    [{ immutableId: 'a$b' }, '$ or _'],
    [{ immutableId: 'a_b' }, '$ or _'],
    [{ immutableId: ` ${immutableId}` }, 'without spaces around it'],
    [{ immutableId: `${immutableId}\n` }, 'without spaces around it'],
    [{ immutableId: 'Ä' }, 'plain text'],
    [{ immutableId: 'a'.repeat(257) }, '256'],
    [{ objectGuid: 'amara.osei@contoso.com' }, 'no GUID'],
    // The bytes of the GUID, which look like its text.
    [{ objectGuid: bytes.replaceAll(' ', '') }, 'cannot be told'],
    [{ consistencyGuid: bytes.replaceAll(' ', '') }, 'cannot be told'],
    [{ consistencyGuid: immutableId.slice(0, -1) }, 'Base64'],
    [{ externalId: guid }, 'object id of Entra'],
    [{ externalId: oktaUserId }, 'Base64'],
    [{ oktaUserId: 'amara.osei@contoso.com' }, '00u'],
  ])('is refused in %j, with the rule and the fix', (fields, rule) => {
    const [field] = Object.keys(fields);
    expect(given(fields)).toEqual({
      type: 'faulty',
      errors: [
        {
          pointer: `/${field ?? ''}`,
          message: expect.stringContaining(rule),
          fix: expect.stringMatching(/^(Give|Copy) .+\.$/),
        },
      ],
    });
  });

  test('is absent where no field is there', () => {
    expect(given({})).toEqual({ type: 'absent' });
    expect(given({ objectGuid: undefined })).toEqual({ type: 'absent' });
  });

  test('is refused where two fields are there, each named', () => {
    const result = readExpected({ objectGuid: guid, immutableId: null, oktaUserId }, '/query');
    expect(result).toEqual({
      type: 'faulty',
      errors: ['immutableId', 'objectGuid', 'oktaUserId'].map((field) => ({
        pointer: `/query/${field}`,
        message: expect.stringContaining('exactly one'),
        fix: expect.stringContaining('immutableId, objectGuid, consistencyGuid, externalId, oktaUserId'),
      })),
    });
  });
});

import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { booleanOf, listOf, readBody, readRows, readWarnings, textOf } from '../../shared/exchange/body.ts';
import { isAddress, sameText, smtpAddresses } from '../../shared/exchange/identity.ts';
import { isGuid } from '../../shared/guid.ts';
import { encodeParameters, opathLiteral } from '../../shared/exchange/parameters.ts';

const text = fc.string({ unit: 'grapheme' });

describe('parameters of a cmdlet', () => {
  const value = fc.oneof(text, fc.integer(), fc.boolean(), fc.array(text));

  test('go out as they are, without those that are undefined', () => {
    const name = fc.stringMatching(/^[A-Z][A-Za-z]{0,12}$/);
    fc.assert(
      fc.property(fc.dictionary(name, fc.option(value, { nil: undefined })), (parameters) => {
        const expected = Object.entries(parameters).filter(([, each]) => each !== undefined);
        expect(Object.entries(encodeParameters(parameters))).toEqual(expected);
      }),
    );
  });

  test('that edit a list are a typed hashtable, with what is given and nothing else', () => {
    const edit = fc.record({ add: fc.array(text), remove: fc.array(text) }, { requiredKeys: [] });
    fc.assert(
      fc.property(edit, ({ add, remove }) => {
        const given = { ...(add && { add }), ...(remove && { remove }) };
        expect(encodeParameters({ EmailAddresses: given })).toEqual({
          EmailAddresses: {
            '@odata.type': '#Exchange.GenericHashTable',
            ...(add && { Add: add }),
            ...(remove && { Remove: remove }),
          },
        });
      }),
    );
  });

  test('in a filter are one literal that reads back as what it was', () => {
    fc.assert(
      fc.property(text, (each) => {
        const literal = opathLiteral(each);
        expect(literal).toMatch(/^'(?:[^']|'')*'$/s);
        expect(literal.slice(1, -1).replaceAll("''", "'")).toBe(each);
      }),
    );
    expect(opathLiteral("x' -or Name -like '*")).toBe("'x'' -or Name -like ''*'");
  });
});

describe('an identity', () => {
  test('is an object id or an address, never both', () => {
    fc.assert(
      fc.property(fc.uuid(), fc.emailAddress(), text, (id, address, other) => {
        expect([isGuid(id), isGuid(id.toUpperCase()), isAddress(id)]).toEqual([true, true, false]);
        expect([isGuid(address), isAddress(address)]).toEqual([false, true]);
        expect(isGuid(`${id}${other}`)).toBe(other === '');
        expect(isAddress(other) && isGuid(other)).toBe(false);
      }),
    );
    expect(isAddress('guest_example.com#EXT#@contoso.onmicrosoft.com')).toBe(true);
    for (const no of ['', 'name', '@contoso.com', 'name@', 'a@b@c', 'a b@c', 'a@b c'])
      expect(isAddress(no)).toBe(false);
  });

  test('is the same in any case, and nothing is the same as nothing', () => {
    fc.assert(
      fc.property(fc.string(), fc.string(), (left, right) => {
        expect(sameText(left.toUpperCase(), left.toLowerCase())).toBe(true);
        expect(sameText(left, right)).toBe(left.toLowerCase() === right.toLowerCase());
        expect(sameText(left, null) || sameText(null, left)).toBe(false);
      }),
    );
    expect(sameText(null, null)).toBe(false);
  });
});

test('addresses of a recipient are its SMTP ones, primary and others, in order and without prefix', () => {
  const address = fc.tuple(fc.constantFrom('SMTP', 'smtp', 'X500', 'SIP', 'sip', 'EUM'), fc.emailAddress());
  fc.assert(
    fc.property(fc.array(address), (all) => {
      const listed = all.map(([type, each]) => `${type}:${each}`);
      const expected = all.filter(([type]) => type.toLowerCase() === 'smtp').map(([, each]) => each);
      expect(smtpAddresses(listed)).toEqual(expected);
    }),
  );
});

describe('a body of Exchange', () => {
  test('that is an object is read as one, whatever NULs and spaces are around it', () => {
    const padding = fc.string({ unit: fc.constantFrom('\0', ' ', '\n', '\r') });
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.jsonValue()), padding, padding, (value, before, after) => {
        const json = JSON.stringify(value);
        expect(readBody(`${before}${json}${after}`)).toEqual({ type: 'json', value: JSON.parse(json) as unknown });
        expect(readBody(`${before}${after}`)).toEqual({ type: 'empty' });
      }),
    );
  });

  test('that is anything else is a text, never an object', () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          fc.array(fc.jsonValue()).map((each) => JSON.stringify(each)),
        ),
        (each) => {
          const body = readBody(`<${each}`);
          expect(body.type).toBe('text');
        },
      ),
    );
    for (const each of ['[1]', '"text"', '5', 'null', '{"half":']) expect(readBody(each).type).toBe('text');
  });

  test('has its rows without the companions of a property', () => {
    const row = { Name: 'x', 'Name@data.type': 'System.String', '@odata.etag': '1' };
    expect(readRows({ value: [row, 5, null, ['x']] })).toEqual([{ Name: 'x' }]);
    for (const value of [undefined, null, {}, 'x']) expect(readRows({ value })).toEqual([]);
    expect(readWarnings({ '@adminapi.warnings': ['careful', 5] })).toEqual(['careful']);
    expect(readWarnings({})).toEqual([]);
  });

  test('has flags as booleans or as text, lists with or without brackets, and no empty text', () => {
    for (const yes of [true, 'True', 'true', 'TRUE']) expect(booleanOf({ flag: yes }, 'flag')).toBe(true);
    for (const no of [false, 'False', '', 'yes', 1, null, undefined])
      expect(booleanOf({ flag: no }, 'flag')).toBe(false);
    expect(listOf({ all: ['a', 5, 'b'] }, 'all')).toEqual(['a', 'b']);
    expect(listOf({ all: 'a' }, 'all')).toEqual(['a']);
    for (const none of ['', null, undefined, 5]) expect(listOf({ all: none }, 'all')).toEqual([]);
    expect(textOf({ a: 'x' }, 'a')).toBe('x');
    for (const none of ['', null, undefined, 5]) expect(textOf({ a: none }, 'a')).toBeNull();
  });
});

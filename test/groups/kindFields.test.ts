import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { Fault } from '../../shared/errors.ts';
import { kindFields, refuseForeignFields } from '../../shared/groups/kindFields.ts';
import { groupKinds } from '../../shared/groups/kinds.ts';

const table: Readonly<Record<string, readonly string[]>> = kindFields;
const kind = fc.constantFrom(...groupKinds);
const name = fc.oneof(
  fc.constantFrom(...Object.keys(kindFields)),
  fc.constantFrom('displayName', 'alias', 'owners', 'description', 'constructor', '__proto__'),
);

describe('the properties that a kind has', () => {
  test('are refused exactly where the table says that others have them', () => {
    fc.assert(
      fc.property(kind, fc.uniqueArray(name), (of, names) => {
        const foreign = names.filter((each) => Object.hasOwn(table, each) && table[each]?.includes(of) === false);
        let refused: string[] = [];
        try {
          refuseForeignFields(of, names);
        } catch (error) {
          if (!(error instanceof Fault)) throw error;
          expect(error.code).toBe('invalid_request');
          refused = error.errors.map(({ pointer }) => pointer.slice(1));
          for (const { pointer, message, fix } of error.errors) {
            for (const allowed of table[pointer.slice(1)] ?? []) expect(message + fix).toContain(allowed);
          }
        }
        expect(refused).toEqual(foreign);
      }),
    );
  });

  test.each([
    ['security', 'visibility'],
    ['security', 'hideFromAddressLists'],
    ['microsoft365', 'joinRestriction'],
    ['microsoft365', 'primarySmtpAddress'],
    ['distributionList', 'visibility'],
  ] as const)('of %s do not include %s', (of, property) => {
    expect(() => refuseForeignFields(of, [property])).toThrow(property);
  });

  test.each([
    ['microsoft365', 'visibility'],
    ['mailEnabledSecurity', 'joinRestriction'],
    ['distributionList', 'addresses'],
  ] as const)('of %s include %s', (of, property) => {
    expect(() => refuseForeignFields(of, [property, 'displayName'])).not.toThrow();
  });
});

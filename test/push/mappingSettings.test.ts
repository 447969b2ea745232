import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { authorities, countableStatuses, type MappingSettings } from '../../shared/push/mapping.ts';
import {
  defaultSettings,
  differencesOf,
  mergeSettings,
  wideningsOf,
} from '../../shared/push/mappings/mappingSettings.ts';

const someSettings: fc.Arbitrary<MappingSettings> = fc
  .record({
    authority: fc.constantFrom(...authorities),
    desiredStatuses: fc.subarray([...countableStatuses], { minLength: 1 }),
    oktaAppId: fc.constantFrom(null, '0oa1', '0oa2'),
    neverRemove: fc.subarray(['boss@contoso.com', '*@example.com', 'x']),
    maxAdditions: fc.constantFrom(null, 0, 5),
    adoptMembers: fc.boolean(),
    renameTarget: fc.boolean(),
    reportOnly: fc.boolean(),
  })
  .map((given) => mergeSettings(given, null));

const changed = (change: Partial<MappingSettings>): MappingSettings => ({ ...defaultSettings, ...change });

describe('settings of a push mapping', () => {
  test('take their defaults where nothing is given, and stay as they are where there are some', () => {
    expect(mergeSettings({}, null)).toEqual({
      authority: 'managed',
      desiredStatuses: ['ACTIVE', 'RECOVERY', 'PASSWORD_EXPIRED', 'LOCKED_OUT'],
      oktaAppId: null,
      neverRemove: [],
      maxAdditions: null,
      adoptMembers: false,
      renameTarget: false,
      reportOnly: false,
    });
    const before = changed({ authority: 'additive', maxAdditions: 7, adoptMembers: true });
    expect(mergeSettings({ maxAdditions: null }, before)).toEqual({ ...before, maxAdditions: null });
  });

  test('hold every status and every name once, whatever the order and the case', () => {
    const merged = mergeSettings(
      { desiredStatuses: ['SUSPENDED', 'ACTIVE', 'ACTIVE'], neverRemove: ['Boss@contoso.com', 'boss@contoso.com'] },
      null,
    );
    expect(merged).toMatchObject({ desiredStatuses: ['ACTIVE', 'SUSPENDED'], neverRemove: ['Boss@contoso.com'] });
  });

  test('do not differ in the order and the case of a list', () => {
    const left = changed({ neverRemove: ['a@contoso.com', 'b@contoso.com'] });
    expect(differencesOf(left, changed({ neverRemove: ['B@contoso.com', 'A@contoso.com'] }))).toEqual([]);
    expect(differencesOf(left, changed({ neverRemove: ['a@contoso.com'] }))).toEqual(['neverRemove']);
  });

  test('given anew are the settings that come out, and given again change nothing', () => {
    fc.assert(
      fc.property(someSettings, someSettings, (before, given) => {
        const merged = mergeSettings(given, before);
        expect(differencesOf(merged, given)).toEqual([]);
        expect(differencesOf(merged, mergeSettings(given, merged))).toEqual([]);
        expect(wideningsOf(merged, mergeSettings(given, merged))).toEqual([]);
      }),
    );
  });

  test('give more power only by what differs, and never both there and back but by another app', () => {
    fc.assert(
      fc.property(someSettings, someSettings, (before, after) => {
        const widened = wideningsOf(before, after);
        expect(differencesOf(before, after)).toEqual(expect.arrayContaining(widened));
        const bothWays = wideningsOf(after, before).filter((name) => widened.includes(name));
        // Of two lists each may lack what the other has.
        expect(bothWays.filter((name) => !['oktaAppId', 'desiredStatuses', 'neverRemove'].includes(name))).toEqual([]);
      }),
    );
  });

  test.each<[Partial<MappingSettings>, Partial<MappingSettings>, string[]]>([
    [{ authority: 'additive' }, { authority: 'managed' }, ['authority']],
    [{ authority: 'additive' }, { authority: 'exclusive' }, ['authority']],
    [{ authority: 'managed' }, { authority: 'exclusive' }, ['authority']],
    [{ authority: 'exclusive' }, { authority: 'managed' }, []],
    [{ authority: 'managed' }, { authority: 'additive' }, []],
    [{ desiredStatuses: ['ACTIVE', 'SUSPENDED'] }, { desiredStatuses: ['ACTIVE'] }, ['desiredStatuses']],
    [{ desiredStatuses: ['ACTIVE'] }, { desiredStatuses: ['ACTIVE', 'SUSPENDED'] }, []],
    [{ neverRemove: ['a', 'b'] }, { neverRemove: ['B'] }, ['neverRemove']],
    [{ neverRemove: ['b'] }, { neverRemove: ['a', 'B'] }, []],
    [{ adoptMembers: false }, { adoptMembers: true }, ['adoptMembers']],
    [{ adoptMembers: true }, { adoptMembers: false }, []],
    [{ oktaAppId: null }, { oktaAppId: '0oa1' }, ['oktaAppId']],
    [{ oktaAppId: '0oa1' }, { oktaAppId: null }, ['oktaAppId']],
    [{ reportOnly: true }, { reportOnly: false }, ['reportOnly']],
    [{ reportOnly: false }, { reportOnly: true }, []],
    [{ maxAdditions: 1 }, { maxAdditions: null }, []],
    [{ renameTarget: false }, { renameTarget: true }, []],
  ])('from %j to %j are more power by %j', (before, after, widened) => {
    expect(wideningsOf(changed(before), changed(after))).toEqual(widened);
  });
});

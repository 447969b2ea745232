import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { readClaims } from '../../shared/upstream/tokens.ts';

const tokenOf = (payload: unknown) => `e30.${Buffer.from(JSON.stringify(payload)).toString('base64url')}.c2ln`;
const nothing = { oid: null, appId: null, tenantId: null, roles: [], directoryRoles: [] };

describe('what a token says of us', () => {
  test('is read from an app-only token of either version', () => {
    const common = { oid: 'o', tid: 't', roles: ['Exchange.ManageAsApp'], wids: ['w'] };
    const claims = { oid: 'o', appId: 'a', tenantId: 't', roles: ['Exchange.ManageAsApp'], directoryRoles: ['w'] };
    expect(readClaims(tokenOf({ ...common, appid: 'a' }))).toEqual(claims);
    expect(readClaims(tokenOf({ ...common, azp: 'a' }))).toEqual(claims);
    expect(readClaims(tokenOf({ ...common, appid: 'a', azp: 'b' }))).toEqual(claims);
  });

  test('is nothing where a claim is missing or of another type', () => {
    expect(readClaims(tokenOf({}))).toEqual(nothing);
    expect(readClaims(tokenOf({ oid: 1, tid: null, appid: {}, roles: 'Exchange.ManageAsApp' }))).toEqual(nothing);
    expect(readClaims(tokenOf({ roles: ['a', 1, null, 'b'] })).roles).toEqual(['a', 'b']);
  });

  test.each(['', '.', '..', 'a.b.c', 'opaque', `e30.${'%'.repeat(9)}.x`, tokenOf(null), tokenOf(7), tokenOf('text')])(
    'is nothing in "%s"',
    (token) => {
      expect(readClaims(token)).toEqual(nothing);
    },
  );

  test('is read without a throw from anything', () => {
    const token = fc.oneof(
      fc.string(),
      fc.json().map((json) => `e30.${Buffer.from(json).toString('base64url')}.`),
    );
    fc.assert(
      fc.property(token, (given) => {
        const { oid, appId, tenantId, roles, directoryRoles } = readClaims(given);
        for (const each of [oid, appId, tenantId]) expect(each === null || typeof each === 'string').toBe(true);
        for (const each of [...roles, ...directoryRoles]) expect(typeof each).toBe('string');
      }),
    );
  });
});

import { describe, expect, test } from '@jest/globals';
import type { MemberResult } from '../../shared/groups/membership/memberWrites.ts';
import type { ManagedMember } from '../../shared/push/people.ts';
import { mayBeDone, rowsAfterWrite, rowsBeforeWrite } from '../../shared/push/reconcile/managedRows.ts';

const nowMs = Date.UTC(2026, 10, 21);
const person = { entraId: 'a0000000-0000-4000-8000-000000000001', oktaUserId: '00u1', login: 'a@x', label: 'a@x' };
const change = { ...person, isOurs: true };
const rowIn = (state: ManagedMember['state']): ManagedMember => ({ ...person, state, changedAtMs: nowMs - 1_000 });
const already: MemberResult = { type: 'settled', wasChanged: false };

describe('somebody whose removal was begun, and nobody knows what came of it', () => {
  const before = rowIn('removing');

  test('stays the mapping’s own when it is wanted again and found to be a member still', () => {
    expect(rowsBeforeWrite('add', [{ change, before }], nowMs)).toMatchObject([{ state: 'adding' }]);
    expect(mayBeDone('add', { change, before })).toBe(false);
    const { put, forget } = rowsAfterWrite('add', [{ change, before, result: already }], false, nowMs);
    expect(put).toEqual([{ ...person, state: 'added', changedAtMs: nowMs }]);
    expect(forget).toEqual([]);
  });
});

describe('a member whom the mapping has not added', () => {
  const stranger = { ...change, oktaUserId: null, login: null, isOurs: false };

  test('does not become its own by being removed, and is noted as gone', () => {
    for (const before of [undefined, rowIn('removed')]) {
      expect(rowsBeforeWrite('remove', [{ change: stranger, before }], nowMs)).toEqual([]);
      const written = [{ change: stranger, before, result: already }];
      expect(rowsAfterWrite('remove', written, false, nowMs)).toEqual({
        put: [{ ...person, oktaUserId: null, login: null, state: 'removed', changedAtMs: nowMs }],
        forget: [],
      });
    }
  });

  test('is not noted when its removal failed', () => {
    const result: MemberResult = { type: 'failed', code: 'upstream_failed', message: 'No.', retryAfterSeconds: null };
    const written = [{ change: stranger, before: undefined, result }];
    expect(rowsAfterWrite('remove', written, false, nowMs)).toEqual({ put: [], forget: [] });
  });
});

import { afterEach, describe, expect, test } from '@jest/globals';
import type { Audit } from '../../shared/audit/audit.ts';
import { systemClock } from '../../shared/clock.ts';
import { Fault } from '../../shared/errors.ts';
import type { PushMapping } from '../../shared/push/mapping.ts';
import { below } from '../../shared/push/mappings/mappingFaults.ts';
import { defaultSettings } from '../../shared/push/mappings/mappingSettings.ts';
import { createMappingTargets } from '../../shared/push/mappings/mappingTarget.ts';
import { createMappingStatusSetter } from '../../shared/push/mappings/setMappingStatus.ts';
import type { PushReply } from '../../shared/push/pushReply.ts';
import { faultOf, testCall, type TestCall } from '../support/rooms.ts';

const mapping: PushMapping = {
  oktaGroupId: '00g1',
  oktaGroupName: 'Deckhands',
  targetId: '22222222-2222-4222-8222-222222222222',
  targetName: 'deck@contoso.com',
  targetKind: 'distributionList',
  settings: defaultSettings,
  status: 'INACTIVE',
  reason: null,
  approvedAtMs: 1,
  createdAtMs: 1,
  updatedAtMs: 1,
  lastReconcile: null,
  defect: null,
};
const pushed = { ok: true, outcome: 'unchanged', changed: false, message: 'Nothing to do.', status: 'ACTIVE' };
const storageDown = new Fault('storage_unavailable', { detail: 'Storage is down.', fix: 'Wait.' });
const audit: Audit = {
  record: async (_intent, _call, write) => (await write()).result,
  probe: () => Promise.resolve(),
};

let call: TestCall;
afterEach(() => call.end());

/** Over a store that answers the first look and fails as `later` does. */
function setter(status: PushMapping['status'], later: () => Promise<PushMapping | null>, removal: () => Promise<void>) {
  call = testCall();
  let looks = 0;
  const present = { ...mapping, status };
  return createMappingStatusSetter({
    pushMappings: {
      get: () => ((looks += 1) === 1 ? Promise.resolve(present) : later()),
      update: (_id: string, change: (mapping: PushMapping) => object | null) =>
        Promise.resolve({ ...present, ...change(present) }),
    } as never,
    pushPending: { removeAll: removal },
    pusher: { push: () => Promise.resolve(pushed as unknown as PushReply) },
    audit,
    clock: systemClock,
  });
}

const request = { isDryRun: false, planId: null, maxRemovals: null, allowEmpty: false };
const done = () => Promise.resolve();

describe('a status that was set', () => {
  test('is told though the mapping cannot be read again, or has just been deleted', async () => {
    const unread = await setter('INACTIVE', () => Promise.reject(storageDown), done).set(
      '00g1',
      { ...request, status: 'ACTIVE' },
      call,
    );
    expect(unread).toMatchObject({ ok: true, outcome: 'updated', changed: true, mapping: { status: 'ACTIVE' } });
    expect(call.warnings).toEqual([expect.stringContaining('could not be read again')]);
    const gone = await setter('INACTIVE', () => Promise.resolve(null), done).set(
      '00g1',
      { ...request, status: 'ACTIVE' },
      call,
    );
    expect(gone.mapping).toMatchObject({ status: 'ACTIVE' });
  });

  test('is told though what is pending stays behind', async () => {
    const stuck = setter(
      'ACTIVE',
      () => Promise.resolve(null),
      () => Promise.reject(storageDown),
    );
    const answer = await stuck.set('00g1', { ...request, status: 'INACTIVE' }, call);
    expect(answer).toMatchObject({
      outcome: 'updated',
      mapping: { status: 'INACTIVE', reason: { code: 'set_by_person' } },
    });
    expect(call.warnings).toEqual([expect.stringContaining('passed over')]);
  });

  test('hides no defect of ours', async () => {
    const defect = () => Promise.reject(new TypeError('ours'));
    const reading = setter('INACTIVE', defect, done);
    await expect(reading.set('00g1', { ...request, status: 'ACTIVE' }, call)).rejects.toThrow(TypeError);
    const removing = setter('ACTIVE', done as never, defect);
    await expect(removing.set('00g1', { ...request, status: 'INACTIVE' }, call)).rejects.toThrow(TypeError);
  });
});

describe('a group that was created and that Entra does not show', () => {
  test.each([
    ['pending', {}],
    ['created', null],
  ])('is not mapped yet: %s', async (outcome, group) => {
    call = testCall();
    const nothing = { outcome: 'planned', group: null, message: 'It would be created.' };
    const creation = { outcome, group, message: 'It was created.' };
    const targets = createMappingTargets({
      groups: {} as never,
      groupCreator: { create: (_request, isDryRun) => Promise.resolve((isDryRun ? nothing : creation) as never) },
      protection: { protectedGroups: [], managedGroups: null },
    });
    const wanted = { kind: 'security', displayName: 'Deck', owners: ['ada@contoso.com'] } as const;
    const seen = await targets.look({ type: 'new', group: wanted }, call);
    expect(seen).toMatchObject({ target: null, kind: 'security', label: 'Deck', planned: 'It would be created.' });
    const fault = await faultOf(seen.make(call));
    expect(fault).toMatchObject({ code: 'group_not_ready', message: expect.stringContaining('not mapped yet') });
  });
});

describe('a fault of a property', () => {
  test('points below it, and keeps all else', () => {
    const errors = [{ pointer: '/alias', message: 'is wrong', fix: 'Mend it.' }];
    const more = { upstream: 'exchange', retryAfterSeconds: 7, upstreamRequestId: 'u' } as const;
    const fault = new Fault('throttled', { detail: 'Not now.', fix: 'Wait.', errors, ...more });
    const moved = below('/create', fault) as Fault;
    expect(moved).toMatchObject({ code: 'throttled', message: 'Not now.', fix: 'Wait.', ...more });
    expect(moved.errors).toEqual([{ ...errors[0], pointer: '/create/alias' }]);
  });

  test('that points nowhere, or is none, stays as it is', () => {
    const error = new TypeError('ours');
    expect(below('/create', error)).toBe(error);
    expect(below('/create', storageDown)).toBe(storageDown);
  });
});

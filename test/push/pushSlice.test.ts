import { expect, test } from '@jest/globals';
import { startCall } from '../../shared/call.ts';
import { systemClock } from '../../shared/clock.ts';
import type { Operation } from '../../shared/operations/operation.ts';
import type { OperationChange } from '../../shared/operations/operationStore.ts';
import type { FullRunOptions } from '../../shared/push/reconcile/fullRun.ts';
import { createPushOperations, type PushOperationDependencies } from '../../shared/push/reconcile/pushOperation.ts';

const silent = { info: () => undefined, warn: () => undefined, error: () => undefined };
const change = { entraId: 'a', oktaUserId: '00u1', login: 'a', label: 'a', isOurs: false };

/** What the parts around a slice say: all is well until the slice writes. */
const around = {
  groups: {
    resolveForWrite: () =>
      Promise.resolve({ id: 'g', kind: 'distributionList', graph: {}, exchange: {}, addresses: [] }),
  },
  groupLock: {
    hold: async (_id: string, _applicant: object, call: object, work: (held: object) => Promise<void>) => {
      await work({ call, lost: new AbortController().signal });
    },
  },
  protection: { protectedGroups: [], managedGroups: null },
  pushMappings: { get: () => Promise.resolve({ status: 'INACTIVE', settings: {} }) },
  operations: {
    readPage: () =>
      Promise.resolve({ oktaGroupId: '00g1', request: { planId: 'approved', activates: true, repin: [] } }),
  },
  clock: systemClock,
};

test('the first slice of an approved plan notes it before it writes, so that a crash does not make it another plan', async () => {
  const saved: OperationChange[] = [];
  const operations = createPushOperations({
    ...around,
    surveyor: {
      full: () => Promise.resolve({ plan: { planId: 'approved', adds: [change], removes: [] }, group: {} }),
    },
    fullRunner: {
      pendingBefore: () => Promise.resolve([]),
      run: async (_survey: object, _pending: object, _held: object, { begin }: FullRunOptions) => {
        expect(saved).toEqual([]);
        await begin?.();
        expect(saved).toMatchObject([{ planId: 'approved', counts: { totalCount: 1 } }]);
        throw new Error('a crash');
      },
    },
  } as unknown as PushOperationDependencies);
  const operation = { planId: null, counts: {}, targetId: 'g', isDryRun: false } as unknown as Operation;
  const call = startCall({ requestId: 'r', action: 'test', log: silent }, systemClock);
  const save = (more: OperationChange) => {
    saved.push(more);
    return Promise.resolve(operation);
  };
  const slice = operations.hold(operation, call, async (held) => {
    await held.next(operation, save);
  });
  await expect(slice).rejects.toThrow('a crash');
  call.end();
});

import { expect, test } from '@jest/globals';
import { startCall } from '../../shared/call.ts';
import { systemClock } from '../../shared/clock.ts';
import {
  createReconcileWorker,
  type ReconcileWorkerDependencies,
} from '../../shared/push/reconcile/reconcileWorker.ts';

test('a reconcile that breaks leaves its requestId at the mapping, for whoever reads why it was given up', async () => {
  const silent = { info: () => undefined, warn: () => undefined, error: () => undefined };
  const noted: string[][] = [];
  const worker = createReconcileWorker({
    pushMappings: { get: () => Promise.resolve({ oktaGroupId: '00g1', targetId: 'g', status: 'ERROR' }) },
    groupLock: { hold: () => Promise.reject(new TypeError('a defect')) },
    mappingHealth: {
      broken: (oktaGroupId: string, requestId: string) => {
        noted.push([oktaGroupId, requestId]);
        // That it cannot be noted must not hide the defect.
        return Promise.reject(new Error('no storage'));
      },
    },
    clock: systemClock,
  } as unknown as ReconcileWorkerDependencies);
  const call = startCall({ requestId: 'request-1', action: 'test', log: silent }, systemClock);
  await expect(worker.run({ oktaGroupId: '00g1' }, call)).rejects.toThrow('a defect');
  expect(noted).toEqual([['00g1', 'request-1']]);
  call.end();
});

import { expect, test } from '@jest/globals';
import { startCall } from '../../shared/call.ts';
import { systemClock } from '../../shared/clock.ts';
import type { PushMapping } from '../../shared/push/mapping.ts';
import { createMappingHealth } from '../../shared/push/reconcile/mappingHealth.ts';
import {
  createReconcileWorker,
  type ReconcileWorkerDependencies,
} from '../../shared/push/reconcile/reconcileWorker.ts';

const mapping = { oktaGroupId: '00g1', targetId: 'g', status: 'ERROR' } as PushMapping;

test('a reconcile that breaks leaves its requestId at the mapping, for whoever reads why it was given up', async () => {
  const warned: object[] = [];
  const log = { info: () => undefined, warn: (fields: object) => void warned.push(fields), error: () => undefined };
  const noted: unknown[] = [];
  const pushMappings = {
    get: () => Promise.resolve(mapping),
    update: (oktaGroupId: string, change: (found: PushMapping) => object | null) => {
      noted.push([oktaGroupId, change(mapping)]);
      // That it cannot be noted must not hide the defect.
      return Promise.reject(new Error('no storage'));
    },
  } as unknown as ReconcileWorkerDependencies['pushMappings'];
  const worker = createReconcileWorker({
    pushMappings,
    groupLock: { hold: () => Promise.reject(new TypeError('a defect')) },
    mappingHealth: createMappingHealth({ pushMappings, clock: systemClock }),
    clock: systemClock,
  } as unknown as ReconcileWorkerDependencies);
  const call = startCall({ requestId: 'request-1', action: 'test', log }, systemClock);
  await expect(worker.run({ oktaGroupId: '00g1' }, call)).rejects.toThrow('a defect');
  expect(noted).toEqual([['00g1', { defect: 'request-1' }]]);
  expect(warned).toMatchObject([{ event: 'defect_not_stored', requestId: 'request-1', oktaGroupId: '00g1' }]);
  call.end();
});

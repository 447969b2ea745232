import type { Config } from '../config.ts';
import { createBatchOperations } from '../identity/batch/batchOperation.ts';
import { createBatchPages } from '../identity/batch/batchPages.ts';
import { createBatchPlanSlice } from '../identity/batch/batchPlanSlice.ts';
import { createBatchRepairer } from '../identity/batch/batchRepairer.ts';
import { createBatchStarter } from '../identity/batch/repairImmutableIds.ts';
import type { FeatureLock } from '../identity/oktaAssignment/featureLock.ts';
import type { RepairEngine } from '../identity/repair/engine.ts';
import type { Ground } from './ground.ts';

/** Repairs of lists of users. */
export function openBatchRoom(
  { tenantId }: Config,
  ground: Ground,
  parts: { readonly repairEngine: RepairEngine; readonly featureLock: FeatureLock | null },
) {
  const batchPages = createBatchPages(ground.operations);
  const batchOperations = createBatchOperations({
    ...ground,
    ...parts,
    batchPages,
    planSlice: createBatchPlanSlice({ ...parts, batchPages }),
    batchRepairer: createBatchRepairer({ ...ground, ...parts }),
  });
  return { batchOperations, batchStarter: createBatchStarter({ ...ground, ...parts, batchOperations }, tenantId) };
}

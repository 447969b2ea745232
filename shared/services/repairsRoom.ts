import type { Config } from '../config.ts';
import { createGraphIdentityReads } from '../graph/identityReads.ts';
import { createGraphUserWrites } from '../graph/userWrites.ts';
import type { ImmutableIdReader } from '../identity/readImmutableId.ts';
import type { RepairSide } from '../identity/repair/repair.ts';
import { createRepairEngine } from '../identity/repair/repairEngine.ts';
import { createImmutableIdRepairer } from '../identity/repair/repairImmutableId.ts';
import { createRepairOperations } from '../identity/repair/repairOperation.ts';
import { createRepairStore } from '../identity/repair/repairStore.ts';
import { createRepairWorker } from '../identity/repair/repairWorker.ts';
import { createUserDriver } from '../identity/repair/userDriver.ts';
import { createUserLock } from '../identity/repair/userLock.ts';
import { createLeases } from '../store/leases.ts';
import type { Ground } from './ground.ts';

/** What brings a user's immutable ID to what it should be, and keeps at it. */
export function openRepairsRoom(
  { operationRetentionDays }: Config,
  ground: Ground,
  parts: { readonly immutableIdReader: ImmutableIdReader; readonly oktaSideOfRepair: RepairSide | null },
) {
  const { graph, blobs, clock } = ground;
  const identityReads = createGraphIdentityReads(graph);
  const repairs = createRepairStore(ground);
  const repairEngine = createRepairEngine({
    ...ground,
    ...parts,
    identityReads,
    repairs,
    userLock: createUserLock({ ...ground, leases: createLeases(blobs, clock) }),
    userDriver: createUserDriver({ ...ground, identityReads, graphUserWrites: createGraphUserWrites(graph) }),
  });
  return {
    repairEngine,
    immutableIdRepairer: createImmutableIdRepairer({ ...ground, repairEngine }),
    repairOperations: createRepairOperations({ repairEngine }),
    repairWorker: createRepairWorker({ ...ground, repairEngine, repairs }, operationRetentionDays),
  };
}

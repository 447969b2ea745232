import type { Call } from '../../call.ts';
import { isFault } from '../../errors.ts';
import { isEnded, type Operation } from '../../operations/operation.ts';
import type { Revival } from '../../operations/sweeper.ts';
import type { Repair } from '../repair/repair.ts';
import type { FeatureHolder } from './featureHold.ts';
import type { FeatureLock } from './featureLock.ts';

export interface FeatureKeeperDependencies {
  readonly featureLock: FeatureLock;
  readonly repairs: { last(userId: string, call: Call): Promise<Repair | null> };
  readonly operations: { get(operationId: string, call: Call): Promise<Operation | null> };
}

/** Of the sweep: lets go for whoever ended without doing so, and mends what has landed late. */
export function createFeatureKeeper(dependencies: FeatureKeeperDependencies): Revival {
  const { featureLock, repairs, operations } = dependencies;

  async function isOver({ id, type, owner }: FeatureHolder, call: Call): Promise<boolean> {
    if (type === 'repair') {
      const repair = await repairs.last(owner, call);
      return repair?.repairId !== id || repair.phase === 'ended';
    }
    const operation = await operations.get(owner, call);
    return operation === null || isEnded(operation);
  }

  async function keep(appId: string, call: Call): Promise<boolean> {
    const { holders, watchUntilMs } = await featureLock.notes(appId, call);
    const over: FeatureHolder[] = [];
    for (const holder of holders) if (await isOver(holder, call)) over.push(holder);
    for (const { id } of over) await featureLock.letGo(appId, id, call);
    const isMended = watchUntilMs !== null && (await featureLock.watch(appId, call));
    return isMended || over.length > 0;
  }

  return {
    name: '"Deactivate Users" of Okta',
    revive: async (call) => {
      let count = 0;
      for (const appId of await featureLock.appIds(call)) {
        try {
          if (await keep(appId, call)) count += 1;
        } catch (error) {
          if (!isFault(error)) throw error;
          const { code, message } = error;
          call.log.error({ event: 'okta_feature_not_kept', requestId: call.requestId, appId, code, message });
        }
      }
      return count;
    },
  };
}

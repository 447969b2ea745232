import type { Audit } from '../../audit/audit.ts';
import type { Call } from '../../call.ts';
import { groupBusy, type GroupLock } from '../../groups/groupLock.ts';
import type { PushMapping } from '../mapping.ts';
import type { PushMappingStore } from '../store/mappingStore.ts';
import type { PushMemberStore } from '../store/memberStore.ts';
import type { PushPending } from '../store/pendingStore.ts';
import { noSuchMapping, stillActive } from './mappingFaults.ts';

export const mappingDeletionOutcomes = ['deleted', 'planned'] as const;
export type MappingDeletionOutcome = (typeof mappingDeletionOutcomes)[number];

export interface MappingDeletion {
  readonly outcome: MappingDeletionOutcome;
  readonly message: string;
  readonly mapping: PushMapping;
  /** Members that the mapping has added, all of whom stay. */
  readonly managedCount: number;
}

export interface MappingDeleter {
  /**
   * Forgets an INACTIVE mapping and all it knows; no member is touched. The mapping goes last: what fails half-way is
   * gone on with by a repeat, and a mapping made anew never finds the managed set of the one before.
   * @throws Fault `push_mapping_not_found`, `push_mapping_active`, `group_busy`
   */
  delete(oktaGroupId: string, isDryRun: boolean, call: Call): Promise<MappingDeletion>;
}

export interface MappingDeleterDependencies {
  readonly pushMappings: PushMappingStore;
  readonly pushMembers: PushMemberStore;
  readonly pushPending: Pick<PushPending, 'removeAll'>;
  readonly groupLock: GroupLock;
  readonly audit: Audit;
}

/** For a worker that has just begun. */
const patienceMs = 5_000;

export function createMappingDeleter(dependencies: MappingDeleterDependencies): MappingDeleter {
  const { pushMappings, pushMembers, pushPending, groupLock, audit } = dependencies;

  async function find(oktaGroupId: string, call: Call): Promise<PushMapping> {
    const mapping = await pushMappings.get(oktaGroupId, call);
    if (mapping === null) throw noSuchMapping(oktaGroupId);
    if (mapping.status !== 'INACTIVE') throw stillActive(mapping);
    return mapping;
  }

  async function countManaged(oktaGroupId: string, call: Call): Promise<number> {
    const { managed } = await pushMembers.readAll(oktaGroupId, call);
    return [...managed.values()].filter(({ state }) => state !== 'removed').length;
  }

  function removeAudited(mapping: PushMapping, managedCount: number, call: Call): Promise<void> {
    const { oktaGroupId, oktaGroupName, targetId, targetName, settings } = mapping;
    const intent = {
      operation: 'DELETE push-mappings/{oktaGroupId}',
      targetType: 'group' as const,
      targetId,
      targetName,
      before: { oktaGroupId, oktaGroupName, managedCount, ...settings },
      planned: 'deleted',
    };
    return audit.record(intent, call, async () => {
      await pushPending.removeAll(oktaGroupId, call);
      await pushMembers.removeAll(oktaGroupId, call);
      await pushMappings.remove(mapping, call);
      return { result: undefined, after: null, upstreamRequestId: null };
    });
  }

  return {
    delete: async (oktaGroupId, isDryRun, call) => {
      const found = await find(oktaGroupId, call);
      if (isDryRun) {
        const managedCount = await countManaged(oktaGroupId, call);
        const message = `The push mapping of ${found.targetName} would be deleted; its members would stay.`;
        return { outcome: 'planned', message, mapping: found, managedCount };
      }
      // A worker that was at it when the mapping became INACTIVE would write what is removed here.
      const hold = await groupLock.hold(found.targetId, { waitMs: patienceMs }, call, async (held) => {
        const mapping = await find(oktaGroupId, held.call);
        const managedCount = await countManaged(oktaGroupId, held.call);
        await removeAudited(mapping, managedCount, held.call);
        const message = `The push mapping of ${mapping.targetName} was deleted; no member was touched, and the ${managedCount} that it had added stay.`;
        return { outcome: 'deleted' as const, message, mapping, managedCount };
      });
      if (hold.type === 'running') throw groupBusy(hold.operation);
      return hold.result;
    },
  };
}

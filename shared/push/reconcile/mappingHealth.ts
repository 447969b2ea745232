import type { Call } from '../../call.ts';
import type { Clock } from '../../clock.ts';
import { type Fault, toFault } from '../../errors.ts';
import type { PushMapping, ReconcileSummary } from '../mapping.ts';
import type { PushMappingStore } from '../store/mappingStore.ts';

/** How a mapping stands after what its workers have found. What people have set INACTIVE stays so. All throw storage faults. */
export interface MappingHealth {
  /** ERROR, with the cause; logged for an alert. */
  failed(oktaGroupId: string, fault: Pick<Fault, 'code' | 'message' | 'fix'>, call: Call): Promise<void>;
  /** A full reconcile has come to its end: when it is clean, an ERROR is over. */
  reconciled(oktaGroupId: string, summary: ReconcileSummary, call: Call): Promise<PushMapping | null>;
  /** The Okta group is gone: no member is touched. */
  groupDeleted(oktaGroupId: string, call: Call): Promise<void>;
  /** What the groups are called now. */
  named(oktaGroupId: string, names: Pick<PushMapping, 'oktaGroupName' | 'targetName'>, call: Call): Promise<void>;
  /** A worker broke by a defect of ours, in this call. Never throws: the defect itself is what must be told. */
  broken(oktaGroupId: string, call: Call): Promise<void>;
}

export function createMappingHealth(dependencies: { pushMappings: PushMappingStore; clock: Clock }): MappingHealth {
  const { pushMappings, clock } = dependencies;
  return {
    failed: async (oktaGroupId, { code, message, fix }, call) => {
      const found = await pushMappings.update(
        oktaGroupId,
        ({ status, reason }) => {
          if (status === 'INACTIVE') return null;
          // Since when it is so is told for as long as it is the same.
          const isSame = status === 'ERROR' && reason?.code === code && reason.message === message;
          return isSame ? null : { status: 'ERROR', reason: { code, message, fix, atMs: clock.now() } };
        },
        call,
      );
      if (found?.status !== 'ERROR') return;
      call.log.error({ event: 'push_mapping_error', requestId: call.requestId, oktaGroupId, code, message });
    },

    reconciled: (oktaGroupId, summary, call) =>
      pushMappings.update(
        oktaGroupId,
        ({ status }) => ({
          lastReconcile: summary,
          ...(status === 'ERROR' && summary.isClean ? { status: 'ACTIVE', reason: null, defect: null } : {}),
        }),
        call,
      ),

    groupDeleted: async (oktaGroupId, call) => {
      const reason = {
        code: 'okta_group_deleted' as const,
        message: 'The Okta group was deleted; the members of the target stay as they are.',
        fix: 'Delete the mapping; then the target is free for another Okta group.',
        atMs: clock.now(),
      };
      await pushMappings.update(
        oktaGroupId,
        ({ status }) => (status === 'INACTIVE' ? null : { status: 'INACTIVE', reason }),
        call,
      );
      call.log.warn({ event: 'okta_group_deleted', requestId: call.requestId, oktaGroupId });
    },

    named: async (oktaGroupId, names, call) => {
      await pushMappings.update(
        oktaGroupId,
        ({ oktaGroupName, targetName }) =>
          oktaGroupName === names.oktaGroupName && targetName === names.targetName ? null : names,
        call,
      );
    },

    broken: async (oktaGroupId, call) => {
      const { requestId } = call;
      try {
        await pushMappings.update(oktaGroupId, () => ({ defect: requestId }), call);
      } catch (error) {
        call.log.warn({ event: 'defect_not_stored', requestId, oktaGroupId, code: toFault(error).code });
      }
    },
  };
}

import type { Audit, Intent } from '../../audit/audit.ts';
import type { Call } from '../../call.ts';
import type { Clock } from '../../clock.ts';
import { isFault } from '../../errors.ts';
import type { MappingReason, MappingStatus, PushMapping } from '../mapping.ts';
import type { Pusher } from '../pusher.ts';
import type { PushOutcome, PushReply, PushRequest } from '../pushReply.ts';
import type { PushMappingStore } from '../store/mappingStore.ts';
import type { PushPending } from '../store/pendingStore.ts';
import { dropPending } from './dropPending.ts';
import { noSuchMapping } from './mappingFaults.ts';

/** ERROR is set by what goes wrong, never by people. */
export const settableStatuses = ['ACTIVE', 'INACTIVE'] as const satisfies readonly MappingStatus[];
export type SettableStatus = (typeof settableStatuses)[number];

/** How the first push shall go: see PushRequest. */
export type StatusRequest = Pick<PushRequest, 'isDryRun' | 'planId' | 'maxRemovals' | 'allowEmpty'> & {
  readonly status: SettableStatus;
};

export interface StatusChange {
  readonly ok: boolean;
  readonly outcome: PushOutcome;
  readonly changed: boolean;
  readonly message: string;
  readonly mapping: PushMapping;
  /** What came of the push that activates; null where there was none. */
  readonly push: PushReply | null;
}

export interface MappingStatusSetter {
  /**
   * ACTIVE is a push that must find the plan that was approved; INACTIVE is at once, and touches no member.
   * @throws Fault `push_mapping_not_found`, and of a push (see Pusher)
   */
  set(oktaGroupId: string, request: StatusRequest, call: Call): Promise<StatusChange>;
}

export interface MappingStatusSetterDependencies {
  readonly pushMappings: PushMappingStore;
  readonly pushPending: Pick<PushPending, 'removeAll'>;
  readonly pusher: Pusher;
  readonly audit: Audit;
  readonly clock: Clock;
}

export function createMappingStatusSetter(dependencies: MappingStatusSetterDependencies): MappingStatusSetter {
  const { pushMappings, pushPending, pusher, audit, clock } = dependencies;

  async function activate(mapping: PushMapping, request: StatusRequest, call: Call): Promise<StatusChange> {
    const { isDryRun, planId, maxRemovals, allowEmpty } = request;
    const push = () =>
      pusher.push(mapping, { isDryRun, planId, maxRemovals, allowEmpty, repin: [], activates: true }, call);
    if (isDryRun) {
      const reply = await push();
      const message = `The push mapping of ${mapping.targetName} would become ACTIVE. ${reply.message}`;
      return { ok: true, outcome: 'planned', changed: false, message, mapping, push: reply };
    }
    const reply = await audit.record(intentOf(mapping, { status: 'ACTIVE', planId }), call, async () => {
      const result = await push();
      return { result, after: { status: result.status }, upstreamRequestId: null };
    });
    const isOther = reply.status !== mapping.status;
    return {
      ok: reply.ok,
      outcome: isOther && reply.outcome === 'unchanged' ? 'updated' : reply.outcome,
      changed: isOther || reply.changed,
      message: `The push mapping of ${mapping.targetName} is ${reply.status}. ${reply.message}`,
      mapping: await readAgain({ ...mapping, status: reply.status }, call),
      push: reply,
    };
  }

  /** As it is stored now; what cannot be read must not hide what was done. */
  async function readAgain(mapping: PushMapping, call: Call): Promise<PushMapping> {
    try {
      return (await pushMappings.get(mapping.oktaGroupId, call.proving())) ?? mapping;
    } catch (error) {
      if (!isFault(error)) throw error;
      call.warn(`The mapping could not be read again: ${error.message}`);
      return mapping;
    }
  }

  async function deactivate(mapping: PushMapping, isDryRun: boolean, call: Call): Promise<StatusChange> {
    const { oktaGroupId, targetName } = mapping;
    const keeps = 'its members stay as they are, and follow the Okta group no longer.';
    if (isDryRun) {
      const message = `The push mapping of ${targetName} would become INACTIVE: ${keeps}`;
      return { ok: true, outcome: 'planned', changed: false, message, mapping, push: null };
    }
    const after = await audit.record(intentOf(mapping, { status: 'INACTIVE' }), call, async () => {
      const reason = setByPerson(clock.now());
      const result = await pushMappings.update(
        oktaGroupId,
        ({ status }) => (status === 'INACTIVE' ? null : { status: 'INACTIVE', reason }),
        call,
      );
      return { result, after: { status: result?.status ?? null }, upstreamRequestId: null };
    });
    if (after === null) throw noSuchMapping(oktaGroupId);
    await dropPending(pushPending, oktaGroupId, call);
    const message = `The push mapping of ${targetName} is INACTIVE: ${keeps}`;
    return { ok: true, outcome: 'updated', changed: true, message, mapping: after, push: null };
  }

  return {
    set: async (oktaGroupId, request, call) => {
      const mapping = await pushMappings.get(oktaGroupId, call);
      if (mapping === null) throw noSuchMapping(oktaGroupId);
      const { status, isDryRun } = request;
      if (mapping.status === status) return alreadySo(mapping);
      if (status === 'INACTIVE') return deactivate(mapping, isDryRun, call);
      try {
        return await activate(mapping, request, call);
      } catch (error) {
        if (isDryRun || !isFault(error, 'plan_changed')) throw error;
        // The same request may have been faster: its plan is carried out then, and another one is left.
        const now = await pushMappings.get(oktaGroupId, call.proving());
        if (now?.status !== 'ACTIVE') throw error;
        return alreadySo(now);
      }
    },
  };
}

function alreadySo(mapping: PushMapping): StatusChange {
  const message = `The push mapping of ${mapping.targetName} is ${mapping.status} already.`;
  return { ok: true, outcome: 'unchanged', changed: false, message, mapping, push: null };
}

function setByPerson(nowMs: number): MappingReason {
  return {
    code: 'set_by_person',
    message: 'Somebody has set the mapping INACTIVE.',
    fix: 'PUT push-mappings/{oktaGroupId}/status with "status": "ACTIVE" makes the members what the Okta group says, and goes on from there.',
    atMs: nowMs,
  };
}

function intentOf({ oktaGroupId, targetId, targetName, status }: PushMapping, planned: object): Intent {
  return {
    operation: 'PUT push-mappings/{oktaGroupId}/status',
    targetType: 'group',
    targetId,
    targetName,
    before: { oktaGroupId, status },
    planned: { oktaGroupId, ...planned },
  };
}

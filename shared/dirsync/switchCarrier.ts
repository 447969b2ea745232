import type { Audit } from '../audit/audit.ts';
import type { Call } from '../call.ts';
import type { Clock } from '../clock.ts';
import { isFault } from '../errors.ts';
import { isGraphFault } from '../graph/errors.ts';
import type { GraphSynchronization, Organization } from '../graph/synchronization.ts';
import { ensureState, type StateWrite } from '../groups/ensureState.ts';
import { switchByHand } from './byHand.ts';
import { bypassFeature, isBypassOn } from './features.ts';
import type { Refusals } from './refusals.ts';
import { confirmationOf, type SwitchPlan } from './switchPlan.ts';
import type { SwitchRecord } from './switchRecord.ts';
import type { SwitchRecords } from './switchRecords.ts';

/** The switch as it was found. */
export interface FoundSwitch {
  /** The tenant's where Graph does not show one: it is the same (graph.md §3). */
  readonly id: string;
  /** null: Microsoft does not show it. */
  readonly isOn: boolean | null;
}

export interface SwitchCarrier {
  find(organization: Organization, call: Call): Promise<FoundSwitch>;
  /**
   * Carries a plan out, under a record of what was before; the record as it is in the end.
   * @throws Fault `graph_permission_missing`, `dirsync_app_refused`, `outcome_unknown`, storage faults, upstream faults
   */
  carryOut(plan: SwitchPlan, found: FoundSwitch, call: Call): Promise<SwitchRecord>;
  /** Stores what is known of a switch now; that it cannot be stored is a warning. */
  note(record: SwitchRecord, call: Call): Promise<void>;
}

export function createSwitchCarrier(dependencies: {
  synchronization: GraphSynchronization;
  switchRecords: SwitchRecords;
  refusals: Refusals;
  audit: Audit;
  clock: Clock;
  graphBaseUrl: string;
}): SwitchCarrier {
  const { synchronization, switchRecords, refusals, audit, clock, graphBaseUrl } = dependencies;

  async function find(organization: Organization, call: Call): Promise<FoundSwitch> {
    try {
      const { id, features } = await synchronization.read(call);
      return { id: id === '' ? organization.id : id, isOn: isBypassOn(features) };
    } catch (error) {
      // Whether the app may switch nevertheless is for Microsoft to say.
      if (isGraphFault(error, 'forbidden')) return { id: organization.id, isOn: null };
      throw error;
    }
  }

  function writeOf(
    { organization, enabled, draft }: SwitchPlan,
    { id }: FoundSwitch,
    onLostAnswer: () => void,
  ): StateWrite<FoundSwitch, boolean> {
    const { switchId, phoneCount } = draft;
    return {
      operation: 'PATCH /directory/onPremisesSynchronization/{id}',
      targetType: 'tenant',
      targetId: organization.id,
      targetName: confirmationOf(organization),
      missing: ({ isOn }) => (isOn === enabled ? null : enabled),
      send: async (wanted, call) => {
        try {
          return await synchronization.setFeature(id, bypassFeature, wanted, call);
        } catch (error) {
          if (isFault(error, 'outcome_unknown')) onLostAnswer();
          throw error;
        }
      },
      read: (call) => find(organization, call),
      describe: ({ isOn }) => ({ [bypassFeature]: isOn, switchId, phoneCount }),
    };
  }

  /**
   * What is kept of a switch that failed: all where it may have been carried out, or a person may do it. What a second
   * try met with does not tell what became of a first one whose answer was lost.
   */
  async function settle(record: SwitchRecord, error: unknown, isAnswerLost: boolean, call: Call): Promise<void> {
    if (isAnswerLost) return;
    if (isGraphFault(error, 'forbidden')) return note({ ...record, state: 'refused' }, call);
    await quietly(call, () => switchRecords.withdraw(record.switchId, call));
  }

  function note(record: SwitchRecord, call: Call): Promise<void> {
    return quietly(call, () => switchRecords.store(record, call));
  }

  return {
    find,
    note,

    carryOut: async (plan, found, call) => {
      const record = recordOf(plan, call, clock.now());
      // Without the way back nothing is switched.
      await switchRecords.store(record, call);
      const proving = call.proving();
      let isAnswerLost = false;
      const write = writeOf(plan, found, () => {
        isAnswerLost = true;
      });
      try {
        await ensureState(write, found, audit, call);
      } catch (error) {
        await settle(record, error, isAnswerLost, proving);
        const tenant = { tenantId: plan.organization.id, graphBaseUrl };
        const byHand = switchByHand(tenant, plan.enabled, record.switchId);
        throw await refusals.told(error, 'switch', byHand, proving);
      }
      const switched = { ...record, state: 'switched' as const };
      await note(switched, proving);
      if (plan.enabled) await quietly(proving, () => switchRecords.removeDraft(proving));
      return switched;
    },
  };
}

/** What is noted afterwards must not hide what was done. */
async function quietly(call: Call, work: () => Promise<void>): Promise<void> {
  await work().catch((error: unknown) => {
    if (!isFault(error)) throw error;
    call.warn(`What became of the switch could not be noted. ${error.message}`);
  });
}

function recordOf({ former, enabled, draft }: SwitchPlan, { requestId }: Call, nowMs: number): SwitchRecord {
  const { switchId, syncedUserCount, phoneCount, pages } = draft;
  const counts = { syncedUserCount, phoneCount, pages };
  const at = new Date(nowMs).toISOString();
  return { version: 1, switchId, at, requestId, former, enabled, state: 'open', ...counts, restoredAt: null };
}

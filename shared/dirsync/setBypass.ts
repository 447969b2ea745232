import { type Call, limitedTo } from '../call.ts';
import type { Clock } from '../clock.ts';
import { isFault } from '../errors.ts';
import type { GraphSynchronization, Organization } from '../graph/synchronization.ts';
import type { OktaPhones } from './oktaPhones.ts';
import type { PhoneTaker } from './phoneTaker.ts';
import { type Candidate, rowOf, type UserRow } from './standing.ts';
import type { SwitchCarrier } from './switchCarrier.ts';
import type { SwitchLock } from './switchLock.ts';
import { refuseOtherPlan, refuseUnconfirmed, type SwitchPlan, switchPlanIdOf, warnOfLoss } from './switchPlan.ts';
import { newPhoneDraft, type RememberedUser } from './switchRecord.ts';
import type { SwitchRecords } from './switchRecords.ts';
import { formerUnknownText, lossText, outOfTime, plannedText, switchedText, unchangedText } from './switchTexts.ts';

export const switchOutcomes = ['switched', 'unchanged', 'planned'] as const;
export type SwitchOutcome = (typeof switchOutcomes)[number];

export interface SwitchRequest {
  /** The tenant's initial domain; null: a dry run need not say it. */
  readonly confirm: string | null;
  /** null: whatever plan comes out. */
  readonly planId: string | null;
  /** With whose phones the dry run compares; null: found for each user. */
  readonly oktaAppId: string | null;
  readonly isDryRun: boolean;
}

export interface SwitchReply {
  readonly outcome: SwitchOutcome;
  readonly changed: boolean;
  readonly message: string;
  readonly organization: Organization;
  readonly enabled: boolean;
  /** null: Microsoft did not show it. */
  readonly former: boolean | null;
  /** Under which the users are remembered; null: they are not. */
  readonly switchId: string | null;
  /** null: nothing is to be done. */
  readonly planId: string | null;
  readonly syncedUserCount: number;
  readonly phoneCount: number;
  /** Of a dry run: the first whose phones may be overwritten. */
  readonly users: readonly UserRow[];
}

export interface BypassSwitcher {
  /**
   * Switches bypassDirSyncOverridesEnabled for the whole tenant, after all users from on-premises were remembered with
   * their phones. Safe to repeat at any point.
   * @throws Fault `confirm_mismatch`, `plan_changed`, `switch_busy`, `graph_permission_missing`, `dirsync_app_refused`,
   *   `deadline_exceeded`, storage faults, upstream faults
   */
  set(enabled: boolean, request: SwitchRequest, call: Call): Promise<SwitchReply>;
  /**
   * Back to what was before a switch. Phones that were overwritten do not come back by that.
   * @throws Fault `switch_not_found`, and as `set`
   */
  restore(switchId: string, request: SwitchRequest, call: Call): Promise<SwitchReply>;
}

/** A write that could not be answered before the deadline is not begun. */
const minSwitchMs = 1_500;
/** Beyond this a dry run does without Okta. */
const comparingMs = 8_000;

export function createBypassSwitcher(dependencies: {
  synchronization: Pick<GraphSynchronization, 'organization'>;
  phoneTaker: PhoneTaker;
  switchRecords: SwitchRecords;
  switchCarrier: SwitchCarrier;
  switchLock: SwitchLock;
  oktaPhones: OktaPhones;
  clock: Clock;
}): BypassSwitcher {
  const { synchronization, phoneTaker, switchRecords, switchCarrier, switchLock, oktaPhones, clock } = dependencies;

  /** Somebody may have done by hand what was refused, and a lost answer is proven by what is there now. */
  async function unchanged(organization: Organization, enabled: boolean, isDryRun: boolean, call: Call) {
    const latest = await switchRecords.latest(call);
    // After a restore it was somebody else who switched, and other phones may have been there.
    const known = latest?.enabled === enabled && latest.restoredAt === null ? latest : null;
    if (known !== null && known.state !== 'switched' && !isDryRun) {
      await switchCarrier.note({ ...known, state: 'switched' }, call);
    }
    const { switchId = null, syncedUserCount = 0, phoneCount = 0 } = known ?? {};
    const counts = { syncedUserCount, phoneCount };
    const message = unchangedText(enabled, known);
    const same = { organization, enabled, former: enabled, planId: null, users: [] };
    return { outcome: 'unchanged' as const, changed: false, message, ...same, switchId, ...counts };
  }

  async function planned(plan: SwitchPlan, oktaAppId: string | null, call: Call): Promise<SwitchReply> {
    warnOfLoss(plan, call);
    const users = await compared(plan.draft.listed.map(asFound), oktaAppId, call);
    const message = plannedText(plan);
    return { outcome: 'planned', changed: false, message, ...shownOf(plan), switchId: null, users };
  }

  /** A dry run tells what it can: without Okta it says less. */
  async function compared(candidates: readonly Candidate[], oktaAppId: string | null, call: Call): Promise<UserRow[]> {
    const limited = limitedTo(call, comparingMs, clock);
    try {
      return await oktaPhones.compare(candidates, oktaAppId, limited);
    } catch (error) {
      if (!isFault(error)) throw error;
      call.warn(`The phones could not be compared with Okta's. ${error.message}`);
      return candidates.map((candidate) => rowOf(candidate, { type: 'notCompared' }));
    } finally {
      limited.end();
    }
  }

  async function switchTo(enabled: boolean, request: SwitchRequest, call: Call): Promise<SwitchReply> {
    const { confirm, planId, oktaAppId, isDryRun } = request;
    const organization = await synchronization.organization(call);
    if (!isDryRun || confirm !== null) refuseUnconfirmed(organization, confirm);
    const found = await switchCarrier.find(organization, call);
    if (found.isOn === enabled) return unchanged(organization, enabled, isDryRun, call);
    const draft = enabled ? await phoneTaker.take(call) : newPhoneDraft(clock.now());
    const plan = { organization, enabled, former: found.isOn, draft };
    refuseOtherPlan(plan, planId);
    if (isDryRun) return planned(plan, oktaAppId, call);
    if (call.deadline.remainingMs() < minSwitchMs) throw outOfTime(draft.syncedUserCount);
    const record = await switchCarrier.carryOut(plan, found, call);
    warnOfLoss(plan, call);
    const { switchId } = record;
    return { outcome: 'switched', changed: true, message: switchedText(record), ...shownOf(plan), switchId, users: [] };
  }

  /** What was noted of the switch since stays. */
  async function noteRestored(switchId: string, call: Call): Promise<void> {
    const record = await switchRecords.get(switchId, call);
    const restoredAt = record.restoredAt ?? new Date(clock.now()).toISOString();
    await switchCarrier.note({ ...record, restoredAt }, call);
  }

  return {
    set: (enabled, request, call) => switchLock.hold(call, (heldCall) => switchTo(enabled, request, heldCall)),

    restore: (switchId, request, call) =>
      switchLock.hold(call, async (heldCall) => {
        const record = await switchRecords.get(switchId, heldCall);
        if (record.former === null) heldCall.warn(formerUnknownText);
        const reply = await switchTo(record.former ?? !record.enabled, request, heldCall);
        if (!request.isDryRun) await noteRestored(switchId, heldCall.proving());
        const message = [reply.message, lossText(record)].filter((text) => text !== null).join(' ');
        return { ...reply, message };
      }),
  };
}

function shownOf(plan: SwitchPlan) {
  const { organization, enabled, former, draft } = plan;
  const { syncedUserCount, phoneCount } = draft;
  return { organization, enabled, former, planId: switchPlanIdOf(plan), syncedUserCount, phoneCount };
}

function asFound(user: RememberedUser): Candidate {
  return { ...user, former: undefined, now: { ...user, isSynced: true } };
}

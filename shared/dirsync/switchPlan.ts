import { createHash } from 'node:crypto';
import type { Call } from '../call.ts';
import { Fault } from '../errors.ts';
import type { Organization } from '../graph/synchronization.ts';
import type { PhoneDraft } from './switchRecord.ts';

/** What is to become of bypassDirSyncOverridesEnabled. All pure. */
export interface SwitchPlan {
  readonly organization: Organization;
  /** null: Microsoft did not show it. */
  readonly former: boolean | null;
  readonly enabled: boolean;
  /** Of the users whose phones give way; empty where none does. */
  readonly draft: PhoneDraft;
}

/** The same whenever the same switch would overwrite the same phones. */
export function switchPlanIdOf({ organization, former, enabled, draft }: SwitchPlan): string {
  const plan = JSON.stringify([organization.id, former, enabled, draft.digest]);
  return createHash('sha256').update(plan).digest('hex').slice(0, 32);
}

/** By what a request says that it means this tenant. */
export function confirmationOf({ initialDomain, id }: Organization): string {
  return initialDomain ?? id;
}

/** @throws Fault `confirm_mismatch` */
export function refuseUnconfirmed(organization: Organization, confirm: string | null): void {
  const wanted = confirmationOf(organization);
  if (confirm?.trim().toLowerCase() === wanted.toLowerCase()) return;
  throw new Fault('confirm_mismatch', {
    detail: `${confirm === null ? 'confirm is missing' : "confirm is not the tenant's initial domain"}; nothing was written.`,
    fix: `Repeat with "confirm": "${wanted}" if ${organization.displayName ?? organization.id} is the tenant you mean: the switch is for all of it.`,
  });
}

/** @throws Fault `plan_changed` */
export function refuseOtherPlan(plan: SwitchPlan, planId: string | null): void {
  if (planId === null || planId === switchPlanIdOf(plan)) return;
  throw new Fault('plan_changed', {
    detail: `The plan is no longer ${planId}: now ${plan.draft.phoneCount} users have a phone in the cloud. Nothing was written.`,
    fix: 'Ask for a new plan with "dryRun": true, look at it, and repeat the request with its planId.',
  });
}

/** What everybody must know before, and whoever has done it. */
export function warnOfLoss({ organization, enabled, draft, former }: SwitchPlan, call: Pick<Call, 'warn'>): void {
  if (organization.isSynced !== true) {
    call.warn('The tenant is not synced from on-premises at present: the switch does nothing until it is.');
  }
  if (enabled && draft.phoneCount > 0) {
    call.warn(
      `With the next full sync cycle every mobile phone of the ${draft.phoneCount} users that differs from the one on-premises is overwritten, in the whole tenant, and switching off does not bring it back.`,
    );
  }
  if (former === null) {
    call.warn('Microsoft does not show the switch to this app, and will most likely not let it set it either.');
  }
}

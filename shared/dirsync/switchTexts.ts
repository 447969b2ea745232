import { Fault } from '../errors.ts';
import type { SwitchPlan } from './switchPlan.ts';
import type { SwitchRecord } from './switchRecord.ts';

/** What is told of a switch. All pure. */

export function plannedText({ enabled, draft }: SwitchPlan): string {
  const effect = enabled
    ? `${draft.phoneCount} of ${draft.syncedUserCount} users from on-premises have a mobile phone in the cloud, which a full sync cycle would then overwrite where it differs.`
    : 'Mobile phones may then be overridden in the cloud again; no phone changes by it.';
  return `bypassDirSyncOverridesEnabled would be switched ${onOff(enabled)}. ${effect}`;
}

export function switchedText(record: SwitchRecord): string {
  const isNow = `bypassDirSyncOverridesEnabled is ${onOff(record.enabled)}.`;
  if (!record.enabled) return isNow;
  return `${isNow} Now run a full sync cycle (Start-ADSyncSyncCycle -PolicyType Initial). ${whomToTouch(record)}`;
}

/** @param known the switch that has brought it about; null: none is remembered */
export function unchangedText(enabled: boolean, known: SwitchRecord | null): string {
  const isAlready = `bypassDirSyncOverridesEnabled is ${onOff(enabled)} already.`;
  return enabled && known !== null ? `${isAlready} ${whomToTouch(known)}` : isAlready;
}

/** What a restore cannot do; null where nothing was lost. */
export function lossText({ enabled, phoneCount, switchId }: SwitchRecord): string | null {
  if (!enabled || phoneCount === 0) return null;
  return `What was overwritten since the switch does not come back: GET dirsync/users?switchId=${switchId}&only=overwritten lists the former phones.`;
}

export const formerUnknownText =
  'Microsoft did not show what it was before that switch: it is set to the opposite of what it was switched to.';

export function outOfTime(syncedUserCount: number): Fault {
  return new Fault('deadline_exceeded', {
    detail: `The phones of ${syncedUserCount} users are remembered, but no time was left for the switch; nothing was switched.`,
    fix: 'Repeat the request within ten minutes: it takes the phones from there.',
  });
}

function whomToTouch({ switchId, phoneCount }: SwitchRecord): string {
  return `The ${phoneCount} phones before it are remembered as switch ${switchId}; after a full sync cycle GET dirsync/users?switchId=${switchId}&only=touch lists whom to touch, so that Okta pushes again.`;
}

function onOff(enabled: boolean): string {
  return enabled ? 'on' : 'off';
}

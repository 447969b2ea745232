import type { GroupKind } from '../../groups/kinds.ts';
import type { MappingReason, MappingSettings, PushMapping } from '../mapping.ts';
import { differencesOf, type GivenSettings, mergeSettings, wideningsOf } from './mappingSettings.ts';

/** A mapping as it is, or would be. */
export interface MappingView extends Omit<PushMapping, 'targetId' | 'createdAtMs' | 'updatedAtMs'> {
  /** null: the target is to be created. */
  readonly targetId: string | null;
  readonly targetKind: GroupKind;
  /** null: it is not stored. */
  readonly createdAtMs: number | null;
  readonly updatedAtMs: number | null;
}

/** What settings that a caller gives come to. */
export interface SettingsChange {
  /** Names of the settings that differ. */
  readonly changed: readonly (keyof MappingSettings)[];
  /** Names of those that give more power than was approved. */
  readonly widened: readonly (keyof MappingSettings)[];
  readonly mapping: PushMapping;
}

/** Pure. A mapping that is given more power waits for its plan to be approved again. */
export function changeSettings(mapping: PushMapping, given: GivenSettings, nowMs: number): SettingsChange {
  const settings = mergeSettings(given, mapping.settings);
  const changed = differencesOf(mapping.settings, settings);
  const widened = wideningsOf(mapping.settings, settings);
  if (changed.length === 0) return { changed, widened, mapping };
  if (widened.length === 0) return { changed, widened, mapping: { ...mapping, settings } };
  const reason = awaitingApproval(`The mapping was given more power (${widened.join(', ')})`, nowMs);
  return { changed, widened, mapping: { ...mapping, settings, status: 'INACTIVE', reason, approvedAtMs: null } };
}

/** @param why begins a sentence */
export function awaitingApproval(why: string, nowMs: number): MappingReason {
  return {
    code: 'awaiting_approval',
    message: `${why}; nothing is written before its plan is approved.`,
    fix: 'Look at the plan (POST push-mappings/{oktaGroupId}/push with "dryRun": true), then approve it with PUT push-mappings/{oktaGroupId}/status, body {"status": "ACTIVE", "planId": "…"}.',
    atMs: nowMs,
  };
}

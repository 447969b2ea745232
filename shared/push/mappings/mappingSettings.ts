import { authorities, type Authority, countableStatuses, defaultStatuses, type MappingSettings } from '../mapping.ts';

/** What a caller gives of the settings; what is left out stays, or takes its default where there is none yet. */
export type GivenSettings = Readonly<Partial<MappingSettings>>;

export const defaultSettings: MappingSettings = {
  authority: 'managed',
  desiredStatuses: defaultStatuses,
  oktaAppId: null,
  neverRemove: [],
  maxAdditions: null,
  adoptMembers: false,
  renameTarget: false,
  reportOnly: false,
};

/** @param before null: there is no mapping yet */
export function mergeSettings(given: GivenSettings, before: MappingSettings | null): MappingSettings {
  const merged = { ...(before ?? defaultSettings), ...given };
  const { authority, desiredStatuses, oktaAppId, neverRemove } = merged;
  const { maxAdditions, adoptMembers, renameTarget, reportOnly } = merged;
  return {
    authority,
    desiredStatuses: countableStatuses.filter((status) => desiredStatuses.includes(status)),
    oktaAppId,
    neverRemove: eachOnce(neverRemove),
    maxAdditions,
    adoptMembers,
    renameTarget,
    reportOnly,
  };
}

/** Names of the settings that differ, in whatever order their lists are. */
export function differencesOf(before: MappingSettings, after: MappingSettings): (keyof MappingSettings)[] {
  return settingNames.filter((name) => comparable(before[name]) !== comparable(after[name]));
}

/**
 * Names of the settings by which a mapping could do what nobody has approved: remove whom it could not remove, take
 * people for somebody else, or write where it only reported. Pure.
 */
export function wideningsOf(before: MappingSettings, after: MappingSettings): (keyof MappingSettings)[] {
  const isWider: Readonly<Record<keyof MappingSettings, boolean>> = {
    authority: rankOf(after.authority) > rankOf(before.authority),
    desiredStatuses: !containsAll(after.desiredStatuses, before.desiredStatuses),
    oktaAppId: after.oktaAppId !== before.oktaAppId,
    neverRemove: !containsAll(after.neverRemove, before.neverRemove),
    adoptMembers: after.adoptMembers && !before.adoptMembers,
    reportOnly: before.reportOnly && !after.reportOnly,
    // Who comes was wanted in Okta, and a name can be set back.
    maxAdditions: false,
    renameTarget: false,
  };
  return settingNames.filter((name) => isWider[name]);
}

const settingNames = Object.keys(defaultSettings) as (keyof MappingSettings)[];

function rankOf(authority: Authority): number {
  return authorities.indexOf(authority);
}

function containsAll(list: readonly string[], entries: readonly string[]): boolean {
  const present = new Set(list.map(folded));
  return entries.every((entry) => present.has(folded(entry)));
}

/** As first given, whatever the case. */
function eachOnce(entries: readonly string[]): string[] {
  const byName = new Map<string, string>();
  for (const entry of entries) if (!byName.has(folded(entry))) byName.set(folded(entry), entry);
  return [...byName.values()];
}

function comparable(value: MappingSettings[keyof MappingSettings]): string {
  return JSON.stringify(Array.isArray(value) ? value.map((entry: string) => folded(entry)).sort() : value);
}

function folded(entry: string): string {
  return entry.toLowerCase();
}

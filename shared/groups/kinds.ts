import type { GraphGroup } from '../graph/groups.ts';

/** The design's kinds. A dynamic distribution group is known to Exchange alone and never visible in Graph (graph.md §1.1). */
export const groupKinds = [
  'distributionList',
  'mailEnabledSecurity',
  'security',
  'microsoft365',
  'dynamicDistribution',
] as const;
export type GroupKind = (typeof groupKinds)[number];

/** The table of graph.md §1.1. */
export function kindInGraph(group: Pick<GraphGroup, 'isUnified' | 'isMailEnabled' | 'isSecurityEnabled'>): GroupKind {
  if (group.isUnified) return 'microsoft365';
  if (!group.isMailEnabled) return 'security';
  return group.isSecurityEnabled ? 'mailEnabledSecurity' : 'distributionList';
}

/** Kinds that Exchange writes and Graph only reads. */
export function livesInExchange(kind: GroupKind): kind is 'distributionList' | 'mailEnabledSecurity' {
  return kind === 'distributionList' || kind === 'mailEnabledSecurity';
}

import type { DistributionGroup } from '../exchange/distributionGroups.ts';
import type { GraphGroup } from '../graph/groups.ts';
import { type GroupKind, kindInGraph } from './kinds.ts';

/** One group as both directories show it. At least one of `exchange` and `graph` is there. */
export interface Group {
  /** Entra object id; null only while Exchange's dual write to Entra has not come back. */
  readonly id: string | null;
  readonly kind: GroupKind;
  readonly displayName: string;
  /** Exchange's unique name; null for groups that Exchange does not hold. */
  readonly name: string | null;
  readonly alias: string | null;
  readonly primarySmtpAddress: string | null;
  readonly addresses: readonly string[];
  readonly description: string | null;
  readonly exchange: DistributionGroup | null;
  readonly graph: GraphGroup | null;
}

/** A mail group: Exchange masters it and is believed first. A room list and the like count as distribution lists. */
export function groupInExchange(exchange: DistributionGroup, graph: GraphGroup | null): Group {
  return {
    id: exchange.id ?? graph?.id ?? null,
    kind: exchange.kind ?? 'distributionList',
    displayName: exchange.displayName,
    name: exchange.name,
    alias: exchange.alias,
    primarySmtpAddress: exchange.primarySmtpAddress,
    addresses: exchange.addresses,
    description: exchange.description ?? graph?.description ?? null,
    exchange,
    graph,
  };
}

/** A dynamic distribution group, which Entra does not know and never will (graph.md §1.1). */
export function dynamicGroup(exchange: DistributionGroup): Group {
  return { ...groupInExchange(exchange, null), kind: 'dynamicDistribution' };
}

export function groupInGraph(graph: GraphGroup): Group {
  return {
    id: graph.id,
    kind: kindInGraph(graph),
    displayName: graph.displayName,
    name: null,
    alias: graph.mailNickname,
    primarySmtpAddress: graph.mail,
    addresses: graph.addresses,
    description: graph.description,
    exchange: null,
    graph,
  };
}

/** Everything a person may call this group by: what PROTECTED_GROUPS and MANAGED_GROUPS are held against. */
export function namesOf(group: Group): (string | null)[] {
  const ids = [group.id, group.exchange?.exchangeId ?? null];
  return [...ids, group.displayName, group.name, group.alias, group.primarySmtpAddress, ...group.addresses];
}

/** What the right to write to a group is kept under. Exchange's own id while Entra's is not known yet. */
export function lockIdOf(group: Pick<Group, 'id' | 'exchange' | 'displayName'>): string {
  const id = group.id ?? group.exchange?.exchangeId;
  if (id === undefined) throw new TypeError(`${group.displayName} has no id in either directory`);
  return id;
}

/** For messages: what a person recognises the group by. */
export function labelOf(group: Group): string {
  return group.primarySmtpAddress ?? group.displayName;
}

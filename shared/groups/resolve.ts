import type { Call } from '../call.ts';
import type { Clock } from '../clock.ts';
import { Fault } from '../errors.ts';
import type { DistributionGroup, DistributionGroups } from '../exchange/distributionGroups.ts';
import type { DynamicGroups } from '../exchange/dynamicGroups.ts';
import { isAddress, sameText } from '../exchange/identity.ts';
import { isGuid } from '../guid.ts';
import type { GraphGroup, GraphGroups } from '../graph/groups.ts';
import { dynamicGroup, type Group, groupInExchange, groupInGraph, labelOf } from './group.ts';
import { livesInExchange } from './kinds.ts';

export interface GroupResolver {
  /**
   * The one group that has this object id, SMTP address or exact name, looked for in both directories; of a dynamic
   * distribution group, which has no object id, Exchange's GUID.
   * @throws Fault `group_not_found`, `ambiguous_group`
   */
  resolve(identity: string, call: Call): Promise<Group>;
  /**
   * The same, for a write: an Exchange group must also be visible in Graph, whose flags decide whether it may be
   * written. Waits a moment for a group that was created just now.
   * @throws Fault also `group_not_ready`
   */
  resolveForWrite(identity: string, call: Call): Promise<Group>;
}

export interface GroupResolverDependencies {
  readonly distributionGroups: DistributionGroups;
  readonly dynamicGroups: DynamicGroups;
  readonly graphGroups: GraphGroups;
  readonly clock: Clock;
}

/** The dual write to Entra is usually a matter of seconds (exchange.md §4, Consistency). */
const replicationWaitsMs = [500, 1_000, 2_000, 3_000];

export function createGroupResolver(dependencies: GroupResolverDependencies): GroupResolver {
  const { distributionGroups, dynamicGroups, graphGroups, clock } = dependencies;

  async function resolve(identity: string, call: Call): Promise<Group> {
    // An id or an address belongs to one object; a name may be shared by groups of all kinds.
    const isUnique = isGuid(identity) || isAddress(identity);
    const [inExchange, inGraph, dynamic] = await Promise.all([
      distributionGroups.find(identity, call),
      findInGraph(identity, call),
      isUnique ? [] : dynamicGroups.find(identity, call),
    ]);
    const groups = [...(await pairUp(inExchange, inGraph, call)), ...dynamic.map(dynamicGroup)];
    const [group] = groups;
    if (groups.length > 1) throw ambiguousGroup(identity, groups);
    if (group !== undefined) return group;
    const [last] = isUnique ? await dynamicGroups.find(identity, call) : [];
    if (last === undefined) throw groupNotFound(identity);
    return dynamicGroup(last);
  }

  async function findInGraph(identity: string, call: Call): Promise<GraphGroup[]> {
    if (isGuid(identity)) {
      const group = await graphGroups.get(identity, call);
      return group === null ? [] : [group];
    }
    return graphGroups.find(isAddress(identity) ? { address: identity } : { displayName: identity }, call);
  }

  /** One Group per object: what one directory found by this identity is looked up in the other. */
  async function pairUp(
    inExchange: readonly DistributionGroup[],
    inGraph: readonly GraphGroup[],
    call: Call,
  ): Promise<Group[]> {
    const fromExchange = inExchange.map(async (exchange) => {
      const { id } = exchange;
      const known = inGraph.find((graph) => isSameObject(exchange, graph)) ?? null;
      return groupInExchange(exchange, known ?? (id === null ? null : await graphGroups.get(id, call)));
    });
    const onlyInGraph = inGraph.filter((graph) => !inExchange.some((exchange) => isSameObject(exchange, graph)));
    const fromGraph = onlyInGraph.map(async (graph) => {
      const group = groupInGraph(graph);
      if (!livesInExchange(group.kind)) return group;
      const [exchange] = await distributionGroups.find(graph.id, call);
      return exchange === undefined ? group : groupInExchange(exchange, graph);
    });
    return Promise.all([...fromExchange, ...fromGraph]);
  }

  async function resolveForWrite(identity: string, call: Call): Promise<Group> {
    for (let attempt = 0; ; attempt += 1) {
      const group = await resolve(identity, call);
      if (!livesInExchange(group.kind) || (group.exchange !== null && group.graph !== null)) return group;
      const waitMs = replicationWaitsMs[attempt];
      if (waitMs === undefined || waitMs >= call.deadline.remainingMs()) throw groupNotReady(group);
      await clock.sleep(waitMs, call.deadline.signal);
    }
  }

  return { resolve, resolveForWrite };
}

/** By object id; while Exchange does not know that yet, by address, which no two objects share. */
function isSameObject(exchange: DistributionGroup, graph: GraphGroup): boolean {
  if (exchange.id !== null) return sameText(exchange.id, graph.id);
  return [graph.mail, ...graph.addresses].some((address) => sameText(address, exchange.primarySmtpAddress));
}

function groupNotFound(identity: string): Fault {
  return new Fault('group_not_found', {
    detail: `No group has the id, address or exact name "${identity}".`,
    fix: 'Give the Entra object id, an SMTP address or the exact name. A group created a moment ago may need a minute.',
  });
}

function ambiguousGroup(identity: string, groups: readonly Group[]): Fault {
  const candidates = groups.map((group) => `${labelOf(group)} (${group.kind}, ${group.id ?? 'no id yet'})`);
  return new Fault('ambiguous_group', {
    detail: `"${identity}" matches ${groups.length} groups: ${candidates.join('; ')}.`,
    fix: 'Use the Entra object id or the primary SMTP address of the one you mean.',
  });
}

export function groupNotReady(group: Group): Fault {
  const seen = group.exchange === null ? 'Entra but not in Exchange' : 'Exchange but not in Entra';
  return new Fault('group_not_ready', {
    detail: `${labelOf(group)} is visible in ${seen} yet; whether it may be written cannot be judged.`,
    fix: 'Repeat the request after Retry-After.',
    retryAfterSeconds: 15,
  });
}

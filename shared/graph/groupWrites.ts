import type { Call } from '../call.ts';
import { Fault } from '../errors.ts';
import type { GraphObject, GraphOutput } from './answers.ts';
import type { Graph } from './client.ts';
import { textField } from './fields.ts';
import { type GraphGroup, readGraphGroup } from './groups.ts';
import { segment } from './odata.ts';

/** The kinds of group that Graph writes (graph.md §1.1). */
export type GraphGroupKind = 'security' | 'microsoft365';

/** `HiddenMembership` can be set at creation alone, and Graph shows it for what it is afterwards (graph.md §1.2). */
export const groupVisibilities = ['Public', 'Private', 'HiddenMembership'] as const;
export type GroupVisibility = (typeof groupVisibilities)[number];

export interface NewGraphGroup {
  readonly kind: GraphGroupKind;
  readonly displayName: string;
  readonly mailNickname: string;
  readonly description: string | null;
  /** Of Microsoft 365 groups alone; null leaves the choice to Graph, which makes them Public. */
  readonly visibility: GroupVisibility | null;
  /** Object ids; with `members` at most `maxLinksAtCreation`. */
  readonly owners: readonly string[];
  readonly members: readonly string[];
}

/** What is absent stays as it is. */
export interface GraphGroupChange {
  readonly displayName?: string;
  readonly description?: string | null;
  readonly visibility?: GroupVisibility;
  readonly mailNickname?: string;
}

/** How many owners and members one creation takes (graph.md §1.3). */
export const maxLinksAtCreation = 20;

export interface GraphGroupWrites {
  /** @throws GraphFault; Fault `outcome_unknown` also where the answer does not hold the group */
  create(group: NewGraphGroup, call: Call): Promise<{ readonly group: GraphGroup; readonly requestId: string }>;
  update(id: string, change: GraphGroupChange, call: Call): Promise<GraphOutput>;
  /** Microsoft 365 groups, and by now security groups, can be restored for 30 days (graph.md §8). */
  remove(id: string, call: Call): Promise<GraphOutput>;
  /** The group among the deleted ones; null when it is not there. */
  deleted(id: string, call: Call): Promise<GraphGroup | null>;
  restore(id: string, call: Call): Promise<GraphOutput>;
}

export function createGraphGroupWrites(graph: Graph): GraphGroupWrites {
  return {
    create: async (group, call) => {
      const { object, requestId } = await graph.write('POST', '/groups', bodyOf(group), 'POST /groups', call);
      if (object === null || textField(object, 'id') === null) throw noGroup(requestId);
      return { group: readGraphGroup(object), requestId };
    },

    update: (id, change, call) =>
      graph.write('PATCH', `/groups/${segment(id)}`, { ...change }, 'PATCH /groups/{id}', call),

    remove: (id, call) => graph.write('DELETE', `/groups/${segment(id)}`, null, 'DELETE /groups/{id}', call),

    deleted: async (id, call) => {
      const path = `/directory/deletedItems/${segment(id)}`;
      const object = await graph.find(path, 'GET /directory/deletedItems/{id}', call);
      return object === null || !isGroup(object) ? null : readGraphGroup(object);
    },

    restore: (id, call) =>
      graph.write(
        'POST',
        `/directory/deletedItems/${segment(id)}/restore`,
        null,
        'POST /directory/deletedItems/{id}/restore',
        call,
      ),
  };

  function bodyOf(group: NewGraphGroup): object {
    const isUnified = group.kind === 'microsoft365';
    const bind = (ids: readonly string[]) => ids.map((id) => graph.reference(id));
    return {
      displayName: group.displayName,
      mailNickname: group.mailNickname,
      mailEnabled: isUnified,
      securityEnabled: !isUnified,
      groupTypes: isUnified ? ['Unified'] : [],
      ...(group.description === null ? {} : { description: group.description }),
      ...(group.visibility === null ? {} : { visibility: group.visibility }),
      ...(group.owners.length === 0 ? {} : { 'owners@odata.bind': bind(group.owners) }),
      ...(group.members.length === 0 ? {} : { 'members@odata.bind': bind(group.members) }),
    };
  }
}

/** Users and applications lie in the same bin. */
function isGroup(object: GraphObject): boolean {
  return (textField(object, '@odata.type') ?? '#microsoft.graph.group') === '#microsoft.graph.group';
}

function noGroup(requestId: string): Fault {
  return new Fault('outcome_unknown', {
    detail: 'POST /groups was answered without the group; it may have been created.',
    fix: 'Repeat the request: it looks first at what is there and writes only what is missing.',
    upstream: 'graph',
    upstreamRequestId: requestId,
  });
}

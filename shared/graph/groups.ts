import type { Call } from '../call.ts';
import type { Graph, GraphObject } from './client.ts';
import { flagField, listField, textField } from './fields.ts';
import { odataLiteral, segment, withQuery } from './odata.ts';

/** A group as Graph gives it, with all that decides its kind and whether it may be written (graph.md §1.2). */
export interface GraphGroup {
  readonly id: string;
  readonly displayName: string;
  readonly description: string | null;
  readonly mail: string | null;
  readonly mailNickname: string | null;
  readonly addresses: readonly string[];
  readonly isUnified: boolean;
  readonly isDynamic: boolean;
  readonly isMailEnabled: boolean;
  readonly isSecurityEnabled: boolean;
  readonly isOnPremisesSynced: boolean;
  readonly isAssignableToRole: boolean;
  readonly isManagementRestricted: boolean;
}

export interface GraphMember {
  readonly id: string;
  /** `user`, `group`, `orgContact`, `device` or `servicePrincipal`. */
  readonly type: string;
  readonly displayName: string | null;
  readonly userPrincipalName: string | null;
  readonly mail: string | null;
}

export interface GraphMemberPage {
  readonly members: readonly GraphMember[];
  readonly nextPath: string | null;
}

export interface GraphGroups {
  /** By object id; null when Graph does not show it (yet). */
  get(id: string, call: Call): Promise<GraphGroup | null>;
  /** Every group with this address, or with exactly this display name. */
  find(by: { address: string } | { displayName: string }, call: Call): Promise<GraphGroup[]>;
  /** One page of members; `from` is the nextPath of the page before. */
  members(id: string, page: { size: number; from: string | null }, call: Call): Promise<GraphMemberPage>;
  /** All owners; Entra allows at most 100 (graph.md §1.4). Exchange keeps the owners of mail groups itself. */
  owners(id: string, call: Call): Promise<readonly GraphMember[]>;
  /** Members, page by page, until the end. */
  allMembers(id: string, call: Call): AsyncGenerator<readonly GraphMember[]>;
}

const groupProperties = [
  'id',
  'displayName',
  'description',
  'mail',
  'mailNickname',
  'proxyAddresses',
  'groupTypes',
  'mailEnabled',
  'securityEnabled',
  'onPremisesSyncEnabled',
  'isAssignableToRole',
  // Returned only when asked for (graph.md §1.2).
  'isManagementRestricted',
].join(',');

const memberProperties = 'id,displayName,userPrincipalName,mail';

/** Graph's largest page of members (graph.md §9, from memory there). */
export const maxMemberPage = 999;

export function createGraphGroups(graph: Graph): GraphGroups {
  async function members(
    id: string,
    page: { size: number; from: string | null },
    call: Call,
  ): Promise<GraphMemberPage> {
    const first = withQuery(`/groups/${segment(id)}/members`, {
      $select: memberProperties,
      $top: page.size,
    });
    const { items, nextPath } = await graph.page(page.from ?? first, 'GET /groups/{id}/members', call);
    return { members: items.map(readMember), nextPath };
  }

  return {
    get: async (id, call) => {
      const path = withQuery(`/groups/${segment(id)}`, { $select: groupProperties });
      const group = await graph.find(path, 'GET /groups/{id}', call);
      return group === null ? null : readGroup(group);
    },

    find: async (by, call) => {
      const filter =
        'address' in by
          ? `proxyAddresses/any(p:p eq ${odataLiteral(`smtp:${by.address}`)})`
          : `displayName eq ${odataLiteral(by.displayName)}`;
      const groups: GraphGroup[] = [];
      let path: string | null = withQuery('/groups', { $filter: filter, $select: groupProperties });
      while (path !== null) {
        const page = await graph.page(path, 'GET /groups?$filter', call);
        groups.push(...page.items.map(readGroup));
        path = page.nextPath;
      }
      return groups;
    },

    members,

    owners: async (id, call) => {
      const path = withQuery(`/groups/${segment(id)}/owners`, { $select: memberProperties, $top: maxMemberPage });
      const { items } = await graph.page(path, 'GET /groups/{id}/owners', call);
      return items.map(readMember);
    },

    allMembers: async function* (id, call) {
      let from: string | null = null;
      do {
        const page: GraphMemberPage = await members(id, { size: maxMemberPage, from }, call);
        yield page.members;
        from = page.nextPath;
      } while (from !== null);
    },
  };
}

function readGroup(group: GraphObject): GraphGroup {
  const groupTypes = listField(group, 'groupTypes');
  return {
    id: textField(group, 'id') ?? '',
    displayName: textField(group, 'displayName') ?? '',
    description: textField(group, 'description'),
    mail: textField(group, 'mail'),
    mailNickname: textField(group, 'mailNickname'),
    addresses: listField(group, 'proxyAddresses')
      .filter((address) => /^smtp:/i.test(address))
      .map((address) => address.slice('smtp:'.length)),
    isUnified: groupTypes.includes('Unified'),
    isDynamic: groupTypes.includes('DynamicMembership'),
    isMailEnabled: flagField(group, 'mailEnabled'),
    isSecurityEnabled: flagField(group, 'securityEnabled'),
    isOnPremisesSynced: flagField(group, 'onPremisesSyncEnabled'),
    isAssignableToRole: flagField(group, 'isAssignableToRole'),
    isManagementRestricted: flagField(group, 'isManagementRestricted'),
  };
}

function readMember(member: GraphObject): GraphMember {
  return {
    id: textField(member, 'id') ?? '',
    type: (textField(member, '@odata.type') ?? '#microsoft.graph.user').replace('#microsoft.graph.', ''),
    displayName: textField(member, 'displayName'),
    userPrincipalName: textField(member, 'userPrincipalName'),
    mail: textField(member, 'mail'),
  };
}

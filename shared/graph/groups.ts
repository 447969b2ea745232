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
  /** Was synced and is the cloud's now: the sync has ended, or the source of authority was moved (graph.md §1.2). */
  readonly wasSynced: boolean;
  readonly isAssignableToRole: boolean;
  readonly isManagementRestricted: boolean;
  readonly isTeam: boolean;
  /** `Public`, `Private` or `HiddenMembership`; null where Graph says none. */
  readonly visibility: string | null;
  /** Of a dynamic group. */
  readonly membershipRule: string | null;
}

export interface GraphMember {
  readonly id: string;
  /** `user`, `group`, `orgContact`, `device` or `servicePrincipal`. */
  readonly type: string;
  readonly displayName: string | null;
  readonly userPrincipalName: string | null;
  readonly mail: string | null;
  /** All SMTP addresses, without prefix; empty where they were not asked for. */
  readonly addresses: readonly string[];
}

export interface GraphMemberPage {
  readonly members: readonly GraphMember[];
  readonly nextPath: string | null;
}

export type GroupCriterion =
  { readonly address: string } | { readonly displayName: string } | { readonly mailNickname: string };

export interface GraphGroups {
  /** By object id; null when Graph does not show it (yet). */
  get(id: string, call: Call): Promise<GraphGroup | null>;
  /** Every group with this address, or with exactly this display name or mail nickname. */
  find(by: GroupCriterion, call: Call): Promise<GraphGroup[]>;
  /** One page of members; `from` is the nextPath of the page before. */
  members(id: string, page: { size: number; from: string | null }, call: Call): Promise<GraphMemberPage>;
  /** All owners; Entra allows at most 100 (graph.md §1.4). Exchange keeps the owners of mail groups itself. */
  owners(id: string, call: Call): Promise<readonly GraphMember[]>;
  /** Members, page by page, until the end; with their addresses where those are asked for. */
  memberPages(id: string, options: { addresses: boolean }, call: Call): AsyncGenerator<readonly GraphMember[]>;
  /** How many members Graph counts; the count may be older than the list (graph.md §8). */
  memberCount(id: string, call: Call): Promise<number>;
}

export const groupProperties = [
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
  'onPremisesSecurityIdentifier',
  'membershipRule',
  'resourceProvisioningOptions',
  'visibility',
  'isAssignableToRole',
  // Returned only when asked for (graph.md §1.2).
  'isManagementRestricted',
].join(',');

const memberProperties = 'id,displayName,userPrincipalName,mail';
const memberPropertiesWithAddresses = `${memberProperties},proxyAddresses`;

/** Graph's largest page of members (graph.md §9, from memory there). */
export const maxMemberPage = 999;

export function createGraphGroups(graph: Graph): GraphGroups {
  async function members(
    id: string,
    page: { size: number; from: string | null; addresses?: boolean },
    call: Call,
  ): Promise<GraphMemberPage> {
    const first = withQuery(`/groups/${segment(id)}/members`, {
      $select: page.addresses === true ? memberPropertiesWithAddresses : memberProperties,
      $top: page.size,
    });
    const { items, nextPath } = await graph.page(page.from ?? first, 'GET /groups/{id}/members', call);
    return { members: items.map(readGraphMember), nextPath };
  }

  async function* memberPages(
    id: string,
    { addresses }: { addresses: boolean },
    call: Call,
  ): AsyncGenerator<readonly GraphMember[]> {
    let from: string | null = null;
    do {
      const page: GraphMemberPage = await members(id, { size: maxMemberPage, from, addresses }, call);
      yield page.members;
      from = page.nextPath;
    } while (from !== null);
  }

  return {
    get: async (id, call) => {
      const path = withQuery(`/groups/${segment(id)}`, { $select: groupProperties });
      const group = await graph.find(path, 'GET /groups/{id}', call);
      return group === null ? null : readGraphGroup(group);
    },

    find: async (by, call) => {
      const groups: GraphGroup[] = [];
      let path: string | null = withQuery('/groups', { $filter: filterOf(by), $select: groupProperties });
      while (path !== null) {
        const page = await graph.page(path, 'GET /groups?$filter', call);
        groups.push(...page.items.map(readGraphGroup));
        path = page.nextPath;
      }
      return groups;
    },

    members,

    owners: async (id, call) => {
      const path = withQuery(`/groups/${segment(id)}/owners`, { $select: memberProperties, $top: maxMemberPage });
      const { items } = await graph.page(path, 'GET /groups/{id}/owners', call);
      return items.map(readGraphMember);
    },

    memberPages,

    memberCount: (id, call) =>
      graph.count(`/groups/${segment(id)}/members/$count`, 'GET /groups/{id}/members/$count', call),
  };
}

function filterOf(by: GroupCriterion): string {
  if ('address' in by) return `proxyAddresses/any(p:p eq ${odataLiteral(`smtp:${by.address}`)})`;
  if ('displayName' in by) return `displayName eq ${odataLiteral(by.displayName)}`;
  return `mailNickname eq ${odataLiteral(by.mailNickname)}`;
}

/** Also of what a creation or a bin gives: what is not there counts as not set. */
export function readGraphGroup(group: GraphObject): GraphGroup {
  const groupTypes = listField(group, 'groupTypes');
  return {
    id: textField(group, 'id') ?? '',
    displayName: textField(group, 'displayName') ?? '',
    description: textField(group, 'description'),
    mail: textField(group, 'mail'),
    mailNickname: textField(group, 'mailNickname'),
    addresses: addressesOf(group),
    isUnified: groupTypes.includes('Unified'),
    isDynamic: groupTypes.includes('DynamicMembership'),
    isMailEnabled: flagField(group, 'mailEnabled'),
    isSecurityEnabled: flagField(group, 'securityEnabled'),
    isOnPremisesSynced: flagField(group, 'onPremisesSyncEnabled'),
    wasSynced: wasSynced(group),
    isAssignableToRole: flagField(group, 'isAssignableToRole'),
    isManagementRestricted: flagField(group, 'isManagementRestricted'),
    isTeam: listField(group, 'resourceProvisioningOptions').includes('Team'),
    visibility: textField(group, 'visibility'),
    membershipRule: textField(group, 'membershipRule'),
  };
}

/** `false` is said of a sync that has ended; after a move of authority it is null, and the SID from Active Directory stays. */
function wasSynced(group: GraphObject): boolean {
  if (group.onPremisesSyncEnabled === true) return false;
  return group.onPremisesSyncEnabled === false || textField(group, 'onPremisesSecurityIdentifier') !== null;
}

/** A member, or another object of the directory: what it has of a member. */
export function readGraphMember(member: GraphObject): GraphMember {
  return {
    id: textField(member, 'id') ?? '',
    type: (textField(member, '@odata.type') ?? '#microsoft.graph.user').replace('#microsoft.graph.', ''),
    displayName: textField(member, 'displayName'),
    userPrincipalName: textField(member, 'userPrincipalName'),
    mail: textField(member, 'mail'),
    addresses: addressesOf(member),
  };
}

function addressesOf(object: GraphObject): string[] {
  return listField(object, 'proxyAddresses')
    .filter((address) => /^smtp:/i.test(address))
    .map((address) => address.slice('smtp:'.length));
}

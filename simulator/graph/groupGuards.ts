import type { DirectoryObject, Group } from '../tenant/model.ts';
import { untyped } from '../tenant/names.ts';
import type { View } from '../tenant/store.ts';
import type { AccessToken } from '../tokens/issuer.ts';
import { badRequest, denied, GraphError, notFound } from './errors.ts';

export const isUnified = (group: Group): boolean => group.groupTypes.includes('Unified');

/** Refusals that come before any look at what is to be written: graph.md §1.2 and §1.4. */
export function refuseUnwritable(group: Group, caller: AccessToken): void {
  if (group.mailEnabled && !isUnified(group))
    throw badRequest('Cannot Update a mail-enabled security groups and or distribution list.');
  if (group.onPremisesSyncEnabled)
    throw badRequest(
      'Unable to update the specified properties for on-premises mastered Directory Sync objects or objects currently undergoing migration.',
    );
  if (group.isAssignableToRole && !caller.roles.includes('RoleManagement.ReadWrite.Directory')) throw denied();
  // facts.restrictedManagementText
  if (group.isManagementRestricted)
    throw denied(
      ' Target object is a member of a restricted management administrative unit and can only be modified by administrators scoped to that administrative unit.',
    );
}

export function refuseDynamic(group: Group): void {
  // facts.dynamicGroupText
  if (group.groupTypes.includes('DynamicMembership'))
    throw badRequest('Cannot add or remove members of a group with dynamic membership.');
}

/** Directory objects share one space of addresses, Microsoft 365 groups one of nicknames (graph.md §1.3). */
export function refuseTaken(view: View, group: Group, addresses: readonly string[]): void {
  const others = (name: string): DirectoryObject[] => view.named(name).filter(({ id }) => id !== group.id);
  const isTwin = (other: DirectoryObject): boolean =>
    other.type === 'group' && isUnified(other) && other.mailNickname.toLowerCase() === group.mailNickname.toLowerCase();
  if (isUnified(group) && others(group.mailNickname).some(isTwin))
    throw badRequest('Another object with the same value for property mailNickname already exists.');
  const holds = (other: DirectoryObject, address: string): boolean =>
    'proxyAddresses' in other &&
    other.proxyAddresses.some((each) => untyped(each).toLowerCase() === address.toLowerCase());
  if (addresses.some((address) => others(address).some((other) => holds(other, address))))
    throw badRequest('Another object with the same value for property proxyAddresses already exists.');
}

export type Link = 'members' | 'owners';
const MAX_OWNERS = 100;

/** The group with these objects linked, or the refusal of the whole change (graph.md §1.5: all or nothing). */
export function withLinks(
  group: Group,
  link: Link,
  ids: readonly string[],
  find: (id: string) => DirectoryObject | undefined,
): Group {
  const targets = ids.map((id) => {
    const target = find(id);
    if (!target) throw notFound(id);
    return target;
  });
  // graph.md §1.5: members of a Microsoft 365 group are users only
  if (isUnified(group) && targets.some((target) => target.type !== 'user'))
    throw badRequest(
      `The reference target is of an invalid type for the '${link}' reference of a Microsoft 365 group.`,
    );
  // facts.ownersQuota
  if (link === 'owners' && group.owners.length + ids.length > MAX_OWNERS)
    throw new GraphError(
      403,
      'Directory_QuotaExceeded',
      `The directory object quota limit would exceed the maximum quota count '${String(MAX_OWNERS)}' for forward-link property 'owners'.`,
    );
  if (ids.some((id) => group[link].includes(id)) || new Set(ids).size < ids.length)
    throw badRequest(
      `One or more added object references already exist for the following modified properties: '${link}'.`,
    );
  return link === 'members'
    ? { ...group, members: group.members.with(ids) }
    : { ...group, owners: [...group.owners, ...ids] };
}

/** `missingStatus`: how the removal of one who is not linked is refused (graph.md §1.4 has both). */
export function withoutLink(group: Group, link: Link, id: string, missingStatus: 400 | 404): Group {
  if (!group[link].includes(id))
    throw missingStatus === 404
      ? notFound(id)
      : badRequest(
          `One or more removed object references do not exist for the following modified properties: '${link}'.`,
        );
  if (link === 'owners' && isUnified(group) && group.owners.length === 1)
    throw badRequest(`The group must have at least one owner, hence this owner cannot be removed.`);
  return link === 'members'
    ? { ...group, members: group.members.without(id) }
    : { ...group, owners: group.owners.filter((each) => each !== id) };
}

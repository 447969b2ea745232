import { text } from '../../http/message.ts';
import type { DirectoryObject, Group } from '../../tenant/model.ts';
import type { View } from '../../tenant/store.ts';
import { group, type GraphContext, type GraphOperation } from '../context.ts';
import { notModelled, unsupportedQuery } from '../errors.ts';
import type { Link } from '../groupGuards.ts';
import { listingOf, where, type Listing } from '../listing.ts';
import {
  deviceType,
  entityTypeOf,
  groupType,
  orgContactType,
  servicePrincipalType,
  userType,
  type EntityType,
} from '../properties.ts';
import { checkSelect, isEventual, page, render, selected } from '../query.ts';
import { permissionsToReadUsers, readPermissions } from './permissions.ts';

const types = [userType, groupType, orgContactType, deviceType, servicePrincipalType] as EntityType<DirectoryObject>[];

/** The objects behind the ids, each at its position in the list. */
function linked(view: View, { members, owners }: Group, link: Link): Listing<DirectoryObject> {
  const ids: Listing<string> =
    link === 'owners'
      ? listingOf(owners)
      : {
          *after(position) {
            for (const { position: at, id } of members.after(position)) yield { position: at, object: id };
          },
        };
  return {
    *after(position) {
      for (const entry of ids.after(position)) {
        const object = view.get(entry.object);
        if (object) yield { position: entry.position, object };
      }
    },
  };
}

function list(context: GraphContext, link: Link, cast: string | null) {
  const { call, view, caller } = context;
  const select = selected(call);
  checkSelect(select ?? [], types, 'microsoft.graph.directoryObject');
  if (cast !== null && !types.some(({ name }) => name === cast)) throw notModelled(`the cast to ${cast}`);
  const mayReadUsers = caller.roles.some((role) => permissionsToReadUsers.includes(role));
  const row = (object: DirectoryObject) => {
    const type = entityTypeOf(object);
    const properties = render(object, type, select);
    // facts.limitedMemberInformation
    const visible =
      object.type === 'user' && !mayReadUsers
        ? Object.fromEntries(Object.entries(properties).map(([key, value]) => [key, key === 'id' ? value : null]))
        : properties;
    return { '@odata.type': `#${type.name}`, ...visible };
  };
  const all = linked(view, group(context), link);
  const listing = cast === null ? all : where(all, (object) => entityTypeOf(object).name === cast);
  return page(call, 'directoryObjects', listing, row);
}

const options = ['$select', '$top', '$count', '$skiptoken'];
const operation = (link: Link, cast: boolean): GraphOperation => ({
  method: 'GET',
  path: `groups/*/${link}${cast ? '/microsoft.graph.*' : ''}`,
  permissions: readPermissions,
  options,
  run: (context) => list(context, link, cast ? `microsoft.graph.${context.params[1] ?? ''}` : null),
});

const count = (link: Link): GraphOperation => ({
  method: 'GET',
  path: `groups/*/${link}/$count`,
  permissions: readPermissions,
  options: [],
  run(context) {
    // graph.md §9: an advanced query
    if (!isEventual(context.call)) throw unsupportedQuery('Unsupported Query.');
    return text(200, String(group(context)[link].length), 'text/plain');
  },
});

export const countMembers = count('members');
export const countOwners = count('owners');
export const listMembers = operation('members', false);
export const listOwners = operation('owners', false);
export const listMembersOfType = operation('members', true);
export const listOwnersOfType = operation('owners', true);

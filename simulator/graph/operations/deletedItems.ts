import { parseJson, isObject } from '../../http/json.ts';
import { empty } from '../../http/message.ts';
import type { Group, User } from '../../tenant/model.ts';
import { untyped } from '../../tenant/names.ts';
import { requirePermission, type GraphContext, type GraphOperation } from '../context.ts';
import { badRequest, notFound, notModelled, unsupportedQuery } from '../errors.ts';
import { refuseTaken } from '../groupGuards.ts';
import { listingOf } from '../listing.ts';
import { entityTypeOf, groupType, userType } from '../properties.ts';
import { checkSelect, entity, filtered, page, render, selected } from '../query.ts';
import { guardUser } from '../userGuards.ts';
import { refuseTakenUser } from '../userWriteRules.ts';
import {
  deleteUserPermissions,
  fullGroupReadPermissions,
  permissionsToReadUsers,
  writePermissions,
} from './permissions.ts';

type Item = Group | User;
const toRead = { group: fullGroupReadPermissions, user: permissionsToReadUsers };
const toWrite = { group: writePermissions, user: deleteUserPermissions };

/** The item, for who may do that with its kind. */
function deleted(
  { tenant, world, caller, params }: GraphContext,
  permissions: typeof toRead,
  type?: Item['type'],
): Item {
  const id = (params[0] ?? '').toLowerCase();
  const found = tenant.deletedItems.at(world.clock.now()).find((item) => item.id === id);
  if (!found || (type !== undefined && found.type !== type)) throw notFound(id);
  requirePermission(caller, permissions[found.type]);
  return found;
}

const row = (item: Item, select: readonly string[] | null) => {
  const type = entityTypeOf(item);
  checkSelect(select ?? [], [type], type.name);
  return { '@odata.type': `#${type.name}`, ...render(item, type, select) };
};

const get = (cast: Item['type'] | null): GraphOperation => ({
  method: 'GET',
  path: `directory/deletedItems/*${cast ? `/microsoft.graph.${cast}` : ''}`,
  permissions: cast ? toRead[cast] : [...toRead.group, ...toRead.user],
  options: ['$select'],
  run: (context) =>
    entity('directoryObjects', row(deleted(context, toRead, cast ?? undefined), selected(context.call))),
});

export const getDeletedItem = get(null);
export const getDeletedGroup = get('group');
export const getDeletedUser = get('user');

const listOptions = ['$select', '$filter', '$top', '$count', '$skiptoken'];

export const listDeletedGroups: GraphOperation = {
  method: 'GET',
  path: 'directory/deletedItems/microsoft.graph.group',
  permissions: fullGroupReadPermissions,
  options: listOptions,
  run({ call, tenant, world }) {
    const select = selected(call);
    checkSelect(select ?? [], [groupType], groupType.name);
    const found = filtered(call, listingOf(tenant.deletedItems.groups(world.clock.now())), groupType);
    return page(call, 'groups', found, (each) => render(each, groupType, select));
  },
};

export const listDeletedUsers: GraphOperation = {
  method: 'GET',
  path: 'directory/deletedItems/microsoft.graph.user',
  permissions: permissionsToReadUsers,
  options: listOptions,
  run({ call, tenant, world }) {
    const select = selected(call);
    checkSelect(select ?? [], [userType], userType.name);
    // facts.deletedUsersFilter
    if (call.url.searchParams.has('$filter') && tenant.settings.userWrites.deletedUsersFilter === 'refused')
      throw unsupportedQuery('Unsupported Query.');
    const found = filtered(call, listingOf(tenant.deletedItems.users(world.clock.now())), userType);
    return page(call, 'users', found, (each) => render(each, userType, select));
  },
};

/** Members, owners and settings come back with a group: facts.restoredWhole. */
export const restoreDeletedItem: GraphOperation = {
  method: 'POST',
  path: 'directory/deletedItems/*/restore',
  permissions: [...toWrite.group, ...toWrite.user],
  options: [],
  run(context) {
    const { call, tenant, view } = context;
    const body = call.body === '' ? {} : parseJson(call.body);
    if (!isObject(body)) throw badRequest('Unable to read JSON request payload.');
    if (Object.keys(body).length > 0) throw notModelled(`restoring with ${Object.keys(body).join(', ')}`);
    const restored = { ...deleted(context, toWrite), deletedDateTime: null };
    // facts.restoreOntoTaken
    if (restored.type === 'group') refuseTaken(view, restored, restored.proxyAddresses.map(untyped));
    else {
      guardUser(context, restored, ['deletedDateTime']);
      refuseTakenUser(context, restored);
    }
    tenant.deletedItems.remove(restored.id);
    tenant.commit('entra', [{ put: restored }]);
    return entity('directoryObjects', row(restored, null));
  },
};

export const purgeDeletedItem: GraphOperation = {
  method: 'DELETE',
  path: 'directory/deletedItems/*',
  permissions: [...toWrite.group, ...toWrite.user],
  options: [],
  run(context) {
    const item = deleted(context, toWrite);
    if (item.type === 'user') guardUser(context, item, ['deletedDateTime']);
    context.tenant.deletedItems.remove(item.id);
    return empty(204);
  },
};

import { parseJson, isObject } from '../../http/json.ts';
import { empty } from '../../http/message.ts';
import type { Group } from '../../tenant/model.ts';
import { untyped } from '../../tenant/names.ts';
import type { GraphContext, GraphOperation } from '../context.ts';
import { badRequest, notFound, notModelled } from '../errors.ts';
import { refuseTaken } from '../groupGuards.ts';
import { listingOf } from '../listing.ts';
import { groupType } from '../properties.ts';
import { checkSelect, entity, filtered, page, render, selected } from '../query.ts';
import { fullGroupReadPermissions, writePermissions } from './permissions.ts';

const itemsOf = ({ tenant, world }: GraphContext): readonly Group[] => tenant.deletedItems.at(world.clock.now());

function deleted(context: GraphContext): Group {
  const id = (context.params[0] ?? '').toLowerCase();
  const found = itemsOf(context).find((group) => group.id === id);
  if (!found) throw notFound(id);
  return found;
}

const get = (path: string): GraphOperation => ({
  method: 'GET',
  path,
  permissions: fullGroupReadPermissions,
  options: ['$select'],
  run(context) {
    const select = selected(context.call);
    checkSelect(select ?? [], [groupType], groupType.name);
    const properties = render(deleted(context), groupType, select);
    return entity('directoryObjects', { '@odata.type': `#${groupType.name}`, ...properties });
  },
});

export const getDeletedItem = get('directory/deletedItems/*');
export const getDeletedGroup = get('directory/deletedItems/*/microsoft.graph.group');

export const listDeletedGroups: GraphOperation = {
  method: 'GET',
  path: 'directory/deletedItems/microsoft.graph.group',
  permissions: fullGroupReadPermissions,
  options: ['$select', '$filter', '$top', '$count', '$skiptoken'],
  run(context) {
    const { call } = context;
    const select = selected(call);
    checkSelect(select ?? [], [groupType], groupType.name);
    const found = filtered(call, listingOf(itemsOf(context)), groupType);
    return page(call, 'groups', found, (each) => render(each, groupType, select));
  },
};

/** Members, owners and settings come back with it: facts.restoredWhole. */
export const restoreDeletedItem: GraphOperation = {
  method: 'POST',
  path: 'directory/deletedItems/*/restore',
  permissions: writePermissions,
  options: [],
  run(context) {
    const { call, tenant, view } = context;
    const body = call.body === '' ? {} : parseJson(call.body);
    if (!isObject(body)) throw badRequest('Unable to read JSON request payload.');
    if (Object.keys(body).length > 0) throw notModelled(`restoring with ${Object.keys(body).join(', ')}`);
    const group = { ...deleted(context), deletedDateTime: null };
    // facts.restoreOntoTaken
    refuseTaken(view, group, group.proxyAddresses.map(untyped));
    tenant.deletedItems.remove(group.id);
    tenant.commit('entra', [{ put: group }]);
    return entity('directoryObjects', { '@odata.type': `#${groupType.name}`, ...render(group, groupType, null) });
  },
};

export const purgeDeletedItem: GraphOperation = {
  method: 'DELETE',
  path: 'directory/deletedItems/*',
  permissions: writePermissions,
  options: [],
  run(context) {
    context.tenant.deletedItems.remove(deleted(context).id);
    return empty(204);
  },
};

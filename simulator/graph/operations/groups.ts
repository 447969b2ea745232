import { group, type GraphOperation } from '../context.ts';
import { groupType } from '../properties.ts';
import { checkSelect, entity, filtered, page, render, selected } from '../query.ts';
import { readPermissions } from './permissions.ts';

export const getGroup: GraphOperation = {
  method: 'GET',
  path: 'groups/*',
  permissions: readPermissions,
  options: ['$select'],
  run(context) {
    const select = selected(context.call);
    checkSelect(select ?? [], [groupType], groupType.name);
    return entity('groups', render(group(context), groupType, select));
  },
};

export const listGroups: GraphOperation = {
  method: 'GET',
  path: 'groups',
  permissions: readPermissions,
  options: ['$select', '$filter', '$search', '$top', '$count', '$skiptoken'],
  run({ call, view }) {
    const select = selected(call);
    checkSelect(select ?? [], [groupType], groupType.name);
    const groups = { after: (position: number) => view.after('group', position) };
    return page(call, 'groups', filtered(call, groups, groupType), (each) => render(each, groupType, select));
  },
};

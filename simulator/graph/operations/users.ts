import { user, type GraphOperation } from '../context.ts';
import { userType } from '../properties.ts';
import { checkSelect, entity, filtered, page, render, selected } from '../query.ts';
import { permissionsToReadUsers } from './permissions.ts';

export const getUser: GraphOperation = {
  method: 'GET',
  path: 'users/*',
  permissions: permissionsToReadUsers,
  options: ['$select'],
  run({ call, view, params }) {
    const select = selected(call);
    checkSelect(select ?? [], [userType], userType.name);
    return entity('users', render(user(view, params[0] ?? ''), userType, select));
  },
};

export const listUsers: GraphOperation = {
  method: 'GET',
  path: 'users',
  permissions: permissionsToReadUsers,
  options: ['$select', '$filter', '$search', '$top', '$count', '$skiptoken'],
  run({ call, view }) {
    const select = selected(call);
    checkSelect(select ?? [], [userType], userType.name);
    const users = { after: (position: number) => view.after('user', position) };
    return page(call, 'users', filtered(call, users, userType), (each) => render(each, userType, select));
  },
};

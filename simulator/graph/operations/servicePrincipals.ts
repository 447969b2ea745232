import type { ServicePrincipal } from '../../tenant/model.ts';
import { exchangeAppId, graphAppId } from '../../tenant/roles.ts';
import { servicePrincipalsOf } from '../../tenant/tenant.ts';
import { appRolesOf } from '../appRoles.ts';
import { assignmentId } from '../assignmentId.ts';
import { objectById, type GraphContext, type GraphOperation } from '../context.ts';
import { notFound } from '../errors.ts';
import { listingOf } from '../listing.ts';
import { servicePrincipalType } from '../properties.ts';
import { checkSelect, entity, filtered, page, render, selected } from '../query.ts';
import { applicationPermissions } from './permissions.ts';

export function servicePrincipalOf({ view, params }: GraphContext): ServicePrincipal {
  const key = params[0] ?? '';
  const appId = /^appId=(.+)$/.exec(key)?.[1];
  const found =
    appId === undefined
      ? objectById(view, key)
      : servicePrincipalsOf(view).find((each) => each.appId === appId.toLowerCase());
  if (found?.type !== 'servicePrincipal') throw notFound(key);
  return found;
}

export const getServicePrincipal: GraphOperation = {
  method: 'GET',
  path: 'servicePrincipals/*',
  permissions: applicationPermissions,
  options: ['$select'],
  run(context) {
    const select = selected(context.call);
    checkSelect(select ?? [], [servicePrincipalType], servicePrincipalType.name);
    return entity('servicePrincipals', render(servicePrincipalOf(context), servicePrincipalType, select));
  },
};

export const listServicePrincipals: GraphOperation = {
  method: 'GET',
  path: 'servicePrincipals',
  permissions: applicationPermissions,
  options: ['$select', '$filter', '$top', '$count', '$skiptoken'],
  run({ call, view }) {
    const select = selected(call);
    checkSelect(select ?? [], [servicePrincipalType], servicePrincipalType.name);
    const found = filtered(call, listingOf(servicePrincipalsOf(view)), servicePrincipalType);
    return page(call, 'servicePrincipals', found, (each) => render(each, servicePrincipalType, select));
  },
};

export const listAppRoleAssignments: GraphOperation = {
  method: 'GET',
  path: 'servicePrincipals/*/appRoleAssignments',
  permissions: applicationPermissions,
  options: ['$top', '$skiptoken'],
  run(context) {
    const owner = servicePrincipalOf(context);
    const resources = [
      { appId: graphAppId, granted: owner.roles.graph },
      { appId: exchangeAppId, granted: owner.roles.exchange },
    ];
    const rows = resources.flatMap(({ appId, granted }) => {
      const resource = servicePrincipalsOf(context.view).find((each) => each.appId === appId);
      return appRolesOf(appId)
        .filter(({ value }) => granted.includes(value))
        .map(({ id }) => ({
          id: assignmentId(owner.id, appId, id),
          createdDateTime: '2025-03-03T08:00:00Z',
          appRoleId: id,
          principalDisplayName: owner.displayName,
          principalId: owner.id,
          principalType: 'ServicePrincipal',
          resourceDisplayName: resource?.displayName ?? null,
          resourceId: resource?.id ?? null,
        }));
    });
    return page(context.call, 'appRoleAssignments', listingOf(rows), (row) => row);
  },
};

import type { AdministrativeUnit } from '../../tenant/model.ts';
import type { GraphOperation } from '../context.ts';
import { notFound } from '../errors.ts';
import type { EntityType } from '../properties.ts';
import { checkSelect, entity, render, selected } from '../query.ts';
import { administrativeUnitPermissions } from './permissions.ts';

export const administrativeUnitType: EntityType<AdministrativeUnit> = {
  name: 'microsoft.graph.administrativeUnit',
  properties: {
    id: (unit) => unit.id,
    displayName: (unit) => unit.displayName,
    isMemberManagementRestricted: (unit) => unit.isMemberManagementRestricted,
  },
  byDefault: ['id', 'displayName', 'isMemberManagementRestricted'],
  filterable: ['displayName'],
  notModelled: ['deletedDateTime', 'description', 'membershipRule', 'membershipType', 'visibility'],
};

const root = 'directory/administrativeUnits';

export const getAdministrativeUnit: GraphOperation = {
  method: 'GET',
  path: `${root}/*`,
  permissions: administrativeUnitPermissions,
  options: ['$select'],
  run({ call, tenant, params }) {
    const select = selected(call);
    checkSelect(select ?? [], [administrativeUnitType], administrativeUnitType.name);
    const wanted = params[0] ?? '';
    const found = tenant.administrativeUnits.find(({ id }) => id === wanted.toLowerCase());
    if (!found) throw notFound(wanted);
    return entity(root, render(found, administrativeUnitType, select));
  },
};

import { json } from '../../http/message.ts';
import type { GraphOperation } from '../context.ts';
import { notFound } from '../errors.ts';
import { listingOf } from '../listing.ts';
import { domainType, type EntityType } from '../properties.ts';
import { checkSelect, entity, page, render, selected } from '../query.ts';
import type { Tenant } from '../../tenant/tenant.ts';
import { domainPermissions, organizationPermissions } from './permissions.ts';

const organizationType: EntityType<Tenant> = {
  name: 'microsoft.graph.organization',
  properties: {
    id: (tenant) => tenant.id,
    displayName: (tenant) => tenant.displayName,
    tenantType: () => 'AAD',
    onPremisesLastSyncDateTime: (tenant) => tenant.syncState.onPremisesLastSyncDateTime,
    onPremisesSyncEnabled: (tenant) => tenant.syncState.onPremisesSyncEnabled,
    verifiedDomains: (tenant) =>
      tenant.domains
        .filter(({ isVerified }) => isVerified)
        .map(({ id, isDefault, isInitial, authenticationType }) => ({
          capabilities: 'Email, OfficeCommunicationsOnline',
          isDefault,
          isInitial,
          name: id,
          type: authenticationType,
        })),
  },
  byDefault: [
    'id',
    'displayName',
    'tenantType',
    'onPremisesLastSyncDateTime',
    'onPremisesSyncEnabled',
    'verifiedDomains',
  ],
  filterable: [],
  notModelled: [
    'assignedPlans',
    'city',
    'country',
    'countryLetterCode',
    'createdDateTime',
    'onPremisesLastPasswordSyncDateTime',
    'provisionedPlans',
    'technicalNotificationMails',
  ],
};

export const getOrganization: GraphOperation = {
  method: 'GET',
  path: 'organization',
  permissions: organizationPermissions,
  options: ['$select'],
  run({ call, tenant }) {
    const select = selected(call);
    checkSelect(select ?? [], [organizationType], organizationType.name);
    return json(200, {
      '@odata.context': 'https://graph.microsoft.com/v1.0/$metadata#organization',
      value: [render(tenant, organizationType, select)],
    });
  },
};

export const listDomains: GraphOperation = {
  method: 'GET',
  path: 'domains',
  permissions: domainPermissions,
  options: ['$select', '$top', '$skiptoken'],
  run({ call, tenant }) {
    const select = selected(call);
    checkSelect(select ?? [], [domainType], domainType.name);
    return page(call, 'domains', listingOf(tenant.domains), (domain) => render(domain, domainType, select));
  },
};

export const getDomain: GraphOperation = {
  method: 'GET',
  path: 'domains/*',
  permissions: domainPermissions,
  options: ['$select'],
  run({ call, tenant, params }) {
    const select = selected(call);
    checkSelect(select ?? [], [domainType], domainType.name);
    const wanted = params[0] ?? '';
    const domain = tenant.domains.find(({ id }) => id === wanted.toLowerCase());
    if (!domain) throw notFound(wanted);
    return entity('domains', render(domain, domainType, select));
  },
};

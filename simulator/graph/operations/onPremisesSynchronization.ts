import { isObject, type JsonObject } from '../../http/json.ts';
import { empty, json } from '../../http/message.ts';
import { syncFeatures } from '../../tenant/dirSync.ts';
import type { OnPremisesSynchronization } from '../../tenant/model.ts';
import type { Tenant } from '../../tenant/tenant.ts';
import { bodyOf, type GraphContext, type GraphOperation } from '../context.ts';
import { badRequest, denied, notFound, unknownProperty } from '../errors.ts';
import type { EntityType } from '../properties.ts';
import { checkSelect, entity, render, selected } from '../query.ts';
import { readSynchronizationPermissions, writeSynchronizationPermissions } from './permissions.ts';

const root = 'directory/onPremisesSynchronization';

const synchronizationType: EntityType<Tenant> = {
  name: 'microsoft.graph.onPremisesDirectorySynchronization',
  properties: {
    // graph.md §3: the tenant's
    id: (tenant) => tenant.id,
    configuration: (tenant) => tenant.onPremisesSynchronization.configuration,
    features: (tenant) => tenant.onPremisesSynchronization.features,
  },
  byDefault: ['id', 'configuration', 'features'],
  filterable: [],
  notModelled: [],
};

/** graph.md §3: the documentation knows delegated permissions only, though app roles exist. */
function refuseAppOnly({ tenant }: GraphContext, access: 'read' | 'readWrite'): void {
  const allowed = tenant.settings.onPremisesSynchronizationAppOnly;
  if (allowed === 'refused' || (access === 'readWrite' && allowed === 'read')) throw denied();
}

function refuseOtherId({ tenant, params }: GraphContext): void {
  const id = params[0] ?? '';
  if (id.toLowerCase() !== tenant.id) throw notFound(id);
}

const get = (path: string): GraphOperation => ({
  method: 'GET',
  path,
  permissions: readSynchronizationPermissions,
  options: ['$select'],
  run(context) {
    const { call, tenant } = context;
    refuseAppOnly(context, 'read');
    const select = selected(call);
    checkSelect(select ?? [], [synchronizationType], synchronizationType.name);
    const found = render(tenant, synchronizationType, select);
    if (path !== root) refuseOtherId(context);
    // graph.md §11: the schema says a collection, an example of the documentation one entity
    return path !== root || tenant.settings.onPremisesSynchronizationForm === 'entity'
      ? entity(root, found)
      : json(200, { '@odata.context': `https://graph.microsoft.com/v1.0/$metadata#${root}`, value: [found] });
  },
});

export const getOnPremisesSynchronization: readonly GraphOperation[] = [get(root), get(`${root}/*`)];

const invalid = (name: string): Error =>
  badRequest(`Invalid value specified for property '${name}' of resource 'OnPremisesDirectorySynchronization'.`);

function only(value: unknown, name: string, known: readonly string[]): JsonObject {
  if (!isObject(value)) throw invalid(name);
  for (const key of Object.keys(value))
    if (!known.includes(key)) throw unknownProperty(key, synchronizationType.name, 'Invalid request body');
  return value;
}

/** facts.synchronizeUpnStays; the words of these refusals are facts.synchronizationRefusals. */
function changedFeatures(present: Record<string, boolean>, given: JsonObject): Record<string, boolean> {
  const changed: Record<string, boolean> = { ...present };
  for (const [name, value] of Object.entries(given)) {
    if (typeof value !== 'boolean') throw invalid(name);
    if (name === 'synchronizeUpnForManagedUsersEnabled' && present[name] === true && !value)
      throw badRequest(`Property '${name}' cannot be turned off once it is on.`);
    changed[name] = value;
  }
  return changed;
}

type Prevention = OnPremisesSynchronization['configuration']['accidentalDeletionPrevention'];
const preventionTypes = ['disabled', 'enabledForCount', 'enabledForPercentage'];

function changedPrevention(present: Prevention, given: JsonObject): Prevention {
  const { synchronizationPreventionType: type, alertThreshold: threshold } = given;
  if (type !== undefined && !(typeof type === 'string' && preventionTypes.includes(type)))
    throw invalid('synchronizationPreventionType');
  if (threshold !== undefined && !Number.isInteger(threshold)) throw invalid('alertThreshold');
  return { ...present, ...(given as Partial<Prevention>) };
}

/** Only what is given changes (graph.md §3). */
export const updateOnPremisesSynchronization: GraphOperation = {
  method: 'PATCH',
  path: `${root}/*`,
  permissions: writeSynchronizationPermissions,
  options: [],
  run(context) {
    refuseAppOnly(context, 'readWrite');
    refuseOtherId(context);
    const synchronization = context.tenant.onPremisesSynchronization;
    const { features = {}, configuration = {} } = only(bodyOf(context.call), 'body', ['features', 'configuration']);
    const { accidentalDeletionPrevention = {} } = only(configuration, 'configuration', [
      'accidentalDeletionPrevention',
    ]);
    const prevention = only(accidentalDeletionPrevention, 'accidentalDeletionPrevention', [
      'synchronizationPreventionType',
      'alertThreshold',
    ]);
    const changed = {
      features: changedFeatures(synchronization.features, only(features, 'features', syncFeatures)),
      configuration: {
        accidentalDeletionPrevention: changedPrevention(
          synchronization.configuration.accidentalDeletionPrevention,
          prevention,
        ),
      },
    };
    Object.assign(synchronization, changed);
    return empty(204);
  },
};

import type { Call } from '../call.ts';
import { Fault } from '../errors.ts';
import { type GraphOutput, isObject } from './answers.ts';
import type { Graph, GraphObject } from './client.ts';
import { textField } from './fields.ts';
import { segment, withQuery } from './odata.ts';

/** The tenant, and whether people come to it from on-premises. */
export interface Organization {
  /** Of the tenant. */
  readonly id: string;
  readonly displayName: string | null;
  /** null: never was. */
  readonly isSynced: boolean | null;
  /** ISO 8601; null: never. */
  readonly lastSyncAt: string | null;
  /** `….onmicrosoft.com`; null where Graph did not say. */
  readonly initialDomain: string | null;
}

/** Graph's schema says a collection, an example of its documentation one entity (graph.md §3, §11): both are read. */
export const synchronizationForms = ['collection', 'single'] as const;
export type SynchronizationForm = (typeof synchronizationForms)[number];

/** What an administrator switches of the synchronization from on-premises. */
export interface Synchronization {
  /** That of the tenant (graph.md §3). */
  readonly id: string;
  readonly form: SynchronizationForm;
  /** By the names of Graph. */
  readonly features: ReadonlyMap<string, boolean>;
  /** `disabled`, `enabledForCount` or `enabledForPercentage`. */
  readonly deletionPrevention: string | null;
  readonly deletionThreshold: number | null;
}

/** Methods throw as those of Graph do. */
export interface GraphSynchronization {
  /** @throws Fault `upstream_failed` where Graph shows none */
  organization(call: Call): Promise<Organization>;
  /** @throws GraphFault `forbidden`: the permission is missing, or apps are refused (graph.md §3) */
  read(call: Call): Promise<Synchronization>;
  setFeature(id: string, feature: string, enabled: boolean, call: Call): Promise<GraphOutput>;
}

const path = '/directory/onPremisesSynchronization';

export function createGraphSynchronization(graph: Graph): GraphSynchronization {
  return {
    organization: async (call) => {
      const $select = 'id,displayName,onPremisesSyncEnabled,onPremisesLastSyncDateTime,verifiedDomains';
      const { items } = await graph.page(withQuery('/organization', { $select }), 'GET /organization', call);
      const [organization] = items;
      if (organization === undefined || textField(organization, 'id') === null) throw noOrganization();
      return readOrganization(organization);
    },

    read: async (call) => {
      const answer = await graph.find(path, `GET ${path}`, call);
      const value = answer?.value;
      const isCollection = Array.isArray(value);
      const found: unknown = isCollection ? value[0] : answer;
      if (!isObject(found) || !isObject(found.features)) throw noSynchronization();
      return readSynchronization(found, found.features, isCollection ? 'collection' : 'single');
    },

    setFeature: (id, feature, enabled, call) =>
      graph.write('PATCH', `${path}/${segment(id)}`, { features: { [feature]: enabled } }, `PATCH ${path}/{id}`, call),
  };
}

function readOrganization(organization: GraphObject): Organization {
  const { onPremisesSyncEnabled: isSynced, verifiedDomains } = organization;
  const domains = Array.isArray(verifiedDomains) ? verifiedDomains.filter(isObject) : [];
  const initial = domains.find(({ isInitial }) => isInitial === true);
  return {
    id: textField(organization, 'id') ?? '',
    displayName: textField(organization, 'displayName'),
    isSynced: typeof isSynced === 'boolean' ? isSynced : null,
    lastSyncAt: textField(organization, 'onPremisesLastSyncDateTime'),
    initialDomain: initial === undefined ? null : textField(initial, 'name'),
  };
}

function readSynchronization(
  synchronization: GraphObject,
  features: GraphObject,
  form: SynchronizationForm,
): Synchronization {
  const { configuration } = synchronization;
  const prevention = isObject(configuration) ? configuration.accidentalDeletionPrevention : null;
  const { alertThreshold } = isObject(prevention) ? prevention : {};
  return {
    id: textField(synchronization, 'id') ?? '',
    form,
    features: new Map(
      Object.entries(features).filter((feature): feature is [string, boolean] => typeof feature[1] === 'boolean'),
    ),
    deletionPrevention: isObject(prevention) ? textField(prevention, 'synchronizationPreventionType') : null,
    deletionThreshold: typeof alertThreshold === 'number' ? alertThreshold : null,
  };
}

/** What is switched is switched for the whole tenant: it must be known which. */
function noOrganization(): Fault {
  return new Fault('upstream_failed', {
    detail: 'Graph shows no organization.',
    fix: 'Repeat the request; if it stays, look at GET /organization in Graph Explorer.',
    upstream: 'graph',
  });
}

function noSynchronization(): Fault {
  return new Fault('upstream_rejected', {
    detail: 'Graph shows no settings of the synchronization from on-premises for this tenant.',
    fix: 'Look at GET /directory/onPremisesSynchronization in Graph Explorer as a Global Administrator: a tenant that was never synced may have none.',
    upstream: 'graph',
  });
}

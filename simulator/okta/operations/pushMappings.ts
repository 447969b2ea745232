import { empty, json, type Call } from '../../http/message.ts';
import { notFound, notModelled, validationFailed } from '../errors.ts';
import type { OktaApp, PushMapping } from '../model.ts';
import { appOf, bodyOf, groupOf, onlyKeys, textAt, type OktaContext, type OktaOperation } from '../operation.ts';
import { page, where } from '../paging.ts';
import { mappingRow } from '../render.ts';
import type { Org } from '../org.ts';

const read = { scopes: ['okta.apps.read', 'okta.groups.read'], capability: 'apps.read' } as const;
const manage = { scopes: ['okta.apps.manage', 'okta.groups.manage'], capability: 'apps.manage' } as const;
const statuses = ['ACTIVE', 'INACTIVE', 'ERROR'];

function testOf(call: Call, app: OktaApp): (mapping: PushMapping) => boolean {
  const { searchParams } = call.url;
  const [source, status, since] = ['sourceGroupId', 'status', 'lastUpdated'].map((name) => searchParams.get(name));
  if (status && !statuses.includes(status))
    throw validationFailed('status', `status: is none of ${statuses.join(', ')}`);
  if (since && !/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/.test(since))
    throw validationFailed('lastUpdated', 'lastUpdated: must have the form YYYY-MM-DDTHH:mm:ssZ');
  return (mapping) =>
    mapping.appId === app.id &&
    (!source || mapping.sourceGroupId === source) &&
    (!status || mapping.status === status) &&
    (!since || Date.parse(mapping.lastUpdated) >= Date.parse(since));
}

const listMappings: OktaOperation = {
  method: 'GET',
  path: '/apps/*/group-push/mappings',
  ...read,
  query: ['after', 'limit', 'lastUpdated', 'sourceGroupId', 'status'],
  run(context) {
    const { call, org, origin, params } = context;
    const test = testOf(call, appOf(context, params[0]));
    return page(
      call,
      { byDefault: 100, most: 1_000 },
      (position) => where(org.pushMappings.after(position), test),
      (mapping) => mappingRow(origin, mapping),
    );
  },
};

function mappingOf(context: OktaContext): PushMapping {
  const [appId, id = ''] = context.params;
  const app = appOf(context, appId);
  const mapping = context.org.pushMappings.get(id);
  if (mapping?.appId !== app.id) throw notFound(id, 'GroupPushMapping');
  return mapping;
}

const getMapping: OktaOperation = {
  method: 'GET',
  path: '/apps/*/group-push/mappings/*',
  ...read,
  run: (context) => json(200, mappingRow(context.origin, mappingOf(context))),
};

/** An initial push; whom it adds in Microsoft 365 is not modelled (facts.oktaPushContents). */
function pushed(org: Org, mapping: PushMapping): PushMapping {
  const { failsWith } = mapping;
  const outcome =
    failsWith === null
      ? ({ status: 'ACTIVE', errorSummary: '' } as const)
      : ({ status: 'ERROR', errorSummary: failsWith } as const);
  return { ...mapping, ...outcome, lastPush: org.now, lastUpdated: org.now };
}

const statusIn = (value: unknown): 'ACTIVE' | 'INACTIVE' => {
  if (value !== 'ACTIVE' && value !== 'INACTIVE')
    throw validationFailed('status', 'status: must be ACTIVE or INACTIVE');
  return value;
};

const createMapping: OktaOperation = {
  method: 'POST',
  path: '/apps/*/group-push/mappings',
  ...manage,
  run(context) {
    const { call, org, origin, params } = context;
    const app = appOf(context, params[0]);
    const body = bodyOf(call);
    onlyKeys(body, ['sourceGroupId', 'targetGroupId', 'targetGroupName', 'status'], '');
    const source = groupOf(context, textAt(body, 'sourceGroupId'));
    if ((body.targetGroupId === undefined) === (body.targetGroupName === undefined))
      throw validationFailed('targetGroupId', 'Exactly one of targetGroupId and targetGroupName must be given.');
    if (body.targetGroupName !== undefined) throw notModelled('targetGroupName');
    const target = groupOf(context, textAt(body, 'targetGroupId'));
    if (target.type !== 'APP_GROUP' || target.sourceAppId !== app.id)
      throw validationFailed('targetGroupId', 'targetGroupId: is no group of this app');
    if ([...org.pushMappings].some(({ appId, sourceGroupId }) => appId === app.id && sourceGroupId === source.id))
      throw validationFailed('sourceGroupId', 'sourceGroupId: is mapped already');
    const now = org.now;
    const mapping: PushMapping = {
      id: org.newId('gPm'),
      appId: app.id,
      sourceGroupId: source.id,
      targetGroupId: target.id,
      status: statusIn(body.status ?? 'ACTIVE'),
      errorSummary: '',
      created: now,
      lastUpdated: now,
      lastPush: now,
      failsWith: null,
    };
    return json(201, mappingRow(origin, org.pushMappings.put(mapping)));
  },
};

/** ACTIVE pushes at once. */
const updateMapping: OktaOperation = {
  method: 'PATCH',
  path: '/apps/*/group-push/mappings/*',
  ...manage,
  run(context) {
    const { call, org, origin } = context;
    const mapping = mappingOf(context);
    const body = bodyOf(call);
    onlyKeys(body, ['status'], '');
    const status = statusIn(body.status);
    const changed: PushMapping =
      status === 'ACTIVE' ? pushed(org, mapping) : { ...mapping, status, errorSummary: '', lastUpdated: org.now };
    return json(200, mappingRow(origin, org.pushMappings.put(changed)));
  },
};

const deleteMapping: OktaOperation = {
  method: 'DELETE',
  path: '/apps/*/group-push/mappings/*',
  ...manage,
  query: ['deleteTargetGroup'],
  run(context) {
    const { call, org } = context;
    const mapping = mappingOf(context);
    const deleteTarget = call.url.searchParams.get('deleteTargetGroup');
    if (deleteTarget === null) throw validationFailed('deleteTargetGroup', 'deleteTargetGroup: must be given');
    if (deleteTarget !== 'false') throw notModelled('deleteTargetGroup=true');
    if (mapping.status === 'ACTIVE') throw validationFailed('status', 'The mapping is not inactive.');
    org.pushMappings.remove(mapping.id);
    return empty(204);
  },
};

export const pushMappingOperations: readonly OktaOperation[] = [
  listMappings,
  getMapping,
  createMapping,
  updateMapping,
  deleteMapping,
];

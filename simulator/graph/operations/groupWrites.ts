import { isStringArray, without, type JsonObject } from '../../http/json.ts';
import { empty } from '../../http/message.ts';
import { legacyExchangeDN, newExchangeGroup, newGroup } from '../../tenant/defaults.ts';
import type { Group } from '../../tenant/model.ts';
import { untyped } from '../../tenant/names.ts';
import { removal } from '../../tenant/tenant.ts';
import { bodyOf, group, objectById, referencedId, type GraphContext, type GraphOperation } from '../context.ts';
import { badRequest, denied, notModelled, unknownProperty } from '../errors.ts';
import { isUnified, refuseDynamic, refuseTaken, refuseUnwritable, withLinks, type Link } from '../groupGuards.ts';
import { groupType } from '../properties.ts';
import { entity, render } from '../query.ts';
import { createPermissions, memberWritePermissions, writePermissions } from './permissions.ts';

type Check = (value: unknown) => boolean;
const isString: Check = (value) => typeof value === 'string';
const isBoolean: Check = (value) => typeof value === 'boolean';
const isText: Check = (value) => value === null || isString(value);

const writable: Record<string, Check> = {
  displayName: (value) => isString(value) && value !== '' && String(value).length <= 256,
  description: isText,
  mailNickname: (value) =>
    isString(value) && /^[\x21-\x7e]{1,64}$/.test(String(value)) && !/[@()\\[\]";:<>,]/.test(String(value)),
  visibility: isText,
  mailEnabled: isBoolean,
  securityEnabled: isBoolean,
};
const atCreation: Record<string, Check> = { ...writable, groupTypes: isStringArray, isAssignableToRole: isBoolean };
const readOnly = ['id', 'createdDateTime', 'mail', 'onPremisesSyncEnabled', 'proxyAddresses', 'isManagementRestricted'];
const binds = ['members@odata.bind', 'owners@odata.bind'];
const MAX_BINDS = 20;

function checkBody(body: JsonObject, known: Record<string, Check>): void {
  for (const [name, value] of Object.entries(body)) {
    if (binds.includes(name)) continue;
    if (readOnly.includes(name)) throw badRequest(`Property '${name}' is read-only and cannot be set.`);
    if (groupType.notModelled.includes(name)) throw notModelled(`writing ${name} of a group`);
    const check = known[name];
    if (!check && Object.hasOwn(groupType.properties, name)) throw notModelled(`writing ${name} of a group here`);
    if (!check) throw unknownProperty(name, groupType.name, 'Invalid request body');
    if (!check(value)) throw badRequest(`Invalid value specified for property '${name}' of resource 'Group'.`);
  }
}

function bound(body: JsonObject, link: Link): string[] {
  const references = body[`${link}@odata.bind`] ?? [];
  if (!Array.isArray(references)) throw badRequest(`Invalid value specified for property '${link}@odata.bind'.`);
  // graph.md §1.3, §1.5: at most 20 in one request
  if (references.length > MAX_BINDS)
    throw badRequest(`The number of references in '${link}' exceeds the maximum of ${String(MAX_BINDS)}.`);
  return references.map(referencedId);
}

function withBinds({ view }: GraphContext, target: Group, body: JsonObject): Group {
  return (['owners', 'members'] as const).reduce((changed, link) => {
    const ids = bound(body, link);
    return ids.length === 0 ? changed : withLinks(changed, link, ids, (id) => objectById(view, id));
  }, target);
}

function refuseKind(body: JsonObject): void {
  const types = isStringArray(body.groupTypes) ? body.groupTypes : [];
  if (types.includes('DynamicMembership')) throw notModelled('creating a group with dynamic membership');
  if (body.mailEnabled === true && !types.includes('Unified'))
    throw badRequest(
      'The service does not currently support writes of mail-enabled groups. Please ensure that the mail-enablement property is unset and the security-enablement property is set.',
    );
  if (body.mailEnabled === false && (body.securityEnabled === false || types.includes('Unified')))
    throw badRequest(
      "Group must be either security enabled or mail enabled, and a 'Unified' group must be mail enabled.",
    );
}

function created(context: GraphContext, body: JsonObject): Group {
  const { tenant, world } = context;
  const now = new Date(world.clock.now()).toISOString().replace(/\.\d+Z$/, 'Z');
  const nickname = String(body.mailNickname);
  const unified = isStringArray(body.groupTypes) && body.groupTypes.includes('Unified');
  const properties = without(body, 'members@odata.bind', 'owners@odata.bind');
  const mail = `${nickname}@${tenant.settings.defaultDomain}`.toLowerCase();
  return newGroup({
    ...(properties as Partial<Group>),
    id: world.random.freshGuid(),
    displayName: String(body.displayName),
    mailNickname: nickname,
    createdDateTime: now,
    ...(unified
      ? {
          mail,
          proxyAddresses: [`SMTP:${mail}`],
          // graph.md §1.2: default Public for a Microsoft 365 group
          visibility: typeof body.visibility === 'string' ? body.visibility : 'Public',
          exchange: newExchangeGroup({
            RecipientTypeDetails: 'GroupMailbox',
            Name: `${nickname}_${world.random.guid(nickname).slice(0, 10)}`,
            WhenChangedUTC: now,
            LegacyExchangeDN: legacyExchangeDN(world.random.freshGuid(), nickname),
          }),
        }
      : {}),
  });
}

export const createGroup: GraphOperation = {
  method: 'POST',
  path: 'groups',
  permissions: createPermissions,
  options: [],
  run(context) {
    const { call, caller, view, tenant } = context;
    const body = bodyOf(call);
    for (const name of ['displayName', 'mailEnabled', 'mailNickname', 'securityEnabled'])
      if (body[name] === undefined) throw badRequest(`A value is required for property '${name}' of resource 'Group'.`);
    checkBody(body, atCreation);
    refuseKind(body);
    if (body.isAssignableToRole === true && !caller.roles.includes('RoleManagement.ReadWrite.Directory'))
      throw denied();
    const group = created(context, body);
    refuseTaken(view, group, group.proxyAddresses.map(untyped));
    const linked = withBinds(context, group, body);
    tenant.commit('entra', [{ put: linked }]);
    return entity('groups', render(linked, groupType, null), 201);
  },
};

export const updateGroup: GraphOperation = {
  method: 'PATCH',
  path: 'groups/*',
  permissions: memberWritePermissions,
  options: [],
  run(context) {
    const { call, caller, tenant, view } = context;
    const body = bodyOf(call);
    const { 'members@odata.bind': members, 'owners@odata.bind': owners, ...properties } = body;
    const onlyMembers = Object.keys(properties).length === 0 && owners === undefined;
    // GroupMember.ReadWrite.All opens the members, nothing else of a group.
    if (!onlyMembers && !caller.roles.some((role) => writePermissions.includes(role))) throw denied();
    const target = group(context);
    refuseUnwritable(target, caller);
    checkBody(body, writable);
    if (members !== undefined) refuseDynamic(target);
    const changed: Group = { ...target, ...(properties as Partial<Group>) };
    if (body.mailNickname !== undefined) refuseTaken(view, changed, []);
    tenant.commit('entra', [{ put: withBinds(context, changed, body) }]);
    return empty(204);
  },
};

export const deleteGroup: GraphOperation = {
  method: 'DELETE',
  path: 'groups/*',
  permissions: writePermissions,
  options: [],
  run(context) {
    const target = group(context);
    // facts.deleteMailEnabledGroup
    refuseUnwritable(target, context.caller);
    const { tenant, view, world } = context;
    if (isUnified(target) || tenant.settings.softDeleteSecurityGroups)
      tenant.deletedItems.add(target, world.clock.now());
    tenant.commit('entra', removal(view, target.id));
    return empty(204);
  },
};

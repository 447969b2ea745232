import { isStringArray, type JsonObject } from '../../http/json.ts';
import { empty } from '../../http/message.ts';
import { editedInCloud } from '../../tenant/dirSync.ts';
import type { User } from '../../tenant/model.ts';
import { bodyOf, user, type GraphOperation } from '../context.ts';
import { badRequest, notModelled, unknownProperty } from '../errors.ts';
import { userType } from '../properties.ts';
import { guardUser } from '../userGuards.ts';
import { userChanged } from '../userWriteRules.ts';
import { deleteUserPermissions, userWritePermissions } from './permissions.ts';

type Check = (value: unknown) => boolean;
const isTextUpTo =
  (length: number): Check =>
  (value) =>
    value === null || (typeof value === 'string' && value !== '' && value.length <= length);
/** graph.md §2.3: these characters, before the @ at most 64. */
const isUserPrincipalName: Check = (value) =>
  typeof value === 'string' && /^[A-Za-z0-9'.\-_!#^~]{1,64}@[A-Za-z0-9.-]+$/.test(value);
/** graph.md §2.1 and §2.2: neither empty nor with $ or _. */
const isImmutableId: Check = (value) =>
  value === null || (typeof value === 'string' && value !== '' && !/[$_]/.test(value));

const writable: Record<string, Check> = {
  accountEnabled: (value) => typeof value === 'boolean',
  businessPhones: (value) => isStringArray(value) && value.length <= 1,
  department: isTextUpTo(64),
  displayName: (value) => value !== null && isTextUpTo(256)(value),
  givenName: isTextUpTo(64),
  jobTitle: isTextUpTo(128),
  mailNickname: (value) => value !== null && isTextUpTo(64)(value),
  mobilePhone: isTextUpTo(64),
  officeLocation: isTextUpTo(128),
  onPremisesImmutableId: isImmutableId,
  otherMails: isStringArray,
  surname: isTextUpTo(64),
  userPrincipalName: isUserPrincipalName,
};
const readOnly = [
  'id',
  'createdDateTime',
  'deletedDateTime',
  'isManagementRestricted',
  'onPremisesDistinguishedName',
  'onPremisesDomainName',
  'onPremisesLastSyncDateTime',
  'onPremisesSamAccountName',
  'onPremisesSyncEnabled',
  'onPremisesUserPrincipalName',
  'proxyAddresses',
];

function checkBody(body: JsonObject): void {
  for (const [name, value] of Object.entries(body)) {
    if (readOnly.includes(name)) throw badRequest(`Property '${name}' is read-only and cannot be set.`);
    const check = Object.hasOwn(writable, name) ? writable[name] : undefined;
    if (!check && (userType.notModelled.includes(name) || Object.hasOwn(userType.properties, name)))
      throw notModelled(`writing ${name} of a user`);
    if (!check) throw unknownProperty(name, userType.name, 'Invalid request body');
    if (!check(value)) throw badRequest(`Invalid value specified for property '${name}' of resource 'User'.`);
  }
}

export const updateUser: GraphOperation = {
  method: 'PATCH',
  path: 'users/*',
  permissions: userWritePermissions,
  options: [],
  run(context) {
    const { call, tenant, view, params } = context;
    const body = bodyOf(call);
    const target = user(view, params[0] ?? '');
    guardUser(context, target, Object.keys(body));
    checkBody(body);
    const put = userChanged(context, target, { ...target, ...(body as Partial<User>) });
    const { bypassDirSyncOverridesEnabled } = tenant.onPremisesSynchronization.features;
    tenant.commit('entra', [{ put: editedInCloud(target, put, bypassDirSyncOverridesEnabled === true) }]);
    return empty(204);
  },
};

/** The user lies among the deleted items from then on (graph.md §8). */
export const deleteUser: GraphOperation = {
  method: 'DELETE',
  path: 'users/*',
  permissions: deleteUserPermissions,
  options: [],
  run(context) {
    const { tenant, view, params } = context;
    const target = user(view, params[0] ?? '');
    guardUser(context, target, ['deletedDateTime']);
    tenant.deleteUser(target);
    return empty(204);
  },
};

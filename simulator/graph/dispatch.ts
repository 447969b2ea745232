import type { Call, Reply } from '../http/message.ts';
import type { AccessToken } from '../tokens/issuer.ts';
import type { World } from '../world.ts';
import { requirePermission, type GraphOperation } from './context.ts';
import { GraphError, graphErrorReply, notModelled } from './errors.ts';
import { refusal } from './limits.ts';
import { getAdministrativeUnit } from './operations/administrativeUnits.ts';
import {
  getDeletedGroup,
  getDeletedItem,
  getDeletedUser,
  listDeletedGroups,
  listDeletedUsers,
  purgeDeletedItem,
  restoreDeletedItem,
} from './operations/deletedItems.ts';
import { getGroup, listGroups } from './operations/groups.ts';
import { createGroup, deleteGroup, updateGroup } from './operations/groupWrites.ts';
import {
  countMembers,
  countOwners,
  listMembers,
  listMembersOfType,
  listOwners,
  listOwnersOfType,
} from './operations/memberLists.ts';
import {
  addMember,
  addOwner,
  deleteMemberObject,
  deleteOwnerObject,
  removeMember,
  removeOwner,
} from './operations/memberWrites.ts';
import { getDomain, getOrganization, listDomains } from './operations/organization.ts';
import { listMemberships } from './operations/memberships.ts';
import {
  getOnPremisesSynchronization,
  updateOnPremisesSynchronization,
} from './operations/onPremisesSynchronization.ts';
import {
  getRoleDefinition,
  listRoleAssignments,
  listRoleDefinitions,
  listRoleEligibilities,
} from './operations/roles.ts';
import { getServicePrincipal, listAppRoleAssignments, listServicePrincipals } from './operations/servicePrincipals.ts';
import { getSyncBehavior } from './operations/syncBehavior.ts';
import { getUser, listUsers } from './operations/users.ts';
import { deleteUser, updateUser } from './operations/userWrites.ts';
import { checkOptions } from './query.ts';

/** Everything of Graph that is modelled; all else is 501. */
const operations: readonly GraphOperation[] = [
  getUser,
  listUsers,
  updateUser,
  deleteUser,
  getGroup,
  listGroups,
  createGroup,
  updateGroup,
  deleteGroup,
  getSyncBehavior,
  listDeletedGroups,
  getDeletedGroup,
  listDeletedUsers,
  getDeletedUser,
  getDeletedItem,
  restoreDeletedItem,
  purgeDeletedItem,
  countMembers,
  countOwners,
  listMembers,
  listMembersOfType,
  listOwners,
  listOwnersOfType,
  addMember,
  addOwner,
  removeMember,
  removeOwner,
  deleteMemberObject,
  deleteOwnerObject,
  getOrganization,
  listDomains,
  getDomain,
  getServicePrincipal,
  listServicePrincipals,
  listAppRoleAssignments,
  listRoleAssignments,
  listRoleDefinitions,
  getRoleDefinition,
  listRoleEligibilities,
  ...listMemberships,
  getAdministrativeUnit,
  ...getOnPremisesSynchronization,
  updateOnPremisesSynchronization,
];

/** /users('x') and /servicePrincipals(appId='x') are /users/x and /servicePrincipals/appId=x. */
function segmentsOf(pathname: string): string[] {
  const segments = pathname.split('/').slice(2).map(decodeURIComponent);
  return segments.flatMap((segment) => {
    const [, name, key, value] = /^(\w+)\((?:(\w+)=)?'(.*)'\)$/.exec(segment) ?? [];
    return name === undefined || value === undefined
      ? [segment]
      : [name, (key ? `${key}=` : '') + value.replaceAll("''", "'")];
  });
}

/** Functions of the collection, which are no ids. */
const isKey = (segment: string): boolean => !segment.startsWith('$') && segment !== 'delta' && segment !== 'getByIds';

function paramsOf(path: string, segments: readonly string[]): string[] | null {
  const wanted = path.split('/');
  if (wanted.length !== segments.length) return null;
  const params: string[] = [];
  for (const [index, segment] of segments.entries()) {
    const part = wanted[index] ?? '';
    if (part.endsWith('*') && segment.startsWith(part.slice(0, -1)) && isKey(segment))
      params.push(segment.slice(part.length - 1));
    else if (part.toLowerCase() !== segment.toLowerCase()) return null;
  }
  return params;
}

function routed(world: World, call: Call, caller: AccessToken): Reply {
  const { tenant } = world;
  if (!call.url.pathname.startsWith('/v1.0/')) throw notModelled(`${call.method} ${call.url.pathname}`);
  let segments: string[];
  try {
    segments = segmentsOf(call.url.pathname);
  } catch {
    throw new GraphError(400, 'BadRequest', 'The request URI is not correctly percent-encoded.');
  }
  // A version inside a batch's relative url (graph.md §7.3); the words are facts.graphBatchRefusals.
  if (segments[0] === 'v1.0') throw new GraphError(400, 'BadRequest', "Resource not found for the segment 'v1.0'.");
  for (const operation of operations) {
    const params = operation.method === call.method ? paramsOf(operation.path, segments) : null;
    if (!params) continue;
    requirePermission(caller, operation.permissions);
    checkOptions(call, operation.options);
    const view = call.method === 'GET' ? tenant.entraAsRead(call.stale) : tenant.view('entra');
    return operation.run({ world, tenant, call, caller, params, view });
  }
  throw notModelled(`${call.method} ${call.url.pathname}`);
}

/** The answer to one call, alone or as a part of a $batch: limits first, then the operation, errors in Graph's words. */
export function dispatch(world: World, call: Call, caller: AccessToken): Reply {
  const refused = refusal(world, call, caller);
  if (refused) return refused;
  try {
    return routed(world, call, caller);
  } catch (error) {
    if (error instanceof GraphError) return graphErrorReply(error, call, world.clock.now());
    throw error;
  }
}

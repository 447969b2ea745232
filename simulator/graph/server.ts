import type { Call, Handler, Reply } from '../http/message.ts';
import { graphAppId } from '../tenant/roles.ts';
import type { World } from '../world.ts';
import { requirePermission, type GraphOperation } from './context.ts';
import { GraphError, graphErrorReply, notModelled } from './errors.ts';
import { refusal } from './limits.ts';
import { getGroup, listGroups } from './operations/groups.ts';
import { createGroup, deleteGroup, updateGroup } from './operations/groupWrites.ts';
import { listMembers, listMembersOfType, listOwners, listOwnersOfType } from './operations/memberLists.ts';
import {
  addMember,
  addOwner,
  deleteMemberObject,
  deleteOwnerObject,
  removeMember,
  removeOwner,
} from './operations/memberWrites.ts';
import { getDomain, getOrganization, listDomains } from './operations/organization.ts';
import {
  getServicePrincipal,
  listAppRoleAssignments,
  listRoleAssignments,
  listServicePrincipals,
} from './operations/servicePrincipals.ts';
import { getUser, listUsers } from './operations/users.ts';
import { checkOptions } from './query.ts';

/** Everything of Graph that is modelled; all else is 501. */
const operations: readonly GraphOperation[] = [
  getUser,
  listUsers,
  getGroup,
  listGroups,
  createGroup,
  updateGroup,
  deleteGroup,
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

const unauthorized = (message: string): GraphError =>
  new GraphError(401, 'InvalidAuthenticationToken', message, {
    'www-authenticate': `Bearer realm="", authorization_uri="https://login.microsoftonline.com/common/oauth2/authorize", client_id="${graphAppId}"`,
  });

const tokenFaults = {
  missing: 'Access token is empty.',
  expired: 'Lifetime validation failed, the token is expired.',
  wrongAudience: 'Access token validation failure. Invalid audience.',
  invalid: 'Access token validation failure. Invalid signature.',
};

async function answer(world: World, call: Call): Promise<Reply> {
  const { tenant } = world;
  const caller = await world.issuer.verify(call.headers.authorization, 'graph', tenant, world.clock);
  if (typeof caller === 'string') throw unauthorized(tokenFaults[caller]);
  // graph.md §6: a token without oid, because the service principal is not in the tenant
  if (caller.objectId === null)
    throw new GraphError(
      403,
      'Authorization_IdentityNotFound',
      'The identity of the calling application could not be established.',
    );
  const refused = refusal(world, call, caller);
  if (refused) return refused;
  if (!call.url.pathname.startsWith('/v1.0/')) throw notModelled(`${call.method} ${call.url.pathname}`);
  let segments: string[];
  try {
    segments = segmentsOf(call.url.pathname);
  } catch {
    throw new GraphError(400, 'BadRequest', 'The request URI is not correctly percent-encoded.');
  }
  for (const operation of operations) {
    const params = operation.method === call.method ? paramsOf(operation.path, segments) : null;
    if (!params) continue;
    requirePermission(caller, operation.permissions);
    checkOptions(call, operation.options);
    return operation.run({ world, tenant, call, caller, params, view: tenant.view('entra', call.stale) });
  }
  throw notModelled(`${call.method} ${call.url.pathname}`);
}

export const graphHandler =
  (world: World): Handler =>
  async (call) => {
    try {
      return await answer(world, call);
    } catch (error) {
      if (error instanceof GraphError) return graphErrorReply(error, call, world.clock.now());
      throw error;
    }
  };

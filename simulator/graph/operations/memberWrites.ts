import { empty } from '../../http/message.ts';
import { bodyOf, group, objectById, referencedId, type GraphOperation } from '../context.ts';
import { badRequest, notFound } from '../errors.ts';
import { refuseDynamic, refuseUnwritable, withLinks, withoutLink, type Link } from '../groupGuards.ts';
import { guardUser } from '../userGuards.ts';
import { deleteUserPermissions, memberWritePermissions, writePermissions } from './permissions.ts';

const addLink = (link: Link, permissions: readonly string[]): GraphOperation => ({
  method: 'POST',
  path: `groups/*/${link}/$ref`,
  permissions,
  options: [],
  run(context) {
    const { call, caller, view, tenant } = context;
    const body = bodyOf(call);
    const unknown = Object.keys(body).filter((key) => key !== '@odata.id');
    if (unknown.length > 0) throw badRequest(`Invalid property '${unknown.join(', ')}'.`);
    const id = referencedId(body['@odata.id']);
    const target = group(context);
    refuseUnwritable(target, caller);
    if (link === 'members') refuseDynamic(target);
    tenant.commit('entra', [{ put: withLinks(target, link, [id], (each) => objectById(view, each)) }]);
    return empty(204);
  },
});

const removeLink = (link: Link, permissions: readonly string[]): GraphOperation => ({
  method: 'DELETE',
  path: `groups/*/${link}/*/$ref`,
  permissions,
  options: [],
  run(context) {
    const { tenant, caller, params } = context;
    const target = group(context);
    refuseUnwritable(target, caller);
    if (link === 'members') refuseDynamic(target);
    const id = (params[1] ?? '').toLowerCase();
    tenant.commit('entra', [{ put: withoutLink(target, link, id, tenant.settings.nonMemberRemovalStatus) }]);
    return empty(204);
  },
});

export const addMember = addLink('members', memberWritePermissions);
export const addOwner = addLink('owners', writePermissions);
export const removeMember = removeLink('members', memberWritePermissions);
export const removeOwner = removeLink('owners', writePermissions);

/** Without /$ref Graph deletes the object itself (graph.md §1.5, CAUTION). */
const deleteTarget = (link: Link): GraphOperation => ({
  method: 'DELETE',
  path: `groups/*/${link}/*`,
  permissions: deleteUserPermissions,
  options: [],
  run(context) {
    const id = (context.params[1] ?? '').toLowerCase();
    const target = objectById(context.view, id);
    if (!group(context)[link].includes(id) || target?.type !== 'user') throw notFound(id);
    guardUser(context, target, ['deletedDateTime']);
    context.tenant.deleteUser(target);
    return empty(204);
  },
});

export const deleteMemberObject = deleteTarget('members');
export const deleteOwnerObject = deleteTarget('owners');

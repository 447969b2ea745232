import { action } from '../../shared/action/contract.ts';
import { groupParams } from '../../shared/action/schemas.ts';
import { memberChangeBody, memberChangeReply } from './memberChange.ts';

export const addMembers = action({
  name: 'addMembers',
  room: 'members',
  method: 'POST',
  route: 'groups/{group}/members',
  summary: 'Add members to a mail-enabled security group or a distribution list',
  authLevel: 'function',
  writes: true,
  params: groupParams,
  body: memberChangeBody,
  successes: { 200: 'What became of each member' },
  reply: memberChangeReply,
  run: ({ params, body, isDryRun, call }, { membership }) =>
    membership.change('add', params.group, body.members, isDryRun, call),
});

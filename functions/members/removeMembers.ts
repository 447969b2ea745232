import { action } from '../../shared/action/contract.ts';
import { groupParams } from '../../shared/action/schemas.ts';
import { memberChangeBody, memberChangeReply } from './memberChange.ts';

export const removeMembers = action({
  name: 'removeMembers',
  room: 'members',
  method: 'POST',
  route: 'groups/{group}/members/remove',
  summary: 'Remove members from a mail-enabled security group or a distribution list',
  authLevel: 'function',
  writes: true,
  params: groupParams,
  body: memberChangeBody,
  successes: { 200: 'What became of each member' },
  reply: memberChangeReply,
  run: ({ params, body, isDryRun, call }, { membership }) =>
    membership.change('remove', params.group, body.members, isDryRun, call),
});

import { Type } from '@sinclair/typebox';
import { action } from '../../shared/action/contract.ts';
import {
  dryRunField,
  groupParams,
  memberList,
  memberResults,
  nullable,
  oneOf,
  writeReply,
} from '../../shared/action/schemas.ts';
import { membershipScopes } from '../../shared/groups/membership/membershipPlan.ts';
import { setMembersOutcomes } from '../../shared/groups/membership/setMembersReply.ts';

export const setMembers = action({
  name: 'setMembers',
  room: 'members',
  method: 'PUT',
  route: 'groups/{group}/members',
  summary: 'Make the members of a group exactly these',
  authLevel: 'function',
  writes: true,
  bodyLimitBytes: 8 * 1_048_576,
  params: groupParams,
  body: Type.Object(
    {
      members: memberList({
        minItems: 0,
        maxItems: 100_000,
        description: 'all members that the group shall have, as a list or as text separated by commas or lines',
      }),
      scope: Type.Optional(
        oneOf(
          membershipScopes,
          '"users" to leave contacts, groups and devices as they are, which is the default; "all" to remove them too',
        ),
      ),
      maxRemovals: Type.Optional(
        Type.Integer({ minimum: 0, maximum: 100_000, description: 'how many members this request may remove' }),
      ),
      allowEmpty: Type.Optional(Type.Boolean({ description: 'true if the group may be left without members' })),
      planId: Type.Optional(
        Type.String({
          pattern: '^[0-9a-f]{32}$',
          description: 'the planId of a dry run, to carry out that plan alone',
        }),
      ),
      dryRun: dryRunField,
    },
    { additionalProperties: false },
  ),
  successes: {
    200: 'What became of each member that is not as it was',
    202: 'The work goes on as an operation',
  },
  reply: writeReply(setMembersOutcomes, {
    groupId: Type.String({ description: "the group's Entra object id" }),
    planId: nullable(Type.String({ description: 'of the plan; null while an operation is still to make it' })),
    operationId: nullable(Type.String({ description: 'of the operation that goes on; null when all is done' })),
    done: Type.Boolean({ description: 'whether nothing is left to be waited for' }),
    retryAfterSeconds: nullable(Type.Integer({ description: 'when to ask for the operation; null when done' })),
    plannedCount: Type.Integer({ description: 'members that would be, or are to be, added or removed' }),
    keptCount: Type.Integer({ description: 'members that are not desired and stay, such as contacts and groups' }),
    ...memberResults,
  }),
  statusOf: ({ done }) => (done ? 200 : 202),
  run: ({ params, body, isDryRun, call }, { membershipSetter }) => {
    const { members, scope = 'users', maxRemovals = null, allowEmpty = false, planId = null } = body;
    return membershipSetter.set(params.group, { members, scope, maxRemovals, allowEmpty, planId, isDryRun }, call);
  },
});

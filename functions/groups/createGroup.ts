import { Type } from '@sinclair/typebox';
import { action } from '../../shared/action/contract.ts';
import {
  dryRunField,
  maxMembersPerRequest,
  memberList,
  memberResults,
  nullable,
  writeReply,
} from '../../shared/action/schemas.ts';
import { creationOutcomes, toGroupRequest } from '../../shared/groups/creation/creationPlan.ts';
import { newGroupFields } from './newGroupFields.ts';

export const createGroup = action({
  name: 'createGroup',
  room: 'groups',
  method: 'POST',
  route: 'groups',
  summary: 'Create a group of any kind: mail-enabled security, distribution list, security or Microsoft 365',
  authLevel: 'function',
  writes: true,
  body: Type.Object(
    {
      ...newGroupFields,
      members: Type.Optional(
        memberList({ minItems: 0, maxItems: maxMembersPerRequest, description: 'the first members, up to 500' }),
      ),
      dryRun: dryRunField,
    },
    { additionalProperties: false },
  ),
  successes: { 200: 'The group existed, or this was a dry run', 201: 'The group was created' },
  reply: writeReply(creationOutcomes, {
    isNew: Type.Boolean({ description: 'whether this request brought the group into being' }),
    id: nullable(Type.String({ description: 'Entra object id; null while it is not known yet' })),
    kind: Type.String(),
    displayName: Type.String(),
    requestedName: Type.String({ description: 'the name asked for; differs from displayName under a naming policy' }),
    alias: Type.String(),
    primarySmtpAddress: nullable(Type.String()),
    description: nullable(Type.String()),
    owners: Type.Array(Type.String()),
    ...memberResults,
  }),
  statusOf: ({ isNew }) => (isNew ? 201 : 200),
  run: async ({ body, isDryRun, call }, { groupCreator }) => {
    const request = toGroupRequest(body);
    const creation = await groupCreator.create(request, isDryRun, call);
    const { outcome, changed, isNew, message, group, owners, membership } = creation;
    const { addedCount, removedCount, unchangedCount, failedCount, firstError, results } = membership;
    return {
      ok: outcome !== 'partial' && outcome !== 'pending' && failedCount === 0,
      outcome,
      changed,
      isNew,
      message,
      id: group?.id ?? null,
      kind: request.kind,
      displayName: group?.displayName ?? request.displayName,
      requestedName: request.displayName,
      alias: group?.alias ?? request.alias,
      primarySmtpAddress: group?.primarySmtpAddress ?? request.primarySmtpAddress,
      description: group === null ? request.description : group.description,
      owners,
      addedCount,
      removedCount,
      unchangedCount,
      failedCount,
      firstError,
      results,
    };
  },
});

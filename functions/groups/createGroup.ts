import { Type } from '@sinclair/typebox';
import { action } from '../../shared/action/contract.ts';
import {
  addressList,
  alias,
  dryRunField,
  maxMembersPerRequest,
  memberList,
  memberResults,
  nullable,
  oneOf,
  smtpAddress,
  writeReply,
} from '../../shared/action/schemas.ts';
import { departRestrictions, groupVisibilities, joinRestrictions } from '../../shared/groups/kindFields.ts';
import { creatableKinds, creationOutcomes, toGroupRequest } from '../../shared/groups/creation/creationPlan.ts';

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
      kind: oneOf(creatableKinds, 'mailEnabledSecurity, distributionList, security or microsoft365'),
      displayName: Type.String({
        pattern: '^\\S(.*\\S)?$',
        maxLength: 256,
        description: 'the name people see, up to 256 characters, without spaces around it',
      }),
      alias: Type.Optional(alias),
      primarySmtpAddress: Type.Optional(smtpAddress),
      description: Type.Optional(Type.String({ minLength: 1, maxLength: 1024, description: 'a text about the group' })),
      owners: memberList({ minItems: 1, maxItems: 50, description: 'at least one owner' }),
      members: Type.Optional(
        memberList({ minItems: 0, maxItems: maxMembersPerRequest, description: 'the first members, up to 500' }),
      ),
      addresses: Type.Optional(
        addressList({ maxItems: 100, description: 'further SMTP addresses, without the primary one' }),
      ),
      hideFromAddressLists: Type.Optional(Type.Boolean({ description: 'true to hide it from the address lists' })),
      requireSenderAuthentication: Type.Optional(
        Type.Boolean({ description: 'false to accept mail from outside; true when absent' }),
      ),
      ignoreNamingPolicy: Type.Optional(
        Type.Boolean({ description: "true to keep the name as it is, whatever the tenant's naming policy" }),
      ),
      joinRestriction: Type.Optional(
        oneOf(joinRestrictions, 'who may join a distribution list by themselves: open, closed or approvalRequired'),
      ),
      departRestriction: Type.Optional(
        oneOf(departRestrictions, 'whether members may leave a distribution list by themselves: open or closed'),
      ),
      visibility: Type.Optional(
        oneOf(groupVisibilities, 'who sees a Microsoft 365 group: Public, Private or HiddenMembership'),
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

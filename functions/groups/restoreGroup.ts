import { Type } from '@sinclair/typebox';
import { action } from '../../shared/action/contract.ts';
import { dryRunField, memberList, nullable, oneOf, writeReply } from '../../shared/action/schemas.ts';
import { restoreItemKinds, restoreItemOutcomes, restoreOutcomes } from '../../shared/groups/restore/restorePlan.ts';
import { deletionIdPattern } from '../../shared/groups/deletion/snapshot.ts';

export const restoreGroup = action({
  name: 'restoreGroup',
  room: 'groups',
  method: 'POST',
  route: 'deleted-groups/{deletionId}/restore',
  summary: 'Bring a deleted group back from its snapshot, and say what could not come back',
  authLevel: 'function',
  writes: true,
  params: Type.Object(
    {
      deletionId: Type.String({
        pattern: `^${deletionIdPattern}$`,
        description: 'the deletionId of the reply of deleteGroup, or of GET deleted-groups',
      }),
    },
    { additionalProperties: false },
  ),
  body: Type.Object(
    {
      members: Type.Optional(Type.Boolean({ description: 'false to leave the members out; true when absent' })),
      owners: Type.Optional(
        memberList({ minItems: 1, maxItems: 50, description: 'owners in place of the former ones' }),
      ),
      dryRun: dryRunField,
    },
    { additionalProperties: false },
  ),
  successes: { 200: 'The group is back, or this was a dry run' },
  reply: writeReply(restoreOutcomes, {
    deletionId: Type.String(),
    id: nullable(Type.String({ description: 'Entra object id of the group that is back; null while it is not known' })),
    formerId: Type.String({ description: 'Entra object id of the deleted group' }),
    kind: Type.String(),
    displayName: Type.String(),
    primarySmtpAddress: nullable(Type.String()),
    restoredCount: Type.Integer({ description: 'rows of results that are as they were; members are counted apart' }),
    notRestoredCount: Type.Integer({ description: 'what is not as it was, members included' }),
    memberCount: Type.Integer({ description: 'members the group had' }),
    restoredMemberCount: Type.Integer({ description: 'of these, how many are back' }),
    firstError: nullable(Type.String({ description: 'the first thing that could not come back, with the reason' })),
    results: Type.Array(
      Type.Object(
        {
          item: Type.String({ description: 'the setting, the address, or who it is about' }),
          kind: oneOf(restoreItemKinds, 'what the item is'),
          outcome: oneOf(restoreItemOutcomes, 'what became of it'),
          code: Type.String({ description: 'the outcome, or the code of the fault' }),
          message: Type.String({ description: 'one sentence for a person' }),
        },
        { additionalProperties: false },
      ),
      { description: 'one row each; of the members those alone that are not back, up to 500 a request' },
    ),
  }),
  run: async ({ params, body, isDryRun, call }, { groupRestorer }) => {
    const { members = true, owners = null } = body;
    const request = { deletionId: params.deletionId, members, owners };
    const restoration = await groupRestorer.restore(request, isDryRun, call);
    const { outcome, changed, message, snapshot, group, rows, restoredMemberCount, lostMemberCount } = restoration;
    const lost = rows.filter((row) => row.outcome === 'not_restored');
    const [first] = lost;
    const others = rows.filter((row) => row.outcome !== 'restored' && row.kind !== 'member');
    return {
      ok: outcome !== 'partial' && outcome !== 'pending',
      outcome,
      changed,
      message,
      deletionId: snapshot.deletionId,
      id: group?.id ?? null,
      formerId: snapshot.id,
      kind: snapshot.kind,
      displayName: group?.displayName ?? snapshot.displayName,
      primarySmtpAddress: group === null ? snapshot.primarySmtpAddress : group.primarySmtpAddress,
      restoredCount: rows.filter((row) => row.outcome === 'restored').length,
      notRestoredCount: others.length + lostMemberCount,
      memberCount: snapshot.memberCount,
      restoredMemberCount,
      firstError: first === undefined ? null : `${first.item}: ${first.message}`,
      results: rows,
    };
  },
});

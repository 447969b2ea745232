import { Type } from '@sinclair/typebox';
import { action } from '../../shared/action/contract.ts';
import { dryRunField, groupParams, nullable, writeReply } from '../../shared/action/schemas.ts';
import { deletionOutcomes } from '../../shared/groups/deletion/deleteGroup.ts';

export const deleteGroup = action({
  name: 'deleteGroup',
  room: 'groups',
  method: 'DELETE',
  route: 'groups/{group}',
  summary: 'Delete a group of any kind, after a snapshot that it can be restored from',
  authLevel: 'function',
  writes: true,
  params: groupParams,
  query: Type.Object(
    {
      confirm: Type.String({
        minLength: 1,
        maxLength: 320,
        description: "the group's primary address or name, as a sign that this group is meant",
      }),
      dryRun: dryRunField,
    },
    { additionalProperties: false },
  ),
  successes: { 200: 'The group is gone, or this was a dry run' },
  reply: writeReply(deletionOutcomes, {
    id: nullable(Type.String({ description: 'Entra object id the group had' })),
    kind: Type.String(),
    displayName: Type.String(),
    primarySmtpAddress: nullable(Type.String()),
    deletionId: nullable(Type.String({ description: 'by which restoreGroup names it; null for a dry run' })),
    restorableUntil: nullable(Type.String({ description: 'when the snapshot is removed; null for a dry run' })),
    memberCount: Type.Integer({ description: 'members in the snapshot' }),
  }),
  run: async ({ params, query, isDryRun, call }, { groupDeleter }) => {
    const deletion = await groupDeleter.delete(params.group, query.confirm, isDryRun, call);
    const { id, kind, displayName, primarySmtpAddress } = deletion.group;
    const { outcome, changed, message, deletionId, restorableUntil, memberCount } = deletion;
    const group = { id, kind, displayName, primarySmtpAddress };
    return { ok: true, outcome, changed, message, ...group, deletionId, restorableUntil, memberCount };
  },
});

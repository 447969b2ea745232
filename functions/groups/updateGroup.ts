import { Type } from '@sinclair/typebox';
import { action } from '../../shared/action/contract.ts';
import {
  addressList,
  dryRunField,
  groupParams,
  memberList,
  nullable,
  oneOf,
  smtpAddress,
  writeReply,
} from '../../shared/action/schemas.ts';
import { departRestrictions, joinRestrictions } from '../../shared/groups/kindFields.ts';
import { changeOutcomes, updateOutcomes } from '../../shared/groups/update/groupChange.ts';
import { groupKinds } from '../../shared/groups/kinds.ts';

const exchangeOnly = 'of distributionList and mailEnabledSecurity only';

function flag(description: string) {
  return Type.Optional(Type.Boolean({ description: `${description}; ${exchangeOnly}` }));
}

/** The whole list; what is not in it goes. */
function people(description: string) {
  const full = `${description}: the whole list, empty to clear it; ${exchangeOnly}`;
  return Type.Optional(memberList({ minItems: 0, maxItems: 100, description: full }));
}

export const updateGroup = action({
  name: 'updateGroup',
  room: 'groups',
  method: 'PATCH',
  route: 'groups/{group}',
  summary: 'Change the settings of a group, as far as its kind allows; what is left out stays',
  authLevel: 'function',
  writes: true,
  params: groupParams,
  body: Type.Object(
    {
      displayName: Type.Optional(
        Type.String({
          pattern: '^\\S(.*\\S)?$',
          maxLength: 256,
          description: 'the name people see, up to 256 characters, without spaces around it',
        }),
      ),
      description: Type.Optional(
        nullable(
          Type.String({ minLength: 1, maxLength: 1024, description: 'a text about the group; null to clear it' }),
        ),
      ),
      owners: Type.Optional(
        memberList({ minItems: 0, maxItems: 100, description: 'all owners, at least one; whom the list lacks goes' }),
      ),
      primarySmtpAddress: Type.Optional(
        Type.String({
          ...smtpAddress,
          description: `an SMTP address like sales@contoso.com; the old primary address stays as a further one, unless addresses is given without it; ${exchangeOnly}`,
        }),
      ),
      addresses: Type.Optional(
        addressList({
          maxItems: 300,
          description: `all further SMTP addresses, without the primary one: what the list lacks goes, also the old primary address when that changes; ${exchangeOnly}`,
        }),
      ),
      hideFromAddressLists: flag('true to hide it from the address lists'),
      requireSenderAuthentication: flag('false to accept mail from outside'),
      joinRestriction: Type.Optional(
        oneOf(joinRestrictions, `who may join: not open for mailEnabledSecurity; ${exchangeOnly}`),
      ),
      departRestriction: Type.Optional(
        oneOf(departRestrictions, `who may leave: not open for mailEnabledSecurity; ${exchangeOnly}`),
      ),
      moderationEnabled: flag('true to have messages approved; mailEnabledSecurity then needs moderatedBy'),
      moderatedBy: people('who approves messages'),
      bypassModerationFrom: people('whose messages need no approval'),
      acceptMessagesFrom: people('who alone may send to the group'),
      rejectMessagesFrom: people('who may not send to the group'),
      sendOnBehalf: people('who may send on behalf of the group'),
      mailTip: Type.Optional(
        nullable(
          Type.String({
            minLength: 1,
            maxLength: 175,
            description: `a text that senders see, up to 175 characters; null to clear it; ${exchangeOnly}`,
          }),
        ),
      ),
      visibility: Type.Optional(oneOf(['Public', 'Private'], 'who sees the content; of microsoft365 only')),
      ignoreNamingPolicy: flag("true to keep displayName as it is, whatever the tenant's naming policy"),
      dryRun: dryRunField,
    },
    { additionalProperties: false },
  ),
  successes: { 200: 'What became of each setting' },
  reply: writeReply(updateOutcomes, {
    id: nullable(Type.String({ description: 'Entra object id' })),
    kind: oneOf(groupKinds, 'the kind of the group'),
    displayName: Type.String(),
    requestedName: Type.String({
      description: 'the name asked for, or else the one it has; differs from displayName under a naming policy',
    }),
    alias: nullable(Type.String()),
    primarySmtpAddress: nullable(Type.String()),
    addresses: Type.Array(Type.String(), { description: 'all SMTP addresses, the primary one included' }),
    owners: Type.Array(Type.String()),
    failedCount: Type.Integer({ description: 'settings that are not, or not known to be, as asked for' }),
    firstError: nullable(Type.String({ description: 'the first setting that failed, with the reason' })),
    changes: Type.Array(
      Type.Object(
        {
          field: Type.String({ description: 'the property of the request' }),
          before: Type.String({ description: 'as text; lists separated by commas, nothing as an empty text' }),
          after: Type.String({ description: 'what it was, or was to be, set to' }),
          outcome: oneOf(changeOutcomes, 'what became of the setting'),
          code: Type.String({ description: 'the outcome, or the code of the fault' }),
          message: Type.String({ description: 'one sentence for a person' }),
        },
        { additionalProperties: false },
      ),
      { description: 'one row for each setting that differed' },
    ),
  }),
  run: async ({ params, body, isDryRun, call }, { groupUpdater }) => {
    const { outcome, changed, message, id, kind, group, rows } = await groupUpdater.update(
      params.group,
      body,
      isDryRun,
      call,
    );
    const failed = rows.filter((row) => row.outcome === 'failed' || row.outcome === 'unknown');
    const [first] = failed;
    return {
      ok: failed.length === 0,
      outcome,
      changed,
      message,
      id,
      kind,
      ...group,
      requestedName: body.displayName ?? group.displayName,
      failedCount: failed.length,
      firstError: first === undefined ? null : `${first.field}: ${first.message}`,
      changes: rows,
    };
  },
});

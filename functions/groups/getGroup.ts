import { Type } from '@sinclair/typebox';
import { action } from '../../shared/action/contract.ts';
import { groupParams, nullable, oneOf, readReply } from '../../shared/action/schemas.ts';
import { groupKinds } from '../../shared/groups/kinds.ts';

export const getGroup = action({
  name: 'getGroup',
  room: 'groups',
  method: 'GET',
  route: 'groups/{group}',
  summary: 'Read a group of any kind, and whether it can be managed from the cloud',
  authLevel: 'function',
  writes: false,
  params: groupParams,
  successes: { 200: 'The group' },
  reply: readReply({
    id: nullable(Type.String({ description: 'Entra object id; null while it is not known yet' })),
    kind: oneOf(groupKinds, 'the kind of the group'),
    displayName: Type.String(),
    name: nullable(Type.String({ description: "Exchange's unique name; null for groups Exchange does not hold" })),
    alias: nullable(Type.String()),
    primarySmtpAddress: nullable(Type.String()),
    addresses: Type.Array(Type.String(), { description: 'all SMTP addresses, the primary one included' }),
    description: nullable(Type.String()),
    owners: Type.Array(Type.String()),
    hideFromAddressLists: nullable(Type.Boolean({ description: 'null for groups Exchange does not hold' })),
    requireSenderAuthentication: nullable(Type.Boolean({ description: 'null for groups Exchange does not hold' })),
    linkable: Type.Boolean({ description: 'whether the group may be managed from the cloud by this app' }),
    blockers: Type.Array(
      Type.Object({ code: Type.String(), message: Type.String(), fix: Type.String() }, { additionalProperties: false }),
      { description: 'why not, the gravest first' },
    ),
  }),
  run: async ({ params, call }, { groupReader }) => {
    const { group, owners, blockers } = await groupReader.describe(params.group, call);
    const { id, kind, displayName, name, alias, primarySmtpAddress, addresses, description, exchange } = group;
    return {
      id,
      kind,
      displayName,
      name,
      alias,
      primarySmtpAddress,
      addresses,
      description,
      owners,
      hideFromAddressLists: exchange?.hideFromAddressLists ?? null,
      requireSenderAuthentication: exchange?.requireSenderAuthentication ?? null,
      linkable: blockers.length === 0,
      blockers,
    };
  },
});

import { Type } from '@sinclair/typebox';
import { action } from '../../shared/action/contract.ts';
import { groupParams, nullable, oneOf, readReply } from '../../shared/action/schemas.ts';
import { departRestrictions, joinRestrictions } from '../../shared/groups/kindFields.ts';
import { groupKinds } from '../../shared/groups/kinds.ts';

function people(description: string) {
  return Type.Array(Type.String(), {
    description: `${description}: addresses where they can be had, otherwise what the directory says`,
  });
}

function remarks(description: string) {
  return Type.Array(
    Type.Object({ code: Type.String(), message: Type.String(), fix: Type.String() }, { additionalProperties: false }),
    { description },
  );
}

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
    owners: people('who owns the group'),
    hideFromAddressLists: nullable(Type.Boolean({ description: 'null for groups Exchange does not hold' })),
    requireSenderAuthentication: nullable(Type.Boolean({ description: 'null for groups Exchange does not hold' })),
    joinRestriction: nullable(oneOf(joinRestrictions, 'who may join; null for groups Exchange does not hold')),
    departRestriction: nullable(oneOf(departRestrictions, 'who may leave; null for groups Exchange does not hold')),
    moderationEnabled: nullable(Type.Boolean({ description: 'null for groups Exchange does not hold' })),
    moderatedBy: people('who approves messages'),
    bypassModerationFrom: people('whose messages need no approval'),
    acceptMessagesFrom: people('who alone may send to the group; empty: everybody'),
    rejectMessagesFrom: people('who may not send to the group'),
    sendOnBehalf: people('who may send on behalf of the group'),
    visibility: nullable(
      Type.String({ description: 'Public, Private or HiddenMembership; null where Entra says none' }),
    ),
    isTeam: Type.Boolean({ description: 'whether a Team hangs on the group' }),
    linkable: Type.Boolean({ description: 'whether the group may be managed from the cloud by this app' }),
    blockers: remarks('why not, the gravest first'),
    notes: remarks('what does not stand in the way and should be known'),
    oktaLinkable: Type.Boolean({ description: "whether Okta's own Office 365 app can push to it or link it" }),
    oktaReason: nullable(Type.String({ description: 'why not, as a sentence' })),
  }),
  run: async ({ params, call }, { groupReader }) => {
    const description = await groupReader.describe(params.group, call);
    const { group, people, linkable, blockers, notes, oktaLinkable, oktaReason } = description;
    const { exchange, graph } = group;
    return {
      id: group.id,
      kind: group.kind,
      displayName: group.displayName,
      name: group.name,
      alias: group.alias,
      primarySmtpAddress: group.primarySmtpAddress,
      addresses: group.addresses,
      description: group.description,
      ...people,
      hideFromAddressLists: exchange?.hideFromAddressLists ?? null,
      requireSenderAuthentication: exchange?.requireSenderAuthentication ?? null,
      joinRestriction: exchange?.joinRestriction ?? null,
      departRestriction: exchange?.departRestriction ?? null,
      moderationEnabled: exchange?.moderationEnabled ?? null,
      visibility: graph?.visibility ?? null,
      isTeam: graph?.isTeam ?? false,
      linkable,
      blockers,
      notes,
      oktaLinkable,
      oktaReason,
    };
  },
});

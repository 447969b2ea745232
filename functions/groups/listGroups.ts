import { Type } from '@sinclair/typebox';
import { action } from '../../shared/action/contract.ts';
import { groupKinds } from '../../shared/groups/kinds.ts';
import { nullable, oneOf, readReply } from '../../shared/action/schemas.ts';

export const listGroups = action({
  name: 'listGroups',
  room: 'groups',
  method: 'GET',
  route: 'groups',
  summary: 'List groups of all kinds a page at a time, with why one cannot be managed or is missing in Okta',
  authLevel: 'function',
  writes: false,
  query: Type.Object(
    {
      kind: Type.Optional(oneOf(groupKinds, 'one of the kinds of group')),
      linkable: Type.Optional(
        Type.Boolean({ description: 'true for groups that this app may manage, false for others' }),
      ),
      text: Type.Optional(
        Type.String({
          minLength: 2,
          maxLength: 256,
          description: 'two characters or more of the display name or an address, whatever the case',
        }),
      ),
      limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 100, description: 'a page size from 1 to 100' })),
      cursor: Type.Optional(
        Type.String({ minLength: 1, maxLength: 4096, description: 'nextCursor of the page before' }),
      ),
    },
    { additionalProperties: false },
  ),
  successes: { 200: 'A page of groups' },
  reply: readReply({
    groups: Type.Array(
      Type.Object(
        {
          id: nullable(Type.String({ description: 'Entra object id; null for a dynamic distribution group' })),
          kind: oneOf(groupKinds, 'the kind of the group'),
          displayName: Type.String(),
          alias: nullable(Type.String()),
          primarySmtpAddress: nullable(Type.String()),
          description: nullable(Type.String()),
          linkable: Type.Boolean({ description: 'whether the group may be managed from the cloud by this app' }),
          blockerCodes: Type.String({
            description: 'why not, separated by commas, the gravest first; empty when linkable',
          }),
          blockerMessage: nullable(Type.String({ description: 'the gravest reason as a sentence' })),
          oktaLinkable: Type.Boolean({ description: "whether Okta's own Office 365 app can push to it or link it" }),
          oktaReason: nullable(Type.String({ description: 'why not, as a sentence' })),
        },
        { additionalProperties: false },
      ),
    ),
    count: Type.Integer({ description: 'groups on this page' }),
    hasMore: Type.Boolean({ description: 'whether there is a further page, which may turn out to be empty' }),
    nextCursor: nullable(Type.String({ description: 'the cursor of the next page; null at the end' })),
  }),
  run: async ({ query, call }, { groupLister }) => {
    const filter = { kind: query.kind ?? null, linkable: query.linkable ?? null, text: query.text ?? null };
    const page = { limit: query.limit ?? 50, cursor: query.cursor ?? null };
    const { groups, nextCursor } = await groupLister.list(filter, page, call);
    return { groups, count: groups.length, hasMore: nextCursor !== null, nextCursor };
  },
});

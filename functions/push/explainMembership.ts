import { Type } from '@sinclair/typebox';
import { action } from '../../shared/action/contract.ts';
import { nullable, oneOf, readReply } from '../../shared/action/schemas.ts';
import { linkNames } from '../../shared/push/explain/links.ts';
import { verdicts } from '../../shared/push/explain/verdict.ts';
import { mappingStatuses } from '../../shared/push/mapping.ts';
import { mappingParams } from './mappingReply.ts';

export const explainMembership = action({
  name: 'explainMembership',
  room: 'push',
  method: 'GET',
  route: 'push-mappings/{oktaGroupId}/members/{user}',
  summary: 'Explain link by link why somebody is, or is not, in the group that follows an Okta group',
  authLevel: 'function',
  writes: false,
  params: Type.Object(
    {
      ...mappingParams.properties,
      user: Type.String({
        minLength: 1,
        maxLength: 320,
        description: 'the Okta id or login of a user, a UPN, an address or an Entra object id',
      }),
    },
    { additionalProperties: false },
  ),
  successes: { 200: 'The chain from Okta to the group' },
  reply: readReply({
    verdict: oneOf(
      verdicts,
      'member: as desired; missing: desired and no member; not_desired: neither; kept: a member that is not desired and stays; to_be_removed: one that goes; unknown',
    ),
    message: Type.String({ description: 'one sentence for a person' }),
    fix: nullable(Type.String({ description: 'what to do about it; null: nothing' })),
    brokenAt: nullable(oneOf(linkNames, 'the first link that is broken; null: none is known to be')),
    isDesired: nullable(Type.Boolean({ description: 'null: it cannot be told' })),
    isMember: nullable(Type.Boolean({ description: 'null: it cannot be told' })),
    user: Type.String({ description: 'as asked for' }),
    oktaUserId: nullable(Type.String()),
    login: nullable(Type.String({ description: 'in Okta' })),
    entraId: nullable(Type.String({ description: 'Entra object id' })),
    oktaGroupId: Type.String(),
    oktaGroupName: nullable(Type.String({ description: 'null: the group has no mapping' })),
    targetId: nullable(Type.String({ description: "the target's Entra object id" })),
    targetName: nullable(Type.String()),
    status: nullable(oneOf(mappingStatuses, 'of the mapping')),
    links: Type.Array(
      Type.Object(
        {
          link: oneOf(linkNames, 'one thing that must be so'),
          ok: nullable(Type.Boolean({ description: 'null: it could not be judged' })),
          code: Type.String({ description: 'ok, unknown, or what is wrong' }),
          message: Type.String({ description: 'one sentence for a person' }),
          fix: nullable(Type.String({ description: 'null: there is nothing to mend' })),
        },
        { additionalProperties: false },
      ),
      { description: 'from Okta to the group, in order' },
    ),
  }),
  run: async ({ params, call }, { membershipExplainer }) => {
    const { oktaGroupId, user } = params;
    const { mapping, links, ...explanation } = await membershipExplainer.explain(oktaGroupId, user, call);
    const { oktaGroupName = null, targetId = null, targetName = null, status = null } = mapping ?? {};
    return { ...explanation, user, oktaGroupId, oktaGroupName, targetId, targetName, status, links };
  },
});

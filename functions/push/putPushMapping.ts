import { Type } from '@sinclair/typebox';
import { action } from '../../shared/action/contract.ts';
import { dryRunField, oneOf, writeReply } from '../../shared/action/schemas.ts';
import { textListKeyword } from '../../shared/action/textLists.ts';
import { authorities, countableStatuses } from '../../shared/push/mapping.ts';
import { chooseTarget } from '../../shared/push/mappings/mappingTarget.ts';
import { putOutcomes } from '../../shared/push/mappings/putMapping.ts';
import { newGroupFields } from '../groups/newGroupFields.ts';
import { mappingFields, mappingParams, planFields, showMapping, showPlan } from './mappingReply.ts';

export const putPushMapping = action({
  name: 'putPushMapping',
  room: 'push',
  method: 'PUT',
  route: 'push-mappings/{oktaGroupId}',
  summary: 'Let a group follow an Okta group: link or create it; nothing is written before its plan is approved',
  authLevel: 'function',
  writes: true,
  params: mappingParams,
  body: Type.Object(
    {
      target: Type.Optional(
        Type.String({
          minLength: 1,
          maxLength: 320,
          description: "an existing group's Entra object id, an SMTP address of it, or its exact name",
        }),
      ),
      create: Type.Optional(
        Type.Object(newGroupFields, {
          additionalProperties: false,
          description: 'a group to be created, as createGroup takes it without members: they come from Okta',
        }),
      ),
      authority: Type.Optional(
        oneOf(
          authorities,
          'what the mapping may remove: "additive" nothing, "managed" what it has added, "exclusive" everybody else',
        ),
      ),
      desiredStatuses: Type.Optional(
        Type.Array(oneOf(countableStatuses, 'a status of Okta users'), {
          minItems: 1,
          maxItems: 50,
          description: 'statuses of Okta users that count as desired',
          [textListKeyword]: true,
        }),
      ),
      oktaAppId: Type.Optional(
        Type.Unsafe<string | null>({
          type: ['string', 'null'],
          pattern: '^[A-Za-z0-9_-]{1,64}$',
          description: 'the id of the Office 365 app in Okta, whose users say who is who in Entra; null for none',
        }),
      ),
      neverRemove: Type.Optional(
        Type.Array(
          Type.String({
            pattern: '^[^\\s,;]+$',
            maxLength: 320,
            description: 'an Entra object id, a UPN or an address, with * for any run of characters',
          }),
          { maxItems: 100, description: 'who is never removed, up to 100 entries', [textListKeyword]: true },
        ),
      ),
      maxAdditions: Type.Optional(
        Type.Unsafe<number | null>({
          type: ['integer', 'null'],
          minimum: 0,
          maximum: 100_000,
          description: 'how many members may come within 24 hours, up to 100,000; null for any number',
        }),
      ),
      adoptMembers: Type.Optional(
        Type.Boolean({ description: 'true if who is desired and a member already counts as added by the mapping' }),
      ),
      renameTarget: Type.Optional(Type.Boolean({ description: 'true to rename the target with the Okta group' })),
      reportOnly: Type.Optional(Type.Boolean({ description: 'true to report differences and write nothing' })),
      closeMembership: Type.Optional(
        Type.Boolean({ description: 'true so that nobody joins or leaves the distribution list by themselves' }),
      ),
      dryRun: dryRunField,
    },
    { additionalProperties: false },
  ),
  successes: {
    200: 'The mapping was there, or this was a dry run',
    201: 'The mapping was made',
    202: 'The mapping is stored, and its plan is made by an operation',
  },
  reply: writeReply(putOutcomes, {
    isNew: Type.Boolean({ description: 'whether this request made the mapping' }),
    ...mappingFields,
    ...planFields,
  }),
  statusOf: ({ isNew, done }) => (done ? (isNew ? 201 : 200) : 202),
  run: async ({ params, body, isDryRun, call }, { mappingPutter }) => {
    const { target, create, closeMembership = false, ...settings } = body;
    const choice = chooseTarget(target, create);
    const request = { choice, settings, closeMembership, isDryRun };
    const { ok, outcome, changed, isNew, message, mapping, plan } = await mappingPutter.put(
      params.oktaGroupId,
      request,
      call,
    );
    return { ok, outcome, changed, isNew, message, ...showMapping(mapping), ...showPlan(plan) };
  },
});

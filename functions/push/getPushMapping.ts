import { Type } from '@sinclair/typebox';
import { action } from '../../shared/action/contract.ts';
import { nullable, readReply } from '../../shared/action/schemas.ts';
import { isoOf, mappingFields, mappingParams, showMapping } from './mappingReply.ts';

/** The oldest; more are found mended or not when these are. */
const maxProblems = 100;

export const getPushMapping = action({
  name: 'getPushMapping',
  room: 'push',
  method: 'GET',
  route: 'push-mappings/{oktaGroupId}',
  summary: 'Read a push mapping: its settings, how it stands, what waits, and who is not a member although desired',
  authLevel: 'function',
  writes: false,
  params: mappingParams,
  successes: { 200: 'The mapping' },
  reply: readReply({
    ...mappingFields,
    managedCount: Type.Integer({ description: 'members that the mapping has added' }),
    pendingCount: Type.Integer({ description: 'people, or the group itself, that wait to be looked at' }),
    pendingSince: nullable(Type.String({ description: 'since when the first of them waits; null: nobody waits' })),
    nextDueAt: nullable(Type.String({ description: 'when the next of them is looked at; null: nobody waits' })),
    problemCount: Type.Integer({ description: 'people who are desired and no members' }),
    problems: Type.Array(
      Type.Object(
        {
          login: Type.String({ description: 'in Okta' }),
          oktaUserId: Type.String(),
          code: Type.String({ description: 'why not' }),
          message: Type.String({ description: 'one sentence for a person' }),
          since: Type.String(),
        },
        { additionalProperties: false },
      ),
      { description: `the oldest of them, up to ${maxProblems}` },
    ),
  }),
  run: async ({ params, call }, { mappingReader }) => {
    const { mapping, pending, managedCount, problems } = await mappingReader.report(params.oktaGroupId, call);
    return {
      ...showMapping(mapping),
      managedCount,
      pendingCount: pending.count,
      pendingSince: isoOf(pending.waitingSinceMs),
      nextDueAt: isoOf(pending.nextDueAtMs),
      problemCount: problems.length,
      problems: problems.slice(0, maxProblems).map(({ login, oktaUserId, problem }) => {
        const { code, message, sinceMs } = problem;
        return { login, oktaUserId, code, message, since: new Date(sinceMs).toISOString() };
      }),
    };
  },
});

import { Type } from '@sinclair/typebox';
import { action } from '../../shared/action/contract.ts';
import { nullable, oneOf, readReply } from '../../shared/action/schemas.ts';
import { connectionChecks } from '../../shared/connection/testConnection.ts';

export const testConnection = action({
  name: 'testConnection',
  room: 'connection',
  method: 'GET',
  route: 'connection',
  summary: 'Check tokens, permissions, Exchange roles and storage, with the cause and the fix of what fails',
  authLevel: 'function',
  writes: false,
  successes: { 200: 'One row a check' },
  reply: readReply({
    ok: Type.Boolean({ description: 'whether every check passed' }),
    message: Type.String({ description: 'one sentence for a person' }),
    failedCount: Type.Integer(),
    firstError: nullable(Type.String()),
    checks: Type.Array(
      Type.Object(
        {
          check: oneOf(connectionChecks, 'what was tested'),
          ok: Type.Boolean(),
          code: nullable(Type.String()),
          message: Type.String(),
          fix: nullable(Type.String({ description: 'beside ok a warning: of use where such groups are written' })),
        },
        { additionalProperties: false },
      ),
    ),
  }),
  run: async ({ call }, { connectionTester }) => {
    const checks = await connectionTester.test(call);
    const failed = checks.filter(({ ok }) => !ok);
    const [first] = failed;
    const warned = checks.filter(({ ok, fix }) => ok && fix !== null).map(({ check }) => check);
    return {
      ok: failed.length === 0,
      message:
        failed.length === 0
          ? `Everything this app needs works.${warned.length === 0 ? '' : ` See also ${warned.join(', ')}.`}`
          : `${failed.length} of ${checks.length} checks failed.`,
      failedCount: failed.length,
      firstError: first === undefined ? null : `${first.check}: ${first.message}`,
      checks,
    };
  },
});

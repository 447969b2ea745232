import type { Call, Handler, Reply } from '../http/message.ts';
import { graphAppId } from '../tenant/roles.ts';
import type { World } from '../world.ts';
import { batch } from './batch.ts';
import { dispatch } from './dispatch.ts';
import { GraphError, graphErrorReply } from './errors.ts';

const unauthorized = (message: string): GraphError =>
  new GraphError(401, 'InvalidAuthenticationToken', message, {
    'www-authenticate': `Bearer realm="", authorization_uri="https://login.microsoftonline.com/common/oauth2/authorize", client_id="${graphAppId}"`,
  });

const tokenFaults = {
  missing: 'Access token is empty.',
  expired: 'Lifetime validation failed, the token is expired.',
  wrongAudience: 'Access token validation failure. Invalid audience.',
  invalid: 'Access token validation failure. Invalid signature.',
};

async function answer(world: World, call: Call): Promise<Reply> {
  const caller = await world.issuer.verify(call.headers.authorization, 'graph', world.tenant, call.heardAtMs);
  if (typeof caller === 'string') throw unauthorized(tokenFaults[caller]);
  // graph.md §6: a token without oid, because the service principal is not in the tenant
  if (caller.objectId === null)
    throw new GraphError(
      403,
      'Authorization_IdentityNotFound',
      'The identity of the calling application could not be established.',
    );
  if (call.method === 'POST' && call.url.pathname === '/v1.0/$batch') return batch(world, call, caller);
  return dispatch(world, call, caller);
}

export const graphHandler =
  (world: World): Handler =>
  async (call) => {
    try {
      return await answer(world, call);
    } catch (error) {
      if (error instanceof GraphError) return graphErrorReply(error, call, world.clock.now());
      throw error;
    }
  };

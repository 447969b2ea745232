import { throttled } from '../http/faultReplies.ts';
import { isRead } from '../http/faults.ts';
import { json, type Call, type Reply } from '../http/message.ts';
import type { AccessToken } from '../tokens/issuer.ts';
import type { World } from '../world.ts';

/** 429 for a call over the limit that the tenant's settings put on Graph, as graph.md §7.1 has it. */
export function refusal(world: World, call: Call, caller: AccessToken): Reply | null {
  const effect = isRead(call) ? 'read' : 'write';
  const limit = world.limits.refusal('graph', effect);
  if (!limit) return null;
  const now = world.clock.now();
  const scope = { read: 'Read', write: 'Write', both: 'ReadWrite' }[limit.effect ?? 'both'];
  return json(
    429,
    {
      error: {
        code: 'TooManyRequests',
        innerError: {
          code: '429',
          date: new Date(now).toISOString().slice(0, 19),
          message: 'Please retry after',
          'request-id': call.requestId,
          status: '429',
        },
        message: 'Please retry again later.',
      },
    },
    {
      ...throttled('graph', limit, now).headers,
      'x-ms-throttle-scope': `Tenant_Application/${scope}/${caller.appId}/${world.tenant.id}`,
      'x-ms-throttle-information': effect === 'write' ? 'WriteLimitExceeded' : 'ResourceUnitLimitExceeded',
    },
  );
}

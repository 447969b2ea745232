import { throttled } from '../http/faultReplies.ts';
import { isRead } from '../http/faults.ts';
import type { Reply } from '../http/message.ts';
import type { World } from '../world.ts';

/** 429 for a command over the limit that the tenant's settings put on Exchange: facts.exchangeThrottled. */
export function refusal(world: World, cmdlets: readonly string[]): Reply | null {
  const effect = isRead({ method: 'POST', cmdlets }) ? 'read' : 'write';
  const limit = world.limits.refusal('exchange', effect);
  return limit && throttled('exchange', limit, world.clock.now());
}

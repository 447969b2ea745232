import { isFault } from '../errors.ts';
import { isGraphFault } from '../graph/errors.ts';
import type { Reading } from './facts.ts';

/**
 * What a missing grant or licence keeps from being read says so; what may pass is thrown.
 * @param options.isNeeded false: an outage or a throttle says so as well, since the rest is worth having without it
 */
export async function attempt<Value>(
  read: () => Promise<Value>,
  { isNeeded = true }: { isNeeded?: boolean } = {},
): Promise<Reading<Value>> {
  try {
    return { known: true, value: await read() };
  } catch (error) {
    const isLasting =
      isGraphFault(error, 'forbidden', 'rejected') ||
      isFault(error, 'okta_api_required', 'okta_forbidden', 'okta_credential_rejected', 'upstream_rejected');
    const isSpared = !isNeeded && isFault(error, 'upstream_failed', 'throttled');
    if (!isLasting && !isSpared) throw error;
    return { known: false, why: { code: error.code, message: error.message, fix: error.fix } };
  }
}

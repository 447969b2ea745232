import type { Call } from '../../call.ts';
import { isFault } from '../../errors.ts';
import type { PushPending } from '../store/pendingStore.ts';

/** Of a mapping that is INACTIVE now: what stays behind is passed over, so that it must not fail what was done. */
export async function dropPending(
  pushPending: Pick<PushPending, 'removeAll'>,
  oktaGroupId: string,
  call: Call,
): Promise<void> {
  try {
    await pushPending.removeAll(oktaGroupId, call.proving());
  } catch (error) {
    if (!isFault(error)) throw error;
    call.warn('What was pending could not be removed; it is passed over while the mapping is INACTIVE.');
  }
}

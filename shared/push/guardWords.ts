import type { GuardWords } from '../groups/membership/removalGuard.ts';
import type { PushMapping } from './mapping.ts';

/**
 * How the guard speaks of a mapping: it may stop a worker as well, behind which nobody stands who could repeat a request.
 * Pure.
 * @param undone what was not done, as a sentence
 */
export function guardWords(
  { oktaGroupId, status }: Pick<PushMapping, 'oktaGroupId' | 'status'>,
  undone: string,
): GuardWords {
  const push = `POST push-mappings/${oktaGroupId}/push`;
  const approve = `approve it with PUT push-mappings/${oktaGroupId}/status, its planId and`;
  return {
    undone,
    look: `Look at the plan with ${push} and "dryRun": true.`,
    allow: status === 'INACTIVE' ? approve : `send ${push} with`,
  };
}

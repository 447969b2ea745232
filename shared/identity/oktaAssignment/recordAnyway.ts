import type { Audit, Intent, Written } from '../../audit/audit.ts';
import type { Call } from '../../call.ts';
import { isFault } from '../../errors.ts';

/** On the way back nothing is left undone for the audit's sake (design §6.8): without an intent the log has it. */
export async function recordAnyway<Result>(
  audit: Audit,
  intent: Intent,
  call: Call,
  write: () => Promise<Written<Result>>,
): Promise<Result> {
  const begun = { value: false };
  try {
    return await audit.record(intent, call, () => {
      begun.value = true;
      return write();
    });
  } catch (error) {
    if (begun.value || !isFault(error, 'audit_unavailable')) throw error;
    const { operation, targetId } = intent;
    call.log.error({ event: 'audit_intent_lost', requestId: call.requestId, operation, targetId }, error);
    return (await write()).result;
  }
}

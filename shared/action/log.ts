import type { InvocationContext } from '@azure/functions';
import type { Log, LogFields } from '../call.ts';
import { redact } from '../upstream/redact.ts';

/** One JSON object a line, which the Functions host ships to Application Insights as it is. */
export function createLog(context: Pick<InvocationContext, 'info' | 'warn' | 'error'>): Log {
  const line = (fields: LogFields) => JSON.stringify(fields);
  return {
    info: (fields) => context.info(line(fields)),
    warn: (fields) => context.warn(line(fields)),
    error: (fields, cause) => context.error(line(cause === undefined ? fields : { ...fields, error: describe(cause) })),
  };
}

/** The stack of an unexpected error and of what caused it, without secrets. */
function describe(error: unknown): string {
  if (!(error instanceof Error)) return redact(String(error));
  const cause = error.cause === undefined ? '' : ` caused by ${describe(error.cause)}`;
  return redact(error.stack ?? error.message) + cause;
}

import { inspect } from 'node:util';
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

/** Whoever caused each other in a circle is told once. */
const causesTold = 5;

/** The stack of an unexpected error and of what caused it, without secrets. Never throws: it is the last to speak. */
function describe(error: unknown, told = 1): string {
  if (!(error instanceof Error)) return redact(inspect(error, { depth: 1 }));
  const isLast = error.cause === undefined || told === causesTold;
  return redact(error.stack ?? error.message) + (isLast ? '' : ` caused by ${describe(error.cause, told + 1)}`);
}

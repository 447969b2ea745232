import { randomUUID } from 'node:crypto';
import type { HttpHandler, HttpRequest } from '@azure/functions';
import { type Call, type CallTimes, startCall } from '../call.ts';
import type { Clock } from '../clock.ts';
import { type Fault, faultTable, toFault } from '../errors.ts';
import { createLog } from './log.ts';
import { faultReply, outcomeModeHeader, type Reply } from './reply.ts';

export interface Wrapped {
  readonly name: string;
  /** 25 s in all when absent. */
  readonly times?: CallTimes;
  /** What the caller may know of a fault; the log has it whole. All of it when absent. */
  readonly tell?: (fault: Fault) => Fault;
}

export interface Wrapping {
  readonly reply: Reply;
  /** For the log. */
  readonly outcome: string | null;
  readonly isDryRun: boolean | null;
}

type WrappedCall = Call & { readonly warnings: readonly string[] };

/**
 * The one wrapper around everything that is called over HTTP: request id, deadline, one log line. Whatever is thrown ends
 * as a problem reply; the host's empty 500 is never reached (functions.md §2).
 */
export function wrapHandler(
  { name, times, tell = (fault) => fault }: Wrapped,
  clock: Clock,
  answer: (request: HttpRequest, call: WrappedCall) => Promise<Wrapping>,
): HttpHandler {
  return async (request, context) => {
    const startedAtMs = clock.now();
    const requestId = readRequestId(request);
    const log = createLog(context);
    const call = startCall({ requestId, action: name, log, ...(times && { times }) }, clock);
    const summary = { event: 'call', action: name, requestId };
    const durationMs = () => clock.now() - startedAtMs;
    try {
      const { reply, outcome, isDryRun } = await answer(request, call);
      log.info({ ...summary, status: reply.status, outcome, code: null, dryRun: isDryRun, durationMs: durationMs() });
      return reply;
    } catch (error) {
      const fault = toFault(error);
      const { status } = faultTable[fault.code];
      const line = { ...summary, status, outcome: null, code: fault.code, dryRun: null, durationMs: durationMs() };
      if (status >= 500) log.error(line, fault);
      else log.warn(line);
      const isFlow = request.headers.get(outcomeModeHeader)?.trim().toLowerCase() === 'flow';
      return faultReply(tell(fault), { requestId, isFlow });
    } finally {
      call.end();
    }
  };
}

/** A caller's id is taken over when it cannot break a log line or a table key. */
function readRequestId(request: HttpRequest): string {
  const given = request.headers.get('x-request-id');
  return given !== null && /^[\w.-]{1,128}$/.test(given) ? given : randomUUID();
}

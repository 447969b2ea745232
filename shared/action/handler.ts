import { randomUUID } from 'node:crypto';
import type { HttpHandler, HttpRequest } from '@azure/functions';
import { type Call, startCall } from '../call.ts';
import type { Clock } from '../clock.ts';
import type { WriteMode } from '../config.ts';
import { Fault, faultTable, type FieldFault, toFault } from '../errors.ts';
import type { Services } from '../services.ts';
import { readJsonBody } from './body.ts';
import type { Action, Input } from './contract.ts';
import { createLog } from './log.ts';
import { acceptedReply, faultReply, jsonReply, outcomeModeHeader } from './reply.ts';
import { splitTextLists } from './textLists.ts';
import { createValidator } from './validate.ts';

export interface Runtime {
  /** @throws Fault `configuration_invalid` */
  readonly services: () => Services;
  readonly writeMode: WriteMode;
  readonly clock: Clock;
}

/** Query parameters that belong to the Functions host, in any case: the key and the name of its client. */
const hostQueryNames = ['code', 'clientid'];

/**
 * The one wrapper around every action: request id, deadline, validation, the call, the reply, one log line. Whatever is
 * thrown ends as a problem reply; the host's empty 500 is never reached (functions.md §2).
 */
export function createHandler(action: Action, runtime: Runtime): HttpHandler {
  const readInput = createInputReader(action, runtime.writeMode);
  return async (request, context) => {
    const startedAtMs = runtime.clock.now();
    const requestId = readRequestId(request);
    const log = createLog(context);
    const call = startCall({ requestId, action: action.name, log }, runtime.clock);
    const summary = { event: 'call', action: action.name, requestId };
    const durationMs = () => runtime.clock.now() - startedAtMs;
    try {
      const services = runtime.services();
      const input = await readInput(request, call);
      const { status, reply } = await action.perform(input, services);
      const isForcedDryRun = action.writes && runtime.writeMode === 'reportOnly';
      if (isForcedDryRun) call.warn('WRITE_MODE is reportOnly: this was a dry run, nothing was written.');
      const outcome = typeof reply.outcome === 'string' ? reply.outcome : null;
      log.info({ ...summary, status, outcome, code: null, dryRun: input.isDryRun, durationMs: durationMs() });
      const ofWrites = action.writes ? { dryRun: input.isDryRun, warnings: call.warnings } : {};
      const body = { ...reply, ...ofWrites, requestId };
      return status === 202 ? acceptedReply(request, requestId, body) : jsonReply(status, requestId, body);
    } catch (error) {
      const fault = toFault(error);
      const { status } = faultTable[fault.code];
      const line = { ...summary, status, outcome: null, code: fault.code, dryRun: null, durationMs: durationMs() };
      if (status >= 500) log.error(line, fault);
      else log.warn(line);
      const isFlow = request.headers.get(outcomeModeHeader)?.trim().toLowerCase() === 'flow';
      return faultReply(fault, { requestId, isFlow });
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

function createInputReader(
  action: Action,
  writeMode: WriteMode,
): (request: HttpRequest, call: Call) => Promise<Input<unknown, unknown, unknown>> {
  const params = createValidator(action.params, '/params');
  const query = createValidator(action.query, '/query');
  const body = action.body === null ? null : { schema: action.body, validator: createValidator(action.body, '') };

  return async (request, call) => {
    const given = { params: { ...request.params }, query: readQuery(request) };
    const faults: FieldFault[] = [...(await params())(given.params), ...(await query())(given.query)];
    let givenBody: unknown = null;
    if (body !== null) {
      givenBody = splitTextLists(body.schema, await readJsonBody(request, action.bodyLimitBytes));
      faults.push(...(await body.validator())(givenBody));
    }
    if (faults.length > 0) throw invalidRequest(faults);
    if (action.writes && writeMode === 'off') throw writesDisabled();
    const isAskedFor = isDryRun(given.query) || isDryRun(givenBody);
    return { ...given, body: givenBody, isDryRun: action.writes && (isAskedFor || writeMode === 'reportOnly'), call };
  };
}

function readQuery(request: HttpRequest): Record<string, unknown> {
  return Object.fromEntries([...request.query].filter(([name]) => !hostQueryNames.includes(name.toLowerCase())));
}

function isDryRun(input: unknown): boolean {
  return typeof input === 'object' && input !== null && 'dryRun' in input && input.dryRun === true;
}

/** In the sentence; `errors` has them all. */
const maxListedFaults = 10;

function invalidRequest(errors: readonly FieldFault[]): Fault {
  const listed = errors
    .slice(0, maxListedFaults)
    .map(({ pointer, message }) => `${pointer === '' ? 'the body' : pointer} ${message}`);
  if (errors.length > maxListedFaults) listed.push('and more');
  return new Fault('invalid_request', {
    detail: `${errors.length === 1 ? 'One fault' : `${errors.length} faults`}: ${listed.join('; ')}.`,
    fix: errors.length === 1 ? (errors[0]?.fix ?? '') : 'Mend every field listed under errors.',
    errors,
  });
}

function writesDisabled(): Fault {
  return new Fault('writes_disabled', {
    detail: 'WRITE_MODE is off: this app writes nothing.',
    fix: 'Set WRITE_MODE to on, or to reportOnly to see what a request would do.',
  });
}

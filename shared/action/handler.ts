import type { HttpHandler, HttpRequest } from '@azure/functions';
import type { Call } from '../call.ts';
import type { Clock } from '../clock.ts';
import type { WriteMode } from '../config.ts';
import { Fault, type FieldFault } from '../errors.ts';
import type { Services } from '../services.ts';
import { readJsonBody } from './body.ts';
import type { Action, Input } from './contract.ts';
import { acceptedReply, jsonReply } from './reply.ts';
import { splitTextLists } from './textLists.ts';
import { createValidator } from './validate.ts';
import { wrapHandler } from './wrap.ts';

export interface Runtime {
  /** @throws Fault `configuration_invalid` */
  readonly services: () => Services;
  readonly writeMode: WriteMode;
  readonly clock: Clock;
}

/** Query parameters that belong to the Functions host, in any case: the key and the name of its client. */
const hostQueryNames = ['code', 'clientid'];

/** An action behind the one wrapper: validation, the call, the reply. */
export function createHandler(action: Action, runtime: Runtime): HttpHandler {
  const readInput = createInputReader(action, runtime.writeMode);
  return wrapHandler({ name: action.name }, runtime.clock, async (request, call) => {
    const services = runtime.services();
    const input = await readInput(request, call);
    const { status, reply } = await action.perform(input, services);
    const isForcedDryRun = action.writes && runtime.writeMode === 'reportOnly';
    if (isForcedDryRun) call.warn('WRITE_MODE is reportOnly: this was a dry run, nothing was written.');
    const { requestId, warnings } = call;
    const ofWrites = action.writes ? { dryRun: input.isDryRun, warnings } : {};
    const body = { ...reply, ...ofWrites, requestId };
    return {
      reply: status === 202 ? acceptedReply(request, requestId, body) : jsonReply(status, requestId, body),
      outcome: typeof reply.outcome === 'string' ? reply.outcome : null,
      isDryRun: input.isDryRun,
    };
  });
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

/** @param errors one at least */
export function invalidRequest(errors: readonly FieldFault[]): Fault {
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

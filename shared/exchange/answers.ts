import { Fault } from '../errors.ts';
import type { Effect } from '../upstream/policy.ts';
import type { UpstreamResponse } from '../upstream/upstream.ts';
import { redact } from '../upstream/redact.ts';
import { isRecord, readBody, readRows, readWarnings, type Row, textOf } from './body.ts';
import { cmdletFault, unreadableAnswer } from './errors.ts';

/** What a cmdlet put out. */
export interface Output {
  readonly rows: Row[];
  readonly warnings: string[];
  /** Where the next page is; null at the end. */
  readonly nextLink: string | null;
  readonly requestId: string;
}

type Answer = Pick<UpstreamResponse, 'status' | 'text' | 'requestId'>;

/**
 * Reads the answer to one command, alone or as a part of a `$batch`.
 * @throws ExchangeFault for a refusal; Fault `outcome_unknown` for a write whose answer does not tell whether it was
 *   carried out; Fault `upstream_failed` for a read without a readable list: nothing is never an empty list
 */
export function readAnswer(cmdlet: string, effect: Effect, answer: Answer): Output {
  const body = readBody(answer.text);
  const isSuccess = answer.status >= 200 && answer.status < 300;
  if (effect === 'write' && isSuccess && body.type === 'empty') {
    // A write without output answers with an empty list, `{}` or nothing at all (exchange.md §1.4).
    return { rows: [], warnings: [], nextLink: null, requestId: answer.requestId };
  }
  if (body.type !== 'json' || answer.status === 408 || answer.status >= 500) {
    throw openFault(cmdlet, effect, unreadableAnswer(cmdlet, answer));
  }
  if (!isSuccess || isRecord(body.value.error)) {
    const fault = cmdletFault(cmdlet, answer.status, body.value, answer.requestId);
    throw fault.kind === 'transient' ? openFault(cmdlet, effect, fault) : fault;
  }
  if (textOf(body.value, '@adminapi.confirmationmessage') !== null) throw confirmationAsked(cmdlet, answer.requestId);
  const errors = body.value['@adminapi.errors'];
  if (Array.isArray(errors) && errors.length > 0)
    throw openFault(cmdlet, effect, reportedErrors(cmdlet, errors, answer));
  if (effect === 'read' && !Array.isArray(body.value.value)) throw unreadableAnswer(cmdlet, answer);
  return {
    rows: readRows(body.value),
    warnings: readWarnings(body.value),
    nextLink: textOf(body.value, '@odata.nextLink'),
    requestId: answer.requestId,
  };
}

/** For a write, a failed answer leaves open whether it was carried out; for a read it is just a failure. */
export function openFault(cmdlet: string, effect: Effect, fault: Fault): Fault {
  if (effect === 'read') return fault;
  return new Fault('outcome_unknown', {
    detail: `${cmdlet} may or may not have been carried out. ${fault.message}`,
    fix: 'Repeat the request: it looks first at what is there and writes only what is missing.',
    upstream: 'exchange',
    upstreamRequestId: fault.upstreamRequestId,
    cause: fault,
  });
}

/** A 200 that carries errors beside its output (exchange.md §1.4): what of the command was carried out is not known. */
function reportedErrors(cmdlet: string, errors: readonly unknown[], answer: Answer): Fault {
  return new Fault('upstream_failed', {
    detail: `Exchange answered ${cmdlet} with errors: ${redact(JSON.stringify(errors))}`,
    fix: 'Repeat the request; it looks first at what is there.',
    upstream: 'exchange',
    upstreamRequestId: answer.requestId,
  });
}

/** Exchange asks back instead of acting when `Confirm` is missing (exchange.md §1.3): that is no success. */
function confirmationAsked(cmdlet: string, requestId: string): Fault {
  return new Fault('upstream_rejected', {
    detail: `Exchange did not carry out ${cmdlet}: it asks for a confirmation.`,
    fix: 'Report this: the command should be sent with Confirm:false.',
    upstream: 'exchange',
    upstreamRequestId: requestId,
  });
}

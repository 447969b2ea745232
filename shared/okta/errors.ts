import { Fault, type FaultCode, type FaultDetails } from '../errors.ts';
import { redact } from '../upstream/redact.ts';
import type { UpstreamResponse } from '../upstream/upstream.ts';
import { isObject, readJson } from './answers.ts';
import { type OktaScope, rolesFor } from './scopes.ts';

/** What a refusal of Okta means to us. Throttling never gets here: it is the upstream's fault `throttled`. */
export type OktaErrorKind =
  'notFound' | 'forbidden' | 'unauthorized' | 'invalid' | 'rejected' | 'credential' | 'scopeMissing';

export class OktaFault extends Fault {
  readonly kind: OktaErrorKind;
  /** Okta's own `errorCode`, or the token endpoint's `error`; null where it sent none. */
  readonly oktaCode: string | null;

  constructor(kind: OktaErrorKind, oktaCode: string | null, code: FaultCode, details: FaultDetails) {
    super(code, { upstream: 'okta', ...details });
    this.kind = kind;
    this.oktaCode = oktaCode;
  }
}

export function isOktaFault(error: unknown, ...kinds: readonly OktaErrorKind[]): error is OktaFault {
  return error instanceof OktaFault && (kinds.length === 0 || kinds.includes(error.kind));
}

/** The request that an answer belongs to. */
export interface OktaRequestLine {
  /** For people: method and path without values. */
  readonly label: string;
  /** What Okta asks of a service app for it. */
  readonly scope: OktaScope;
}

type Answer = Pick<UpstreamResponse, 'status' | 'text' | 'requestId' | 'headers'>;

interface ErrorRule {
  readonly kind: OktaErrorKind;
  readonly code: FaultCode;
  readonly oktaCodes: readonly string[];
  /** Whose meaning is clear without a code. null: Okta's own words alone say this. */
  readonly status: number | null;
  readonly fix: (request: OktaRequestLine, answer: Answer) => string;
}

/** Okta's code before the status: the same code has come with several (okta.md §4). */
const errorRules: readonly ErrorRule[] = [
  {
    kind: 'notFound',
    code: 'okta_object_not_found',
    oktaCodes: ['E0000007'],
    // A 404 of anything between us must not look like a group that was deleted.
    status: null,
    fix: () => 'Check the id in Okta; what was deleted there stays gone.',
  },
  {
    kind: 'unauthorized',
    code: 'okta_credential_rejected',
    oktaCodes: ['E0000004', 'E0000005', 'E0000011'],
    status: 401,
    fix: () =>
      'Repeat the request, which asks for a new token; if it stays, check that OKTA_ORG_URL and the credential are of one org and that the API token (OKTA_API_TOKEN) or the service app (OKTA_CLIENT_ID) is active there.',
  },
  { kind: 'forbidden', code: 'okta_forbidden', oktaCodes: ['E0000006'], status: 403, fix: grantFix },
  {
    kind: 'invalid',
    code: 'upstream_rejected',
    oktaCodes: ['E0000001', 'E0000003', 'E0000031'],
    status: 400,
    fix: () => 'Read the message of Okta, which names what it does not accept.',
  },
];

/** The fault for an answer that is no success. */
export function oktaFault(request: OktaRequestLine, answer: Answer): OktaFault {
  const error = readError(answer.text);
  const rule =
    errorRules.find(({ oktaCodes }) => error !== null && oktaCodes.includes(error.code)) ??
    errorRules.find(({ status }) => status === answer.status);
  const said = error === null ? `HTTP ${answer.status} without a readable body` : `${error.code}: ${error.message}`;
  return new OktaFault(rule?.kind ?? 'rejected', error?.code ?? null, rule?.code ?? 'upstream_rejected', {
    detail: `Okta refused ${request.label}: ${redact(said)}`,
    fix:
      rule?.fix(request, answer) ??
      'Read the message of Okta; if it does not help, give its request id to Okta support.',
    upstreamRequestId: answer.requestId,
  });
}

/** The challenge tells a missing scope; else it is the admin role, which scopes do not replace (okta.md §4). */
function grantFix({ scope }: OktaRequestLine, { headers }: Answer): string {
  return headers.get('www-authenticate')?.includes('insufficient_scope') === true
    ? `Grant the service app the scope ${scope} (its tab Okta API Scopes).`
    : `Assign an admin role that allows it to the service app (its tab Admin roles), or to the administrator who made the API token: ${rolesFor[scope]}.`;
}

export function unreadableOktaAnswer(label: string, answer: Pick<Answer, 'status' | 'requestId'>): Fault {
  return new Fault('upstream_failed', {
    detail: `Okta answered ${label} with HTTP ${answer.status} and nothing that can be read.`,
    fix: 'Repeat the request later; if it stays, look for a proxy between the function app and Okta.',
    upstream: 'okta',
    upstreamRequestId: answer.requestId,
  });
}

/** Carried out, to go by the status, and the answer does not say what came of it. */
export function openOktaWrite(label: string, answer: Pick<Answer, 'status' | 'requestId'>): Fault {
  return new Fault('outcome_unknown', {
    detail: `${label} was answered by Okta with HTTP ${answer.status} and nothing that can be read; it may have been carried out.`,
    fix: 'Look in Okta what is there before you repeat it.',
    upstream: 'okta',
    upstreamRequestId: answer.requestId,
  });
}

export function oktaApiRequired(): Fault {
  return new Fault('okta_api_required', {
    detail: "This needs Okta's API, which is not configured.",
    fix: 'Set OKTA_ORG_URL, and OKTA_CLIENT_ID with OKTA_PRIVATE_KEY (a service app) or OKTA_API_TOKEN.',
    upstream: 'okta',
  });
}

interface OktaError {
  readonly code: string;
  readonly message: string;
}

/** The summary alone often says no more than "Api validation failed": the causes say what. */
function readError(text: string): OktaError | null {
  const body = readJson(text);
  if (!isObject(body) || typeof body.errorCode !== 'string') return null;
  const causes = Array.isArray(body.errorCauses) ? body.errorCauses : [];
  const said = [body, ...causes.filter(isObject)].map(({ errorSummary }) => errorSummary);
  return { code: body.errorCode, message: said.filter((each) => typeof each === 'string').join('; ') };
}

import { Fault, type FaultCode, type FaultDetails } from '../errors.ts';
import { redact } from '../upstream/redact.ts';
import type { UpstreamResponse } from '../upstream/upstream.ts';

/** What a refusal of Graph means to us. */
export type GraphErrorKind = 'notFound' | 'forbidden' | 'unauthorized' | 'rejected';

export class GraphFault extends Fault {
  readonly kind: GraphErrorKind;
  /** Graph's own `error.code`, where it sent one. */
  readonly graphCode: string | null;

  constructor(kind: GraphErrorKind, graphCode: string | null, code: FaultCode, details: FaultDetails) {
    super(code, details);
    this.kind = kind;
    this.graphCode = graphCode;
  }
}

interface ErrorRule {
  readonly kind: GraphErrorKind;
  readonly status?: number;
  readonly graphCode?: RegExp;
  readonly code: FaultCode;
  readonly fix: string;
}

const consentFix =
  'Grant admin consent to the app in the tenant AZURE_TENANT_ID (this creates the service principal); right after consent wait a minute.';

/** First match wins. Sources: graph.md §1.4, §6, §8. */
const errorRules: readonly ErrorRule[] = [
  { kind: 'forbidden', graphCode: /^Authorization_Identity/, code: 'service_principal_missing', fix: consentFix },
  {
    kind: 'forbidden',
    status: 403,
    code: 'graph_permission_missing',
    fix: 'Grant the app Group.Read.All, User.Read.All and Organization.Read.All (Microsoft Graph, application permissions) with admin consent; tokens issued before live on for about an hour, of a managed identity for up to a day.',
  },
  {
    kind: 'unauthorized',
    status: 401,
    code: 'credential_rejected',
    fix: 'Check that AZURE_TENANT_ID, CLOUD and the credential belong together.',
  },
  { kind: 'notFound', status: 404, code: 'upstream_rejected', fix: 'Check the id; a new object may need a minute.' },
];

/** The fault for an answer that is no success. `Authorization_IdentityNotFound` has come as 401 and as 403 (graph.md §6). */
export function graphFault(label: string, response: UpstreamResponse): GraphFault {
  const error = readError(response.text);
  const rule = errorRules.find(
    (each) =>
      (each.status === undefined || each.status === response.status) &&
      (each.graphCode === undefined || (error !== null && each.graphCode.test(error.code))),
  );
  const said = error === null ? `HTTP ${response.status} without a readable body` : `${error.code}: ${error.message}`;
  return new GraphFault(rule?.kind ?? 'rejected', error?.code ?? null, rule?.code ?? 'upstream_rejected', {
    detail: `Graph refused ${label}: ${redact(said)}`,
    fix: rule?.fix ?? 'Read the message of Graph; if it does not help, look its request id up with Microsoft support.',
    upstream: 'graph',
    upstreamRequestId: response.requestId,
  });
}

export function unreadableGraphAnswer(label: string, response: UpstreamResponse): Fault {
  return new Fault('upstream_failed', {
    detail: `Graph answered ${label} with HTTP ${response.status} and no readable body.`,
    fix: 'Repeat the request later.',
    upstream: 'graph',
    upstreamRequestId: response.requestId,
  });
}

function readError(text: string): { code: string; message: string } | null {
  try {
    const body = JSON.parse(text) as { error?: { code?: unknown; message?: unknown } } | null;
    const error = body?.error;
    if (typeof error?.message !== 'string') return null;
    return { code: typeof error.code === 'string' ? error.code : '', message: error.message };
  } catch {
    return null;
  }
}

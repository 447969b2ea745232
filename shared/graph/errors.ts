import { Fault, type FaultCode, type FaultDetails } from '../errors.ts';
import type { Effect } from '../upstream/policy.ts';
import { redact } from '../upstream/redact.ts';
import type { UpstreamResponse } from '../upstream/upstream.ts';

/** What a refusal of Graph means to us. Its code is nearly always the same; the words tell (graph.md §8). */
export type GraphErrorKind =
  | 'notFound'
  | 'forbidden'
  | 'unauthorized'
  | 'rejected'
  /** To be linked: is a member (owner) already. */
  | 'alreadyLinked'
  /** To be unlinked: is no member (owner). */
  | 'notLinked'
  | 'groupMissing'
  /** The group is there; what was to be linked to it is not. */
  | 'objectMissing'
  /** The group or the object was created a moment ago. */
  | 'notReplicated'
  | 'quotaExceeded'
  | 'lastOwner'
  | 'mailEnabledGroup'
  | 'onPremisesMastered'
  | 'managementRestricted'
  | 'dynamicMembership'
  | 'objectKindNotAllowed'
  /** mailNickname or an address is taken. */
  | 'propertyConflict';

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

export function isGraphFault(error: unknown, ...kinds: readonly GraphErrorKind[]): error is GraphFault {
  return error instanceof GraphFault && kinds.includes(error.kind);
}

/** The request that an answer belongs to: its path says which group it is about. */
export interface GraphRequestLine {
  readonly method: 'GET' | 'POST' | 'PATCH' | 'DELETE';
  readonly path: string;
  /** For people: the path without values. */
  readonly label: string;
}

interface ErrorRule {
  readonly kind: GraphErrorKind;
  readonly code: FaultCode;
  readonly fix: string;
  readonly status?: number;
  readonly graphCode?: RegExp;
  readonly text?: RegExp;
  readonly effect?: Effect;
  readonly method?: GraphRequestLine['method'];
  /** Which object of a write on a group the words say is missing. */
  readonly names?: 'group' | 'other';
}

const consentFix =
  'Grant admin consent to the app in the tenant AZURE_TENANT_ID (this creates the service principal); right after consent wait a minute.';
const tokenLife = 'tokens issued before live on for about an hour, of a managed identity for up to a day.';
const readFix = `Grant the app Group.Read.All, User.Read.All and Organization.Read.All (Microsoft Graph, application permissions) with admin consent; ${tokenLife}`;
const writeFix = `Grant the app Group.ReadWrite.All (Microsoft Graph, application permission; GroupMember.ReadWrite.All suffices to change members alone) with admin consent; ${tokenLife}`;
const nothingToDo = 'Nothing is to be done.';

/** First match wins: words before status. Sources: graph.md §1.3, §1.4, §6, §8. */
const errorRules: readonly ErrorRule[] = [
  { kind: 'forbidden', graphCode: /^Authorization_Identity/, code: 'service_principal_missing', fix: consentFix },
  {
    // The documents promise 403 for this, the field has seen 400 (graph.md §11.1): the status does not count.
    kind: 'mailEnabledGroup',
    text: /cannot update a mail-enabled security group|support writes of mail-enabled groups|originated within an external service/i,
    code: 'kind_not_supported',
    fix: 'Distribution lists and mail-enabled security groups are written in Exchange; name the group by its id, so that its kind is looked up again.',
  },
  {
    kind: 'onPremisesMastered',
    text: /on-premises mastered directory sync objects/i,
    code: 'on_premises_synced',
    fix: 'Change the group in on-premises Active Directory, or move its source of authority to the cloud.',
  },
  {
    kind: 'managementRestricted',
    text: /restricted management administrative unit/i,
    code: 'management_restricted',
    fix: 'Give the service principal a role scoped on the administrative unit, or take the group out of it.',
  },
  {
    kind: 'dynamicMembership',
    effect: 'write',
    text: /dynamic membership/i,
    code: 'dynamic_membership',
    fix: 'Change the rule of the group, or make its membership assigned.',
  },
  {
    kind: 'quotaExceeded',
    text: /exceed the maximum quota count|directory object quota limit/i,
    code: 'quota_exceeded',
    fix: 'Remove what is no longer needed; a group has at most 100 owners.',
  },
  {
    kind: 'lastOwner',
    text: /must have at least one owner/i,
    code: 'last_owner',
    fix: 'Add another owner first.',
  },
  {
    kind: 'alreadyLinked',
    text: /added object references already exist/i,
    code: 'upstream_rejected',
    fix: nothingToDo,
  },
  {
    kind: 'notLinked',
    text: /removed object references do not exist/i,
    code: 'upstream_rejected',
    fix: nothingToDo,
  },
  {
    kind: 'notReplicated',
    text: /objects being referenced (don['’]t|do not) exist/i,
    code: 'not_replicated',
    fix: 'Repeat the request in a few seconds; what was created a moment ago is not everywhere yet.',
  },
  {
    kind: 'propertyConflict',
    text: /another object with the same value for property/i,
    code: 'address_in_use',
    fix: 'Choose another alias or address, or remove it from the object that holds it.',
  },
  {
    kind: 'objectKindNotAllowed',
    text: /invalid type for the '?\w+'? reference/i,
    code: 'member_kind_not_allowed',
    fix: 'Microsoft 365 groups take users alone; security groups take users, security groups, devices, service principals and contacts.',
  },
  { kind: 'forbidden', status: 403, effect: 'write', code: 'graph_permission_missing', fix: writeFix },
  { kind: 'forbidden', status: 403, code: 'graph_permission_missing', fix: readFix },
  {
    kind: 'unauthorized',
    status: 401,
    code: 'credential_rejected',
    fix: 'Check that AZURE_TENANT_ID, CLOUD and the credential belong together.',
  },
  // Graph says the same of a missing group, a missing object and one that is not in the group: which id it names tells
  // the first from the others (graph.md §1.4).
  {
    kind: 'groupMissing',
    status: 404,
    names: 'group',
    code: 'group_not_found',
    fix: 'Check the id of the group; a new group may need a minute.',
  },
  { kind: 'notLinked', status: 404, method: 'DELETE', names: 'other', code: 'upstream_rejected', fix: nothingToDo },
  {
    kind: 'objectMissing',
    status: 404,
    names: 'other',
    code: 'member_not_found',
    fix: 'Check the id of the user or object; a new one may need a minute.',
  },
  { kind: 'notFound', status: 404, code: 'upstream_rejected', fix: 'Check the id; a new object may need a minute.' },
];

/** The fault for an answer that is no success. `Authorization_IdentityNotFound` has come as 401 and as 403 (graph.md §6). */
export function graphFault(
  request: GraphRequestLine,
  response: Pick<UpstreamResponse, 'status' | 'text' | 'requestId'>,
): GraphFault {
  const error = readError(response.text);
  const { message = '', conflict = '' } = error ?? {};
  const rule = errorRules.find(
    (each) =>
      (each.status ?? response.status) === response.status &&
      (each.method ?? request.method) === request.method &&
      (each.effect ?? effectOf(request)) === effectOf(request) &&
      (each.graphCode?.test(error?.code ?? '') ?? true) &&
      (each.text?.test(`${message} ${conflict}`) ?? true) &&
      (each.names === undefined || each.names === namedObject(request, message)),
  );
  const said =
    error === null
      ? `HTTP ${response.status} without a readable body`
      : [`${error.code}: ${error.message}`, ...error.holders.map((holder) => `Held by ${holder}.`)].join(' ');
  return new GraphFault(rule?.kind ?? 'rejected', error?.code ?? null, rule?.code ?? 'upstream_rejected', {
    detail: `Graph refused ${request.label}: ${redact(said)}`,
    fix: rule?.fix ?? 'Read the message of Graph; if it does not help, look its request id up with Microsoft support.',
    upstream: 'graph',
    upstreamRequestId: response.requestId,
  });
}

export function unreadableGraphAnswer(
  request: Pick<GraphRequestLine, 'label'>,
  response: Pick<UpstreamResponse, 'status' | 'requestId'>,
): Fault {
  return new Fault('upstream_failed', {
    detail: `Graph answered ${request.label} with HTTP ${response.status} and no readable body.`,
    fix: 'Repeat the request later.',
    upstream: 'graph',
    upstreamRequestId: response.requestId,
  });
}

/** For a write, a failed answer leaves open whether it was carried out; for a read it is just a failure. */
export function openGraphFault(request: Pick<GraphRequestLine, 'label'>, effect: Effect, fault: Fault): Fault {
  if (effect === 'read') return fault;
  return new Fault('outcome_unknown', {
    detail: `${request.label} may or may not have been carried out. ${fault.message}`,
    fix: 'Repeat the request: it looks first at what is there and writes only what is missing.',
    upstream: 'graph',
    upstreamRequestId: fault.upstreamRequestId,
    cause: fault,
  });
}

function effectOf({ method }: GraphRequestLine): Effect {
  return method === 'GET' ? 'read' : 'write';
}

const objectId = /'([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})'/gi;

/** Of a write on a group or its links: whether the message names the group, or another object, or none that is known. */
function namedObject(request: GraphRequestLine, message: string): 'group' | 'other' | null {
  const [, group = null] = /^\/(?:groups|directory\/deletedItems)(?:\/([^/?]+))?(?:[/?]|$)/i.exec(request.path) ?? [];
  const isAboutGroups = group !== null || /^\/groups(\?|$)/i.test(request.path);
  if (effectOf(request) === 'read' || !isAboutGroups) return null;
  const named = [...message.matchAll(objectId)].map(([, id = '']) => id.toLowerCase());
  if (named.length === 0) return null;
  return group !== null && named.includes(group.toLowerCase()) ? 'group' : 'other';
}

interface GraphErrorBody {
  readonly code: string;
  readonly message: string;
  /** What the details say of a value that another object has (graph.md §2.1). */
  readonly conflict: string;
  /** Which objects those are: `User_<object id>`. */
  readonly holders: readonly string[];
}

function readError(text: string): GraphErrorBody | null {
  try {
    const body = JSON.parse(text) as { error?: { code?: unknown; message?: unknown; details?: unknown } } | null;
    const error = body?.error;
    if (typeof error?.message !== 'string') return null;
    const details = (Array.isArray(error.details) ? error.details : []) as readonly (ErrorDetail | null)[];
    const valuesOf = (name: keyof ErrorDetail, ...codes: readonly unknown[]) =>
      details.flatMap((each) => {
        const value = codes.includes(each?.code) ? each?.[name] : null;
        return typeof value === 'string' ? [value] : [];
      });
    return {
      code: typeof error.code === 'string' ? error.code : '',
      message: error.message,
      conflict: valuesOf('message', 'ObjectConflict', 'ConflictingObjects').join(' '),
      holders: valuesOf('target', 'ConflictingObjects'),
    };
  } catch {
    return null;
  }
}

interface ErrorDetail {
  readonly code?: unknown;
  readonly message?: unknown;
  readonly target?: unknown;
}

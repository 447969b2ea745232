/** One row of the fault table: how a code travels over HTTP. */
interface FaultRow {
  /** HTTP status of the problem reply. */
  readonly status: number;
  /** RFC 9457 `title`: the same sentence for every occurrence of the code. */
  readonly title: string;
  /** Whether the same request may be sent again unchanged with a chance of success. */
  readonly retryable: boolean;
}

/**
 * Every code this app can answer with: of a problem reply (`code`) and of a result row (`code`).
 * Status codes follow what Okta Workflows repeats by itself: 429 and 504 (models.md B5), so 429 means "later" and
 * 504 is used only where a repeat is safe. Codes are part of the contract: they may be added, never renamed.
 */
export const faultTable = {
  // The request
  invalid_request: { status: 400, title: 'The request is not valid', retryable: false },
  invalid_json: { status: 400, title: 'The body is not valid JSON', retryable: false },
  kind_not_supported: { status: 400, title: 'This kind of group is not served by this action', retryable: false },
  unsupported_media_type: { status: 415, title: 'The content type is not supported', retryable: false },
  body_too_large: { status: 413, title: 'The body is too large', retryable: false },
  hook_secret_wrong: { status: 401, title: 'The secret of the event hook is wrong', retryable: false },

  // What the request names
  group_not_found: { status: 404, title: 'No such group', retryable: false },
  operation_not_found: { status: 404, title: 'No such operation', retryable: false },
  switch_not_found: { status: 404, title: 'No such switch is remembered', retryable: false },
  push_mapping_not_found: { status: 404, title: 'This Okta group has no push mapping', retryable: false },
  snapshot_not_found: { status: 404, title: 'No such deleted group', retryable: false },
  okta_object_not_found: { status: 404, title: 'No such object in Okta', retryable: false },
  member_not_found: { status: 404, title: 'No such user or recipient', retryable: false },
  ambiguous_group: { status: 409, title: 'More than one group matches', retryable: false },
  ambiguous_member: { status: 409, title: 'More than one recipient matches', retryable: false },
  owner_not_valid: { status: 409, title: 'An owner cannot own this group', retryable: false },
  member_kind_not_allowed: { status: 409, title: 'This object cannot be a member of this group', retryable: false },
  no_mailbox: { status: 429, title: 'The user has no mailbox yet', retryable: true },
  not_replicated: { status: 429, title: 'This has not replicated yet', retryable: true },
  group_not_ready: { status: 429, title: 'The group has not replicated yet', retryable: true },

  // Conflicts with what is there
  exists_with_differences: { status: 409, title: 'The group exists and differs from the request', retryable: false },
  address_in_use: { status: 409, title: 'The name, alias or address is taken', retryable: false },
  domain_not_accepted: { status: 409, title: 'The tenant does not accept this domain', retryable: false },
  confirm_mismatch: { status: 409, title: 'The confirmation does not name this object', retryable: false },
  group_busy: { status: 409, title: 'Another request is changing this group', retryable: true },
  switch_busy: { status: 409, title: 'Another request is switching the synchronization', retryable: true },
  okta_app_busy: { status: 409, title: 'Another repair is at work on this app of Okta', retryable: true },
  assigned_by_group: { status: 409, title: 'A group assigns the user in Okta', retryable: false },
  held_back: { status: 409, title: 'Not removed while a desired member cannot be resolved', retryable: false },
  plan_changed: { status: 409, title: 'Reality has overtaken the plan', retryable: false },
  too_many_removals: { status: 409, title: 'The change removes more members than the guard allows', retryable: false },
  would_empty_group: { status: 409, title: 'The change would leave the group without members', retryable: false },
  match_changed: { status: 409, title: 'An Okta user is somebody else in Entra than before', retryable: false },
  push_mapping_exists: { status: 409, title: 'The Okta group or the target is mapped already', retryable: false },
  push_mapping_active: { status: 409, title: 'The push mapping is not INACTIVE', retryable: false },
  push_mapping_inactive: { status: 409, title: 'The push mapping is INACTIVE', retryable: false },
  not_approved: { status: 409, title: 'The first plan of the push mapping is not approved', retryable: false },
  too_many_additions: { status: 409, title: 'The change adds more members than the mapping allows', retryable: false },
  too_many_failures: { status: 409, title: 'Too many repairs failed; the rest was left alone', retryable: false },
  last_owner: { status: 409, title: 'A group must keep an owner', retryable: false },
  immutable_id_in_use: { status: 409, title: 'Another user holds the immutable ID', retryable: false },
  immutable_id_unknown: { status: 409, title: 'What the immutable ID should be is not known', retryable: false },
  immutable_id_required: { status: 409, title: 'A federated user must have an immutable ID', retryable: false },
  repair_running: { status: 409, title: 'Another repair of this user is under way', retryable: false },
  user_busy: { status: 409, title: 'Another request is changing this user', retryable: true },
  user_changed: { status: 409, title: 'Somebody else has changed the user meanwhile', retryable: false },
  user_deleted: { status: 409, title: 'The user was deleted meanwhile', retryable: false },
  needs_attention: { status: 409, title: 'A person has to look at this', retryable: false },
  not_cancellable: { status: 409, title: 'This operation ends by itself alone', retryable: false },
  quota_exceeded: { status: 409, title: 'The directory takes no more of these', retryable: false },

  // What must not be written
  on_premises_synced: { status: 403, title: 'The object is synced from on-premises', retryable: false },
  dynamic_membership: { status: 403, title: 'A rule decides the membership of this group', retryable: false },
  role_assignable: { status: 403, title: 'The group can hold directory roles', retryable: false },
  unknown_kind: { status: 403, title: 'The kind of this group is not known', retryable: false },
  management_restricted: { status: 403, title: 'The object is under restricted management', retryable: false },
  protected_object: { status: 403, title: 'The object is protected by configuration', retryable: false },
  outside_managed_groups: { status: 403, title: 'The group is not among the managed groups', retryable: false },
  role_missing: { status: 403, title: 'The app lacks an Entra role', retryable: false },
  writes_disabled: { status: 403, title: 'Writes are switched off', retryable: false },

  // What we may do
  service_principal_missing: { status: 403, title: 'This app is unknown in the tenant', retryable: false },
  credential_rejected: { status: 403, title: 'Entra refused the credential', retryable: false },
  credential_unavailable: { status: 502, title: 'No token could be had', retryable: true },
  exchange_app_role_missing: { status: 403, title: 'The app lacks Exchange.ManageAsApp', retryable: false },
  exchange_directory_role_missing: { status: 403, title: 'The app lacks an Exchange role', retryable: false },
  exchange_forbidden: { status: 403, title: 'Exchange refused the command', retryable: false },
  okta_api_required: { status: 409, title: "Okta's API is not configured", retryable: false },
  okta_credential_rejected: { status: 403, title: 'Okta refused the credential', retryable: false },
  okta_forbidden: { status: 403, title: 'The app lacks a scope or an admin role in Okta', retryable: false },
  graph_permission_missing: { status: 403, title: 'The app lacks a Graph permission', retryable: false },
  dirsync_app_refused: { status: 403, title: 'Microsoft lets people alone do this, no app', retryable: false },

  // What happened on the way
  throttled: { status: 429, title: 'The upstream asks to slow down', retryable: true },
  deadline_exceeded: { status: 504, title: 'Time ran out before anything was decided', retryable: true },
  outcome_unknown: { status: 504, title: 'A write was sent and its outcome is not known', retryable: true },
  not_attempted: { status: 504, title: 'Time ran out before this item', retryable: true },
  upstream_rejected: { status: 502, title: 'The upstream refused the request', retryable: false },
  upstream_failed: { status: 502, title: 'The upstream failed to answer properly', retryable: true },
  foreign_link: { status: 502, title: 'An upstream link leads to another host', retryable: false },
  kind_mismatch: { status: 502, title: 'Exchange created another kind of group', retryable: false },
  storage_unavailable: { status: 503, title: "The app's storage is unreachable", retryable: true },
  audit_unavailable: { status: 503, title: 'The audit store is unreachable', retryable: true },

  // Us
  configuration_invalid: { status: 500, title: 'The app is not configured properly', retryable: false },
  internal_error: { status: 500, title: 'The app failed', retryable: false },
} as const satisfies Record<string, FaultRow>;

export type FaultCode = keyof typeof faultTable;
export type UpstreamName = 'graph' | 'exchange' | 'okta' | 'entra' | 'storage';

/** One thing wrong with a request or a setting. */
export interface FieldFault {
  /** JSON pointer into the body, or `/params/…`, `/query/…`; for settings the setting's name. */
  readonly pointer: string;
  /** What the rule is and how it was broken. */
  readonly message: string;
  readonly fix: string;
}

export interface FaultDetails {
  /** One sentence about this occurrence. */
  readonly detail: string;
  /** One sentence: what the caller or the administrator does now. */
  readonly fix: string;
  readonly errors?: readonly FieldFault[];
  readonly upstream?: UpstreamName;
  readonly upstreamRequestId?: string | null;
  readonly retryAfterSeconds?: number;
  readonly cause?: unknown;
}

/** The one error type that is meant for callers. Anything else that is thrown becomes `internal_error`. */
export class Fault extends Error {
  override readonly name = 'Fault';
  readonly code: FaultCode;
  readonly fix: string;
  readonly errors: readonly FieldFault[];
  readonly upstream: UpstreamName | null;
  readonly upstreamRequestId: string | null;
  readonly retryAfterSeconds: number | null;

  constructor(code: FaultCode, details: FaultDetails) {
    super(details.detail, details.cause === undefined ? undefined : { cause: details.cause });
    this.code = code;
    this.fix = details.fix;
    this.errors = details.errors ?? [];
    this.upstream = details.upstream ?? null;
    this.upstreamRequestId = details.upstreamRequestId ?? null;
    this.retryAfterSeconds = details.retryAfterSeconds ?? null;
  }
}

export function isFault<Code extends FaultCode>(error: unknown, ...codes: Code[]): error is Fault & { code: Code } {
  return error instanceof Fault && (codes.length === 0 || (codes as FaultCode[]).includes(error.code));
}

/** Turns whatever was thrown into a Fault; a programming error keeps its stack as `cause` and tells the caller nothing. */
export function toFault(error: unknown): Fault {
  if (error instanceof Fault) return error;
  return new Fault('internal_error', {
    detail: 'An unexpected error occurred; nothing more is known to the caller.',
    fix: 'Look for the requestId in the logs and report it; the request can be repeated safely.',
    cause: error,
  });
}

import { Fault, type FaultCode, type FaultDetails } from '../errors.ts';
import { redact } from '../upstream/redact.ts';
import type { UpstreamResponse } from '../upstream/upstream.ts';
import { isRecord, readBody, textOf } from './body.ts';

/** What a cmdlet's refusal means to us. Status and text vary and are localised; the .NET type does not (exchange.md §1.7). */
export type ExchangeErrorKind =
  | 'notFound'
  | 'ambiguous'
  | 'alreadyMember'
  | 'notAMember'
  | 'addressInUse'
  | 'lastOwner'
  | 'synced'
  | 'forbidden'
  /** Exchange failed in between; whether it wrote is not known. */
  | 'transient'
  | 'rejected';

export class ExchangeFault extends Fault {
  readonly kind: ExchangeErrorKind;
  /** The .NET type of the error, where Exchange named it. */
  readonly exchangeType: string | null;

  constructor(kind: ExchangeErrorKind, exchangeType: string | null, code: FaultCode, details: FaultDetails) {
    super(code, details);
    this.kind = kind;
    this.exchangeType = exchangeType;
  }
}

interface ErrorRule {
  readonly kind: ExchangeErrorKind;
  readonly code: FaultCode;
  /** Last part of the .NET type. */
  readonly type?: RegExp;
  /** Where the type is unknown or covers several causes. */
  readonly text?: RegExp;
  readonly fix: string;
}

const repeatLater = 'Repeat the request in a few minutes; it looks first at what is there.';

/** First match wins: narrow rules stand before wide ones. Sources: exchange.md §1.7, §1.8, §4. */
const errorRules: readonly ErrorRule[] = [
  {
    kind: 'addressInUse',
    code: 'address_in_use',
    type: /^UnableToWriteToAadException$/,
    text: /another object with the same value/i,
    fix: 'Choose another name, alias or address, or remove it from the object that holds it.',
  },
  { kind: 'transient', code: 'upstream_failed', type: /^UnableToWriteToAadException$/, fix: repeatLater },
  {
    kind: 'synced',
    code: 'on_premises_synced',
    text: /synchronized from your on-premises organization/i,
    fix: 'Change the group in on-premises Active Directory.',
  },
  {
    kind: 'notFound',
    code: 'upstream_rejected',
    type: /^ManagementObjectNotFoundException$/,
    fix: 'Check the identity; a new object may need a few minutes to appear in Exchange.',
  },
  {
    kind: 'ambiguous',
    code: 'ambiguous_group',
    type: /^ManagementObjectAmbiguousException$/,
    fix: 'Use the Entra object id or the primary address.',
  },
  {
    kind: 'alreadyMember',
    code: 'upstream_rejected',
    type: /^MemberAlreadyExistsException$/,
    fix: 'Nothing is to be done.',
  },
  { kind: 'notAMember', code: 'upstream_rejected', type: /^MemberNotFoundException$/, fix: 'Nothing is to be done.' },
  {
    kind: 'addressInUse',
    code: 'address_in_use',
    type: /^(WLCDManagedMemberExistsException|ProxyAddressExistsException|ADObjectAlreadyExistsException)$/,
    fix: 'Choose another name, alias or address, or remove it from the object that holds it.',
  },
  {
    // The type is inferred from the cmdlets' public error lists; no answer of a tenant is at hand (exchange.md §8.3).
    kind: 'rejected',
    code: 'domain_not_accepted',
    type: /^(NotAcceptedDomain|DomainNotFound)Exception$/,
    fix: 'Use an address in a domain that the tenant has verified, or verify the domain first.',
  },
  {
    kind: 'lastOwner',
    code: 'last_owner',
    type: /^MinGroupOwnersCriteriaBreachedException$/,
    fix: 'Add another owner first.',
  },
  {
    kind: 'forbidden',
    code: 'exchange_forbidden',
    type: /^(InsufficientPermissionsException|AmbiguousParameterSetException)$/,
    fix: 'Give the service principal the role Exchange Administrator, or a custom role group with "Distribution Groups" and "Security Group Creation and Membership"; new grants take some minutes.',
  },
  {
    kind: 'forbidden',
    code: 'exchange_forbidden',
    text: /not in the current organization|write scope|sufficient permissions|role assigned to application/i,
    fix: 'Give the service principal the role "Security Group Creation and Membership" over this group; new grants take some minutes.',
  },
  {
    kind: 'transient',
    code: 'upstream_failed',
    type: /^(DCOverloaded|SuitabilityDirectory|ServerInMM|ADServerSettingsChanged|StorageTransient|ServerBusy|Transient|BackendCommunication)Exception$|^CmdletProxyNotAvailable/,
    fix: repeatLater,
  },
];

/** Reads what Exchange says went wrong; the outer message ("Error executing cmdlet") says nothing (exchange.md §1.7). */
export function readExchangeError(body: unknown): { type: string | null; message: string | null } {
  const error = isRecord(body) && isRecord(body.error) ? body.error : {};
  const details: unknown[] = Array.isArray(error.details) ? error.details : [];
  const first = details.find(isRecord);
  const inner = isRecord(error.innererror) ? error.innererror : {};
  const internal = isRecord(inner.internalexception) ? inner.internalexception : {};
  // `Ex<hash>|<type>|<text>`; the text may itself contain bars.
  const [, type, ...rest] = (first === undefined ? '' : (textOf(first, 'message') ?? '')).split('|');
  if (type !== undefined && type !== '') return { type, message: rest.join('|') };
  return {
    type: textOf(internal, 'type') ?? textOf(inner, 'type'),
    message: textOf(internal, 'message') ?? textOf(inner, 'message') ?? textOf(error, 'message'),
  };
}

/** The fault for a cmdlet's error body, alone or as a part of a `$batch`. */
export function cmdletFault(cmdlet: string, status: number, body: unknown, requestId: string): ExchangeFault {
  const { type, message } = readExchangeError(body);
  const shortType = type?.split('.').at(-1) ?? '';
  const text = message ?? '';
  const rule = errorRules.find((each) => (each.type?.test(shortType) ?? true) && (each.text?.test(text) ?? true));
  const said = text === '' ? `HTTP ${status}` : redact(text);
  return new ExchangeFault(rule?.kind ?? 'rejected', type, rule?.code ?? 'upstream_rejected', {
    detail: `Exchange refused ${cmdlet}: ${said}`,
    fix:
      rule?.fix ?? 'Read the message of Exchange; if it does not help, look its request id up with Microsoft support.',
    upstream: 'exchange',
    upstreamRequestId: requestId,
  });
}

/** Whether an answer is one of Exchange's passing failures, which come with status 400 too (exchange.md §1.8). */
export function isTransient(status: number, text: string): boolean {
  if (status < 400) return false;
  const body = readBody(text);
  return body.type === 'json' && cmdletFault('', status, body.value, '').kind === 'transient';
}

/**
 * The fault for a 401 or 403, which carry no usable body. Neither grant gives 401, the app role alone gives 403, both
 * give 200 (exchange.md §1.7, §3): the token's claims tell which is missing.
 */
export function authorizationFault(cmdlet: string, response: UpstreamResponse): Fault {
  const { claims } = response;
  const common = { upstream: 'exchange', upstreamRequestId: response.requestId } as const;
  if (!claims.roles.includes('Exchange.ManageAsApp')) {
    return new Fault('exchange_app_role_missing', {
      ...common,
      detail: `Exchange answered ${response.status} to ${cmdlet}: the token does not carry the application permission Exchange.ManageAsApp.`,
      fix: 'Grant this app "Office 365 Exchange Online" → Exchange.ManageAsApp (dc50a0fb-09a3-484d-be87-e023b12c6440) with admin consent; a token issued before lives on for up to an hour, for a managed identity up to a day.',
    });
  }
  if (claims.directoryRoles.length === 0) {
    return new Fault('exchange_directory_role_missing', {
      ...common,
      detail: `Exchange answered ${response.status} to ${cmdlet}: the app has Exchange.ManageAsApp but the token carries no directory role.`,
      fix: 'Assign the service principal the Entra role Exchange Administrator (needed for mail-enabled security groups), or add it to an Exchange role group; wait some minutes; a managed identity may keep its old token for up to a day.',
    });
  }
  const said = response.headers.get('x-ms-diagnostics') ?? response.headers.get('www-authenticate');
  return new Fault('exchange_forbidden', {
    ...common,
    detail: `Exchange answered ${response.status} to ${cmdlet}${said === null ? '.' : `: ${redact(said)}`}`,
    fix: 'Check that the roles of the service principal include this command (testConnection lists what is missing); new grants take some minutes.',
  });
}

/** An answer that is neither a cmdlet's output nor its error. */
export function unreadableAnswer(
  cmdlet: string,
  response: Pick<UpstreamResponse, 'status' | 'text' | 'requestId'>,
): Fault {
  const body = readBody(response.text);
  const said = body.type === 'text' ? `: ${redact(body.text)}` : ' with nothing in it';
  return new Fault('upstream_failed', {
    detail: `Exchange answered ${cmdlet} with HTTP ${response.status}${said}`,
    fix: repeatLater,
    upstream: 'exchange',
    upstreamRequestId: response.requestId,
  });
}

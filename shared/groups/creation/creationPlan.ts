import { Fault } from '../../errors.ts';
import type {
  DepartRestriction,
  DistributionGroup,
  DistributionGroupChange,
  ExchangeGroupKind,
  JoinRestriction,
} from '../../exchange/distributionGroups.ts';
import { sameText } from '../../exchange/identity.ts';
import type { Recipient } from '../../exchange/recipients.ts';
import type { GraphGroupKind, GroupVisibility } from '../../graph/groupWrites.ts';
import type { Group } from '../group.ts';
import { refuseForbiddenSettings } from '../update/groupChange.ts';
import { refuseForeignFields } from '../kindFields.ts';
import { livesInExchange } from '../kinds.ts';
import type { MembershipSummary } from '../membership/memberRows.ts';
import { areExactly } from '../ownerIdentity.ts';

export const creationOutcomes = ['created', 'already_exists', 'completed', 'partial', 'pending', 'planned'] as const;
export type CreationOutcome = (typeof creationOutcomes)[number];

export const creatableKinds = ['mailEnabledSecurity', 'distributionList', 'security', 'microsoft365'] as const;

/**
 * A group as a caller wants it. null: the caller does not mind. What its kind does not have (see kindFields) is null or
 * empty.
 */
export interface GroupRequest {
  readonly kind: ExchangeGroupKind | GraphGroupKind;
  readonly displayName: string;
  readonly alias: string;
  readonly primarySmtpAddress: string | null;
  readonly description: string | null;
  readonly owners: readonly string[];
  readonly members: readonly string[];
  /** Further addresses, without the primary one. */
  readonly addresses: readonly string[];
  readonly hideFromAddressLists: boolean | null;
  readonly requireSenderAuthentication: boolean | null;
  readonly ignoreNamingPolicy: boolean;
  readonly joinRestriction: JoinRestriction | null;
  readonly departRestriction: DepartRestriction | null;
  readonly visibility: GroupVisibility | null;
}
export type ExchangeGroupRequest = GroupRequest & { readonly kind: ExchangeGroupKind };
export type GraphGroupRequest = GroupRequest & { readonly kind: GraphGroupKind };

/** What a caller may leave out of a GroupRequest. */
export type GroupRequestInput = Pick<GroupRequest, 'kind' | 'displayName' | 'owners'> & {
  readonly [Name in Exclude<keyof GroupRequest, 'kind' | 'displayName' | 'owners'>]?: NonNullable<GroupRequest[Name]>;
};

/**
 * Fills in what was left out.
 * @throws Fault `invalid_request` for what the kind does not have or allow, and when no alias can be made of the name
 */
export function toGroupRequest(input: GroupRequestInput): GroupRequest {
  refuseForeignFields(input.kind, Object.keys(input));
  refuseForbiddenSettings(input.kind, input, { moderationEnabled: false, moderatedBy: [] });
  const primarySmtpAddress = input.primarySmtpAddress ?? null;
  const alias = input.alias ?? deriveAlias(input.displayName, primarySmtpAddress);
  if (alias === null) {
    const fix = 'Add alias, or primarySmtpAddress.';
    throw new Fault('invalid_request', {
      detail: 'No alias can be made of the displayName.',
      fix,
      errors: [{ pointer: '/alias', message: 'cannot be derived from displayName', fix }],
    });
  }
  if (!livesInExchange(input.kind)) refuseMailNickname(alias);
  return {
    kind: input.kind,
    displayName: input.displayName,
    alias,
    primarySmtpAddress,
    description: input.description ?? null,
    owners: input.owners,
    members: input.members ?? [],
    addresses: input.addresses ?? [],
    hideFromAddressLists: input.hideFromAddressLists ?? null,
    requireSenderAuthentication: input.requireSenderAuthentication ?? null,
    ignoreNamingPolicy: input.ignoreNamingPolicy ?? false,
    joinRestriction: input.joinRestriction ?? null,
    departRestriction: input.departRestriction ?? null,
    visibility: input.visibility ?? null,
  };
}

/** What Exchange takes as an alias and Graph not as a mailNickname (graph.md §1.3). */
function refuseMailNickname(alias: string): void {
  if (/^[\x21-\x7e]+$/.test(alias)) return;
  const fix = 'Use letters without accents, digits, hyphens and dots.';
  throw new Fault('invalid_request', {
    detail: `"${alias}" cannot be the alias of a group in Entra, which takes ASCII characters only.`,
    fix,
    errors: [{ pointer: '/alias', message: 'must consist of ASCII characters for this kind', fix }],
  });
}

/** What came of a request. */
export interface Creation {
  readonly outcome: CreationOutcome;
  readonly changed: boolean;
  /** Whether this very request brought the group into being. */
  readonly isNew: boolean;
  readonly message: string;
  /** The group as it is now; for a dry run of a group that does not exist, null. */
  readonly group: Group | null;
  /** Addresses or UPNs. */
  readonly owners: readonly string[];
  readonly membership: MembershipSummary;
}

/** One thing in which a group that exists is not what was asked for. */
export interface Difference {
  readonly field: string;
  readonly actual: string;
  readonly wanted: string;
}

export interface Comparison {
  readonly differences: readonly Difference[];
  /** Settings that are still at their default and can be completed; null when none is missing. */
  readonly missing: DistributionGroupChange | null;
}

/**
 * Holds an existing group against a request. Pure. A setting at its default is missing (the second call of a creation
 * may not have come through) and is completed; a setting at another value is somebody's decision and a difference.
 */
export function compare(request: GroupRequest, actual: DistributionGroup, owners: readonly Recipient[]): Comparison {
  const differences: Difference[] = [];
  const differs = (field: string, isSame: boolean, found: string, wanted: string) => {
    if (!isSame) differences.push({ field, actual: found, wanted });
  };
  differs('kind', actual.kind === request.kind, actual.kind ?? actual.recipientType, request.kind);
  differs('displayName', isSameName(request, actual), actual.displayName, request.displayName);
  differs('alias', sameText(actual.alias, request.alias), actual.alias, request.alias);
  if (request.primarySmtpAddress !== null) {
    const isSame = sameText(actual.primarySmtpAddress, request.primarySmtpAddress);
    differs('primarySmtpAddress', isSame, actual.primarySmtpAddress, request.primarySmtpAddress);
  }
  if (request.description !== null && actual.description !== null) {
    differs('description', actual.description === request.description, actual.description, request.description);
  }
  if (request.hideFromAddressLists === false) {
    differs('hideFromAddressLists', !actual.hideFromAddressLists, 'true', 'false');
  }
  const { requireSenderAuthentication } = request;
  if (requireSenderAuthentication !== null) {
    const isSame = actual.requireSenderAuthentication === requireSenderAuthentication;
    differs(
      'requireSenderAuthentication',
      isSame,
      String(actual.requireSenderAuthentication),
      String(requireSenderAuthentication),
    );
  }
  for (const field of ['joinRestriction', 'departRestriction'] as const) {
    const wanted = request[field];
    if (wanted !== null) differs(field, actual[field] === wanted, actual[field], wanted);
  }
  differs('owners', areExactly(owners, actual.managedBy), actual.managedBy.join(', '), request.owners.join(', '));
  return { differences, missing: missingSettings(request, actual) };
}

/** What `Set-DistributionGroup` still has to do; null when nothing. */
export function missingSettings(request: GroupRequest, actual: DistributionGroup): DistributionGroupChange | null {
  const addresses = request.addresses.filter((address) => !actual.addresses.some((each) => sameText(each, address)));
  const missing: DistributionGroupChange = {
    ...(request.hideFromAddressLists === true && !actual.hideFromAddressLists ? { hideFromAddressLists: true } : {}),
    ...(request.description !== null && actual.description === null ? { description: request.description } : {}),
    ...(addresses.length > 0 ? { addresses: { add: addresses.map((address) => `smtp:${address}`) } } : {}),
  };
  return Object.keys(missing).length === 0 ? null : missing;
}

/** A naming policy puts a prefix or suffix around the name that was asked for (exchange.md §4): still the same name. */
function isSameName(request: GroupRequest, actual: DistributionGroup): boolean {
  if (sameText(actual.displayName, request.displayName)) return true;
  return !request.ignoreNamingPolicy && actual.displayName.toLowerCase().includes(request.displayName.toLowerCase());
}

/** What stands in the way of a creation, or what is there already. */
export type Occupancy =
  | { readonly type: 'free' }
  | { readonly type: 'group'; readonly exchangeId: string }
  | { readonly type: 'taken'; readonly holders: readonly Recipient[] };

/** Judges who holds the alias, an address or the name of a request. Pure. Only one distribution group can be "it". */
export function judgeHolders(holders: readonly Recipient[]): Occupancy {
  const [first] = holders;
  if (first === undefined) return { type: 'free' };
  const isOneGroup = holders.length === 1 && /^MailUniversal(Distribution|Security)Group$/.test(first.recipientType);
  return isOneGroup ? { type: 'group', exchangeId: first.exchangeId } : { type: 'taken', holders };
}

/** The fault for a group that is there and is not what was asked for. */
export function existsWithDifferences(
  existing: { readonly label: string; readonly id: string },
  differences: readonly Difference[],
): Fault {
  const listed = differences.map(({ field, actual, wanted }) => `${field} is "${actual}", not "${wanted}"`);
  return new Fault('exists_with_differences', {
    detail: `A group ${existing.label} (${existing.id}) exists: ${listed.join('; ')}.`,
    fix: 'Ask for the group as it is, change it first, or choose another name, alias and address.',
    errors: differences.map(({ field, actual, wanted }) => ({
      pointer: `/${field}`,
      message: `is "${actual}", asked for "${wanted}"`,
      fix: `Ask for "${actual}", or change the group.`,
    })),
  });
}

/** How a request came by its group; `incomplete`: created, with settings still missing. */
export type Came = 'created' | 'incomplete' | 'already_exists' | 'completed' | 'planned';

/**
 * The outcome of a creation from how the group was come by and what became of its members. Pure. `pending`: the group
 * is there and Entra does not show it yet, which is never reported as done (design §6.1).
 */
export function judgeCreation(
  came: Came,
  group: Pick<DistributionGroup, 'id'>,
  added: Pick<MembershipSummary, 'outcome' | 'failedCount' | 'changed'>,
  isDryRun: boolean,
): CreationOutcome {
  if (isDryRun) return came === 'already_exists' && added.outcome === 'unchanged' ? came : 'planned';
  if (group.id === null) return 'pending';
  if (added.failedCount > 0 || came === 'incomplete') return 'partial';
  return came === 'already_exists' && added.changed ? 'completed' : came;
}

/** Exchange's `Name` is unique and holds 64 characters, its `DisplayName` 256 (exchange.md §4). */
export function exchangeName(request: Pick<GroupRequest, 'displayName' | 'alias'>): string {
  return request.displayName.length <= 64 ? request.displayName : request.alias;
}

/**
 * The alias when the caller gives none: the local part of the address, or the name with what Exchange does not allow
 * taken out. null when nothing usable is left.
 */
export function deriveAlias(displayName: string, primarySmtpAddress: string | null): string | null {
  const source = primarySmtpAddress?.split('@')[0] ?? displayName.normalize('NFKD').toLowerCase();
  const alias = source
    .replace(/[\s_]+/g, '-')
    .replace(/[^A-Za-z0-9.-]/g, '')
    .replace(/-{2,}/g, '-')
    .replace(/\.{2,}/g, '.')
    .replace(/^[.-]+|[.-]+$/g, '')
    .slice(0, 64)
    .replace(/[.-]+$/, '');
  return alias === '' ? null : alias;
}

import { Fault } from '../errors.ts';
import type { DistributionGroup, DistributionGroupChange, ExchangeGroupKind } from '../exchange/distributionGroups.ts';
import { sameText } from '../exchange/identity.ts';
import type { Recipient } from '../exchange/recipients.ts';
import type { MembershipSummary } from './memberRows.ts';
import { areExactly } from './ownerIdentity.ts';

export const creationOutcomes = ['created', 'already_exists', 'completed', 'partial', 'pending', 'planned'] as const;
export type CreationOutcome = (typeof creationOutcomes)[number];

/** A group as a caller wants it. null: the caller does not mind. */
export interface GroupRequest {
  readonly kind: ExchangeGroupKind;
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
}

/** What a caller may leave out of a GroupRequest. */
export type GroupRequestInput = Pick<GroupRequest, 'kind' | 'displayName' | 'owners'> & {
  readonly [Name in Exclude<keyof GroupRequest, 'kind' | 'displayName' | 'owners'>]?: NonNullable<GroupRequest[Name]>;
};

/** Fills in what was left out. @throws Fault `invalid_request` when no alias can be made of the name */
export function toGroupRequest(input: GroupRequestInput): GroupRequest {
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
  };
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

/** How a request came by its group; `incomplete`: created, with settings still missing. */
export type Came = 'created' | 'incomplete' | 'already_exists' | 'completed' | 'planned';

/**
 * The outcome of a creation from how the group was come by and what became of its members. Pure. `pending`: the group
 * is there and its Entra id is not known yet, which is never reported as done (design §6.1).
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

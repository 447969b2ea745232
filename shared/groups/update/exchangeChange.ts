import type { DistributionGroup, DistributionGroupChange } from '../../exchange/distributionGroups.ts';
import { sameText } from '../../exchange/identity.ts';
import type { Recipient } from '../../exchange/recipients.ts';
import { type GroupUpdate, type RecipientField, recipientFields, type SettingDifference } from './groupChange.ts';
import { addressesOf, editOf, type KnownRecipients, nameInWrites } from '../ownerIdentity.ts';

/** An update whose people are found. */
export type ResolvedUpdate = Omit<GroupUpdate, RecipientField | 'owners' | 'visibility'> &
  Readonly<Partial<Record<RecipientField | 'owners', readonly Recipient[]>>>;

/** One setting that differs, with what sets it. */
export interface PlannedSetting extends SettingDifference {
  readonly change: DistributionGroupChange;
}

/** Settings that are one value, which is compared and sent as it is. */
const plainFields = [
  'description',
  'hideFromAddressLists',
  'requireSenderAuthentication',
  'joinRestriction',
  'departRestriction',
  'moderationEnabled',
  'mailTip',
] as const;

/**
 * What of an update is not so yet, and nothing else: applied and planned again, nothing is left. Pure.
 * @param known whom the entries of the group's own lists mean
 * @param nameBefore the display name before this update wrote anything: another one that holds the name asked for is that
 *   name under a naming policy (exchange.md §4)
 */
export function planChange(
  update: ResolvedUpdate,
  actual: DistributionGroup,
  known: KnownRecipients,
  nameBefore: string,
): PlannedSetting[] {
  return [
    ...planName(update, actual, nameBefore),
    ...plainFields.flatMap((field) => planPlain(field, update, actual)),
    ...planPrimary(update, actual),
    ...planAddresses(update, actual),
    ...planOwners(update, actual, known),
    ...recipientFields.flatMap((field) => planRecipients(field, update, actual, known)),
  ];
}

/** The settings in one change, as `Set-DistributionGroup` takes it; null for none. Pure. */
export function changeOf(settings: readonly PlannedSetting[]): DistributionGroupChange | null {
  if (settings.length === 0) return null;
  return Object.assign({}, ...settings.map(({ change }) => change)) as DistributionGroupChange;
}

function planName(
  { displayName, ignoreNamingPolicy = false }: ResolvedUpdate,
  actual: DistributionGroup,
  nameBefore: string,
): PlannedSetting[] {
  if (displayName === undefined || actual.displayName === displayName) return [];
  const isOurs = actual.displayName !== nameBefore && actual.displayName.includes(displayName);
  if (isOurs && !ignoreNamingPolicy) return [];
  const change = { displayName, ...(ignoreNamingPolicy ? { ignoreNamingPolicy } : {}) };
  return [{ field: 'displayName', before: actual.displayName, after: displayName, change }];
}

function planPlain(
  field: (typeof plainFields)[number],
  update: ResolvedUpdate,
  actual: DistributionGroup,
): PlannedSetting[] {
  const wanted = update[field];
  if (wanted === undefined || wanted === actual[field]) return [];
  return [{ field, before: String(actual[field] ?? ''), after: String(wanted ?? ''), change: { [field]: wanted } }];
}

function planPrimary({ primarySmtpAddress }: ResolvedUpdate, actual: DistributionGroup): PlannedSetting[] {
  if (primarySmtpAddress === undefined || sameText(actual.primarySmtpAddress, primarySmtpAddress)) return [];
  const before = actual.primarySmtpAddress;
  return [{ field: 'primarySmtpAddress', before, after: primarySmtpAddress, change: { primarySmtpAddress } }];
}

/** Exchange keeps the old primary address as a further one, which goes like any other that the list leaves out. */
function planAddresses(update: ResolvedUpdate, actual: DistributionGroup): PlannedSetting[] {
  if (update.addresses === undefined) return [];
  const primary = update.primarySmtpAddress ?? actual.primarySmtpAddress;
  const others = (addresses: readonly string[]) => addresses.filter((address) => !sameText(address, primary));
  const present = others(actual.addresses);
  const wanted = others(withoutRepeats(update.addresses));
  const add = wanted.filter((address) => !present.some((each) => sameText(each, address)));
  const remove = present.filter((address) => !wanted.some((each) => sameText(each, address)));
  if (add.length === 0 && remove.length === 0) return [];
  const change = { addresses: { ...smtp('add', add), ...smtp('remove', remove) } };
  return [{ field: 'addresses', before: present.join(', '), after: wanted.join(', '), change }];
}

function withoutRepeats(addresses: readonly string[]): string[] {
  return [...new Map(addresses.map((address) => [address.toLowerCase(), address])).values()];
}

function smtp(edit: 'add' | 'remove', addresses: readonly string[]): object {
  return addresses.length === 0 ? {} : { [edit]: addresses.map((address) => `smtp:${address}`) };
}

/** Owners are edited, not replaced: whom somebody else adds meanwhile is not lost (exchange.md §4, ManagedBy). */
function planOwners(
  { owners }: ResolvedUpdate,
  { managedBy }: DistributionGroup,
  known: KnownRecipients,
): PlannedSetting[] {
  if (owners === undefined) return [];
  const { add, remove } = editOf(owners, managedBy, known);
  if (add.length === 0 && remove.length === 0) return [];
  const edit = {
    ...(add.length === 0 ? {} : { add: add.map(nameInWrites) }),
    ...(remove.length === 0 ? {} : { remove }),
  };
  return [peopleChange('owners', addressesOf(managedBy, known), owners, { owners: edit })];
}

function planRecipients(
  field: RecipientField,
  update: ResolvedUpdate,
  actual: DistributionGroup,
  known: KnownRecipients,
): PlannedSetting[] {
  const wanted = update[field];
  if (wanted === undefined) return [];
  const { add, remove } = editOf(wanted, actual[field], known);
  if (add.length === 0 && remove.length === 0) return [];
  return [peopleChange(field, addressesOf(actual[field], known), wanted, { [field]: wanted.map(nameInWrites) })];
}

function peopleChange(
  field: RecipientField | 'owners',
  before: readonly string[],
  after: readonly Recipient[],
  change: DistributionGroupChange,
): PlannedSetting {
  const addresses = after.map(({ primarySmtpAddress }) => primarySmtpAddress);
  return { field, before: before.join(', '), after: addresses.join(', '), change };
}

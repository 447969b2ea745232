import type { FaultCode } from '../../errors.ts';
import type { DistributionGroup, DistributionGroupChange } from '../../exchange/distributionGroups.ts';
import { sameText } from '../../exchange/identity.ts';
import { isEntryOf, type Recipient } from '../../exchange/recipients.ts';
import { recipientFields } from '../update/groupChange.ts';
import { areExactly, nameInWrites } from '../ownerIdentity.ts';
import { type Snapshot, type SnapshotPerson } from '../deletion/snapshot.ts';

export const restoreOutcomes = ['restored', 'partial', 'pending', 'already_restored', 'planned'] as const;
export type RestoreOutcome = (typeof restoreOutcomes)[number];

export const restoreItemKinds = ['setting', 'owner', 'member', 'address', 'identity'] as const;
export const restoreItemOutcomes = ['restored', 'not_restored', 'changed'] as const;

/** What became of one thing that the deleted group had. `code` is the outcome itself where it is back. */
export interface RestoreRow {
  readonly item: string;
  readonly kind: (typeof restoreItemKinds)[number];
  readonly outcome: (typeof restoreItemOutcomes)[number];
  readonly code: FaultCode | (typeof restoreItemOutcomes)[number];
  readonly message: string;
}

export function restoredRow(kind: RestoreRow['kind'], item: string): RestoreRow {
  return { item, kind, outcome: 'restored', code: 'restored', message: 'Is as it was.' };
}

export function lostRow(
  kind: RestoreRow['kind'],
  item: string,
  why: { readonly code: FaultCode | 'not_restored'; readonly message: string },
): RestoreRow {
  return { item, kind, outcome: 'not_restored', code: why.code, message: why.message };
}

export function newIdRow(oldId: string, newId: string): RestoreRow {
  const message = `The group has the Entra id ${newId} now, not ${oldId}: permissions, licences, app assignments and Okta mappings given to the old id are gone.`;
  return { item: oldId, kind: 'identity', outcome: 'changed', code: 'changed', message };
}

/** Recipients that were found, by the entry of the snapshot that means them, in lower case. */
export type FoundPeople = ReadonlyMap<string, Recipient>;

/** One thing that `Set-DistributionGroup` brings back, alone or with others. */
export interface RestorePiece {
  readonly kind: 'setting' | 'address';
  readonly item: string;
  /** null: it is so. */
  missing(actual: DistributionGroup): DistributionGroupChange | null;
}

const plainSettings = [
  'description',
  'hideFromAddressLists',
  'requireSenderAuthentication',
  'joinRestriction',
  'departRestriction',
  'sendModerationNotifications',
  'bccBlocked',
  'bypassNestedModeration',
  'mailTip',
] as const satisfies readonly (keyof DistributionGroup & keyof DistributionGroupChange)[];

/** Moderation is switched on together with its moderators: some kinds refuse the one without the other (exchange.md §4). */
const listSettings = recipientFields.filter((setting) => setting !== 'moderatedBy');

/** What a group has that was created a moment ago (exchange.md §4). */
function freshValues({ kind }: Pick<DistributionGroup, 'kind'>) {
  return {
    description: null,
    hideFromAddressLists: false,
    requireSenderAuthentication: true,
    joinRestriction: 'closed',
    departRestriction: kind === 'mailEnabledSecurity' ? 'closed' : 'open',
    sendModerationNotifications: 'always',
    bccBlocked: false,
    bypassNestedModeration: false,
    mailTip: null,
  } as const satisfies Pick<DistributionGroup, (typeof plainSettings)[number]>;
}

/**
 * What of the deleted group a creation does not bring back, piece by piece. Pure. A setting that was as in a new group is
 * no piece. Replies to old mails and Outlook's cache address the group by its LegacyExchangeDN: as an X500 address it
 * goes on reaching the group.
 * @param taken addresses that others hold by now
 */
export function piecesOf(old: DistributionGroup, found: FoundPeople, taken: readonly string[]): RestorePiece[] {
  const fresh = freshValues(old);
  const pieces: RestorePiece[] = [];
  const setting = (item: string, missing: RestorePiece['missing']) => pieces.push({ kind: 'setting', item, missing });

  for (const name of plainSettings) {
    const wanted = old[name];
    if (wanted === fresh[name]) continue;
    setting(name, (actual) => (actual[name] === wanted ? null : { [name]: wanted }));
  }
  const moderators = foundAmong(old.moderatedBy, found);
  if (old.moderationEnabled || moderators.length > 0) {
    setting('moderation', (actual) => {
      const isSame = actual.moderationEnabled === old.moderationEnabled;
      if (isSame && areExactly(moderators, actual.moderatedBy)) return null;
      return { moderationEnabled: old.moderationEnabled, moderatedBy: moderators.map(nameInWrites) };
    });
  }
  for (const name of listSettings) {
    const people = foundAmong(old[name], found);
    if (people.length === 0) continue;
    setting(name, (actual) => (areExactly(people, actual[name]) ? null : { [name]: people.map(nameInWrites) }));
  }
  for (const [number, text] of Object.entries(old.customAttributes)) {
    setting(`customAttribute${number}`, (actual) =>
      actual.customAttributes[number] === text ? null : { customAttributes: { [number]: text } },
    );
  }
  for (const address of oldAddresses(old)) {
    if (!taken.some((each) => sameText(`smtp:${each}`, address))) pieces.push(addressPiece(address));
  }
  return pieces;
}

function addressPiece(address: string): RestorePiece {
  return {
    kind: 'address',
    item: withoutSmtp(address),
    missing: (actual) => {
      const present = [...actual.addresses.map((each) => `smtp:${each}`), ...actual.otherAddresses];
      return present.some((each) => sameText(each, address)) ? null : { addresses: { add: [address] } };
    },
  };
}

/** All but the primary address, which the creation gives; with prefix. */
function oldAddresses(old: DistributionGroup): string[] {
  const further = old.addresses.filter((address) => !sameText(address, old.primarySmtpAddress));
  const legacy = old.legacyExchangeDn === null ? [] : [`X500:${old.legacyExchangeDn}`];
  const all = [...further.map((address) => `smtp:${address}`), ...old.otherAddresses, ...legacy];
  return [...new Map(all.map((address) => [address.toLowerCase(), address])).values()];
}

function withoutSmtp(address: string): string {
  return address.replace(/^smtp:/i, '');
}

/** What the pieces lack, in one change; null for nothing. Pure. */
export function changeOf(pieces: readonly RestorePiece[], actual: DistributionGroup): DistributionGroupChange | null {
  const changes = pieces.map((piece) => piece.missing(actual)).filter((change) => change !== null);
  if (changes.length === 0) return null;
  const merged = Object.assign({}, ...changes) as DistributionGroupChange;
  const add = changes.flatMap(({ addresses }) => addresses?.add ?? []);
  const customAttributes = Object.assign({}, ...changes.map((change) => change.customAttributes)) as Record<
    string,
    string
  >;
  return {
    ...merged,
    ...(add.length === 0 ? {} : { addresses: { add } }),
    ...(Object.keys(customAttributes).length === 0 ? {} : { customAttributes }),
  };
}

/** A row for everybody whom a setting named and who is gone. Pure. */
export function lostPeopleRows({ exchange, people }: Snapshot, found: FoundPeople): RestoreRow[] {
  if (exchange === null) return [];
  return recipientFields.flatMap((setting) => {
    const lost = exchange[setting].filter((entry) => !found.has(entry.toLowerCase()));
    const opens = setting === 'acceptMessagesFrom' && lost.length === exchange[setting].length;
    const consequence = opens ? ' Nobody who might send is left, so everybody can: limit it anew.' : '';
    return lost.map((entry) =>
      lostRow('setting', `${setting}: ${labelOfPerson(people, entry)}`, {
        code: 'member_not_found',
        message: `Exchange does not find this recipient any more.${consequence}`,
      }),
    );
  });
}

export function labelOfPerson(people: readonly SnapshotPerson[], entry: string): string {
  return people.find((person) => person.entry === entry)?.address ?? entry;
}

/** What stands where the deleted group stood. */
export type Site =
  | { readonly type: 'free' }
  /** One distribution group; whether it is the one that is being restored is told by `differencesFrom`. */
  | { readonly type: 'group'; readonly exchangeId: string }
  | { readonly type: 'taken'; readonly holders: readonly Recipient[] };

/**
 * Judges who holds the name, the alias or the primary address, without which there is no restore, and which of the
 * further addresses somebody else holds. Pure.
 */
export function judgeSite(
  old: DistributionGroup,
  holders: readonly Recipient[],
): { readonly site: Site; readonly taken: readonly string[] } {
  const holds = (holder: Recipient, address: string) => holder.addresses.some((each) => sameText(each, address));
  const inTheWay = holders.filter(
    (holder) =>
      sameText(holder.name, old.name) || sameText(holder.alias, old.alias) || holds(holder, old.primarySmtpAddress),
  );
  const others = holders.filter((holder) => !inTheWay.includes(holder));
  const taken = old.addresses.filter((address) => others.some((holder) => holds(holder, address)));
  const [first, ...more] = inTheWay;
  if (first === undefined) return { site: { type: 'free' }, taken };
  const isGroup = more.length === 0 && /^MailUniversal(Distribution|Security)Group$/.test(first.recipientType);
  return {
    site: isGroup ? { type: 'group', exchangeId: first.exchangeId } : { type: 'taken', holders: inTheWay },
    taken,
  };
}

/**
 * Why a group that stands where the deleted one stood is not the one that an interrupted restore has begun: it is called
 * differently, has owners of its own, or a setting that somebody has chosen. Empty: it is. Pure.
 */
export function differencesFrom(
  old: DistributionGroup,
  actual: DistributionGroup,
  found: FoundPeople,
  owners: readonly Recipient[],
): string[] {
  const fresh = freshValues(old);
  const names = ['name', 'displayName', 'alias', 'primarySmtpAddress'] as const;
  const isKnown = (people: readonly Recipient[], entry: string) => people.some((each) => isEntryOf(each, entry));
  const customAttributes = Object.entries(actual.customAttributes);
  return [
    ...(actual.kind === old.kind ? [] : ['kind']),
    ...(actual.hiddenMembership === old.hiddenMembership ? [] : ['hiddenMembership']),
    ...names.filter((name) => !sameText(actual[name], old[name])),
    ...plainSettings.filter((name) => actual[name] !== old[name] && actual[name] !== fresh[name]),
    ...(actual.moderationEnabled && !old.moderationEnabled ? ['moderationEnabled'] : []),
    ...recipientFields.filter((name) => !actual[name].every((entry) => isKnown(foundAmong(old[name], found), entry))),
    ...customAttributes
      .filter(([number, text]) => old.customAttributes[number] !== text)
      .map(([number]) => `customAttribute${number}`),
    ...(actual.managedBy.every((entry) => isKnown(owners, entry)) ? [] : ['owners']),
  ];
}

function foundAmong(entries: readonly string[], found: FoundPeople): Recipient[] {
  const people = entries.flatMap((entry) => found.get(entry.toLowerCase()) ?? []);
  return [...new Map(people.map((recipient) => [recipient.exchangeId, recipient])).values()];
}

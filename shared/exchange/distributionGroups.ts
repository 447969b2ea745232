import type { Call } from '../call.ts';
import type { Output } from './answers.ts';
import { booleanOf, exchangeIdOf, listOf, type Row, textOf } from './body.ts';
import type { Exchange } from './client.ts';
import { ExchangeFault } from './errors.ts';
import { isAddress, sameText, smtpAddresses } from './identity.ts';
import { isGuid } from '../guid.ts';
import { type ListEdit, opathLiteral, type Parameters } from './parameters.ts';

/** The kinds of group that live in Exchange and that Graph only reads. */
export type ExchangeGroupKind = 'distributionList' | 'mailEnabledSecurity';

/** A group as `Get-DistributionGroup` gives it. */
export interface DistributionGroup {
  /** Entra object id (`ExternalDirectoryObjectId`); null until the dual write to Entra has come back. */
  readonly id: string | null;
  /** Exchange's own GUID. */
  readonly exchangeId: string;
  /** null for a recipient type that is neither, like a room list. */
  readonly kind: ExchangeGroupKind | null;
  readonly recipientType: string;
  readonly name: string;
  readonly displayName: string;
  readonly alias: string;
  readonly primarySmtpAddress: string;
  /** All SMTP addresses, the primary one included, without prefix. */
  readonly addresses: readonly string[];
  readonly description: string | null;
  /** `ManagedBy` as Exchange gives it: object ids, names or distinguished names (exchange.md §4, §8.2). */
  readonly managedBy: readonly string[];
  readonly isDirSynced: boolean;
  readonly hideFromAddressLists: boolean;
  readonly requireSenderAuthentication: boolean;
  readonly joinRestriction: JoinRestriction;
  readonly departRestriction: DepartRestriction;
  readonly moderationEnabled: boolean;
  readonly sendModerationNotifications: ModerationNotifications;
  /** These five name recipients as Exchange gives them, like `managedBy`. */
  readonly moderatedBy: readonly string[];
  readonly bypassModerationFrom: readonly string[];
  /** Who alone may send to the group; empty: everybody. */
  readonly acceptMessagesFrom: readonly string[];
  readonly rejectMessagesFrom: readonly string[];
  readonly sendOnBehalf: readonly string[];
  /** Whether only members and owners see who is a member; nothing can change it (exchange.md §4). */
  readonly hiddenMembership: boolean;
  /** Whether mail that reaches the group by Bcc is refused. */
  readonly bccBlocked: boolean;
  /** Whether what this group has approved needs no approval of moderated groups in it. */
  readonly bypassNestedModeration: boolean;
  /** The displayed text, without the HTML that Exchange puts around it. */
  readonly mailTip: string | null;
  /** Those of 1 to 15 that hold a text. */
  readonly customAttributes: Readonly<Record<string, string>>;
  /** What senders who replied from a cache address: as an X500 address it keeps a re-created group reachable. */
  readonly legacyExchangeDn: string | null;
  /** Addresses that are not SMTP, with their prefix, like `X500:/o=…`. */
  readonly otherAddresses: readonly string[];
}

export const joinRestrictions = ['open', 'closed', 'approvalRequired'] as const;
export type JoinRestriction = (typeof joinRestrictions)[number];
export const departRestrictions = ['open', 'closed'] as const;
export type DepartRestriction = (typeof departRestrictions)[number];
export const moderationNotifications = ['always', 'internal', 'never'] as const;
export type ModerationNotifications = (typeof moderationNotifications)[number];

/** Parameters of `New-DistributionGroup` that this app sets. */
export interface NewDistributionGroup {
  readonly kind: ExchangeGroupKind;
  readonly name: string;
  readonly displayName: string;
  readonly alias: string;
  readonly primarySmtpAddress: string | null;
  readonly description: string | null;
  /** Object ids or addresses; an app-only caller has no mailbox to own the group, so there must be one. */
  readonly owners: readonly string[];
  readonly requireSenderAuthentication: boolean;
  readonly ignoreNamingPolicy: boolean;
  /** Absent: Exchange's default, which differs between the kinds (exchange.md §4). */
  readonly joinRestriction?: JoinRestriction;
  readonly departRestriction?: DepartRestriction;
  /** Can be given at creation alone. */
  readonly hiddenMembership?: boolean;
}

/**
 * What `Set-DistributionGroup` shall change; what is absent stays. Lists replace, edits add and remove; recipients are
 * named by object id or address. `addresses` and `primarySmtpAddress` exclude each other (exchange.md §4).
 */
export interface DistributionGroupChange {
  readonly name?: string;
  readonly displayName?: string;
  /** For `name` and `displayName`. */
  readonly ignoreNamingPolicy?: boolean;
  readonly alias?: string;
  readonly primarySmtpAddress?: string;
  /** With prefix: `smtp:`, `X500:`. */
  readonly addresses?: ListEdit;
  readonly owners?: readonly string[] | ListEdit;
  /** null clears. */
  readonly description?: string | null;
  readonly hideFromAddressLists?: boolean;
  readonly requireSenderAuthentication?: boolean;
  readonly joinRestriction?: JoinRestriction;
  readonly departRestriction?: DepartRestriction;
  readonly moderationEnabled?: boolean;
  readonly sendModerationNotifications?: ModerationNotifications;
  readonly moderatedBy?: readonly string[];
  readonly bypassModerationFrom?: readonly string[];
  readonly acceptMessagesFrom?: readonly string[];
  readonly rejectMessagesFrom?: readonly string[];
  readonly sendOnBehalf?: readonly string[];
  readonly bccBlocked?: boolean;
  readonly bypassNestedModeration?: boolean;
  /** null clears; up to 175 characters. */
  readonly mailTip?: string | null;
  /** By number, 1 to 15; an empty text clears. */
  readonly customAttributes?: Readonly<Record<string, string>>;
}

const customAttributeCount = 15;

const recipientTypes: Readonly<Record<string, ExchangeGroupKind>> = {
  MailUniversalDistributionGroup: 'distributionList',
  MailUniversalSecurityGroup: 'mailEnabledSecurity',
};

export interface DistributionGroups {
  /**
   * Every distribution group that has this object id, this address, or exactly this name or display name. Rows that
   * Exchange returns for other reasons (an alias, an absent identity: exchange.md §4) are dropped.
   */
  find(identity: string, call: Call): Promise<DistributionGroup[]>;
  create(group: NewDistributionGroup, call: Call): Promise<Output>;
  /** The group in the output of its creation; null when Exchange put none out. Not all of it may be filled in yet. */
  inOutput(output: Output): DistributionGroup | null;
  change(exchangeId: string, change: DistributionGroupChange, call: Call): Promise<Output>;
  remove(exchangeId: string, call: Call): Promise<Output>;
}

/**
 * BypassSecurityGroupManagerCheck goes with every write but the creation: an app-only caller is never in ManagedBy, and
 * without the switch a mail-enabled security group answers "not in the current organization" (exchange.md §1.7, §3).
 */
const bypass = { BypassSecurityGroupManagerCheck: true } as const;

export function createDistributionGroups(exchange: Exchange): DistributionGroups {
  return {
    find: async (identity, call) => {
      if (identity.trim() === '') return [];
      try {
        const rows = await exchange.read({ name: 'Get-DistributionGroup', parameters: findParameters(identity) }, call);
        return rows.map(readDistributionGroup).filter((group) => isNamed(group, identity));
      } catch (error) {
        if (error instanceof ExchangeFault && error.kind === 'notFound') return [];
        throw error;
      }
    },

    create: (group, call) =>
      exchange.write(
        {
          name: 'New-DistributionGroup',
          parameters: {
            Name: group.name,
            DisplayName: group.displayName,
            Alias: group.alias,
            Type: group.kind === 'mailEnabledSecurity' ? 'Security' : 'Distribution',
            PrimarySmtpAddress: group.primarySmtpAddress ?? undefined,
            Description: group.description === null ? undefined : [group.description],
            ManagedBy: group.owners,
            RequireSenderAuthenticationEnabled: group.requireSenderAuthentication,
            IgnoreNamingPolicy: group.ignoreNamingPolicy ? true : undefined,
            MemberJoinRestriction: enumName(group.joinRestriction),
            MemberDepartRestriction: enumName(group.departRestriction),
            HiddenGroupMembershipEnabled: group.hiddenMembership === true ? true : undefined,
          },
        },
        call,
      ),

    inOutput: ({ rows: [row] }) => (row === undefined ? null : readDistributionGroup(row)),

    change: (exchangeId, change, call) =>
      exchange.write(
        {
          name: 'Set-DistributionGroup',
          parameters: { Identity: exchangeId, ...changeParameters(change), ...bypass },
        },
        call,
      ),

    remove: (exchangeId, call) =>
      exchange.write(
        { name: 'Remove-DistributionGroup', parameters: { Identity: exchangeId, Confirm: false, ...bypass } },
        call,
      ),
  };
}

/**
 * Whether who may send is limited or mail is moderated: what Exchange wants of a group of 5,000 members or more
 * (exchange.md §4, Limits). Pure.
 */
export function isDeliveryRestricted(
  group: Pick<DistributionGroup, 'acceptMessagesFrom' | 'moderationEnabled'>,
): boolean {
  return group.moderationEnabled || group.acceptMessagesFrom.length > 0;
}

function changeParameters(change: DistributionGroupChange): Parameters {
  const { description, customAttributes = {} } = change;
  return {
    Name: change.name,
    DisplayName: change.displayName,
    IgnoreNamingPolicy: change.ignoreNamingPolicy === true ? true : undefined,
    Alias: change.alias,
    PrimarySmtpAddress: change.primarySmtpAddress,
    EmailAddresses: change.addresses,
    ManagedBy: change.owners,
    Description: description === undefined ? undefined : [description].filter((each) => each !== null),
    HiddenFromAddressListsEnabled: change.hideFromAddressLists,
    RequireSenderAuthenticationEnabled: change.requireSenderAuthentication,
    MemberJoinRestriction: enumName(change.joinRestriction),
    MemberDepartRestriction: enumName(change.departRestriction),
    ModerationEnabled: change.moderationEnabled,
    SendModerationNotifications: enumName(change.sendModerationNotifications),
    ModeratedBy: change.moderatedBy,
    BypassModerationFromSendersOrMembers: change.bypassModerationFrom,
    AcceptMessagesOnlyFromSendersOrMembers: change.acceptMessagesFrom,
    RejectMessagesFromSendersOrMembers: change.rejectMessagesFrom,
    GrantSendOnBehalfTo: change.sendOnBehalf,
    BccBlocked: change.bccBlocked,
    BypassNestedModerationEnabled: change.bypassNestedModeration,
    MailTip: change.mailTip,
    ...Object.fromEntries(Object.entries(customAttributes).map(([number, text]) => [`CustomAttribute${number}`, text])),
  };
}

/** Written out in full: Exchange matches enumerators by their beginning (exchange.md §1.3). */
function enumName(value: string | undefined): string | undefined {
  return value === undefined ? undefined : `${value.charAt(0).toUpperCase()}${value.slice(1)}`;
}

/** One of `names`, whatever its case; `fallback` where Exchange says nothing, or something new. */
function enumOf<const Name extends string>(row: Row, property: string, names: readonly Name[], fallback: Name): Name {
  const value = textOf(row, property);
  return names.find((name) => sameText(name, value)) ?? fallback;
}

/** Exchange keeps a MailTip as `<html><body>…</body></html>` (Set-DistributionGroup, MailTip). */
function mailTipOf(row: Row): string | null {
  const text =
    textOf(row, 'MailTip')
      ?.replace(/<\/?(html|body)>/gi, '')
      .trim() ?? '';
  return text === '' ? null : text;
}

function customAttributesOf(row: Row): Record<string, string> {
  const attributes: Record<string, string> = {};
  for (let number = 1; number <= customAttributeCount; number += 1) {
    const text = textOf(row, `CustomAttribute${number}`);
    if (text !== null) attributes[number] = text;
  }
  return attributes;
}

/** For the Get- cmdlet: a GUID or address binds as it is, a name by a filter, since Identity takes an alias for a name. */
export function findParameters(identity: string): Parameters {
  if (isGuid(identity) || isAddress(identity)) return { Identity: identity };
  const name = opathLiteral(identity);
  return { Filter: `Name -eq ${name} -or DisplayName -eq ${name}`, ResultSize: 'Unlimited' };
}

/** Whether the group goes by this GUID, address or name: Exchange also returns rows for other reasons. */
export function isNamed(group: DistributionGroup, identity: string): boolean {
  if (isGuid(identity)) return sameText(group.id, identity) || sameText(group.exchangeId, identity);
  if (isAddress(identity)) return group.addresses.some((address) => sameText(address, identity));
  return sameText(group.name, identity) || sameText(group.displayName, identity);
}

export function readDistributionGroup(row: Row): DistributionGroup {
  const recipientType = textOf(row, 'RecipientTypeDetails') ?? '';
  const primarySmtpAddress = textOf(row, 'PrimarySmtpAddress') ?? '';
  const emailAddresses = listOf(row, 'EmailAddresses');
  const addresses = smtpAddresses(emailAddresses);
  const kind = recipientTypes[recipientType] ?? null;
  const defaultDepartRestriction = kind === 'mailEnabledSecurity' ? 'closed' : 'open';
  return {
    id: textOf(row, 'ExternalDirectoryObjectId'),
    exchangeId: exchangeIdOf(row),
    kind,
    recipientType,
    name: textOf(row, 'Name') ?? '',
    displayName: textOf(row, 'DisplayName') ?? textOf(row, 'Name') ?? '',
    alias: textOf(row, 'Alias') ?? '',
    primarySmtpAddress,
    addresses: addresses.length > 0 ? addresses : [primarySmtpAddress].filter((each) => each !== ''),
    description: listOf(row, 'Description').join('\n') || null,
    managedBy: listOf(row, 'ManagedBy'),
    isDirSynced: booleanOf(row, 'IsDirSynced'),
    hideFromAddressLists: booleanOf(row, 'HiddenFromAddressListsEnabled'),
    requireSenderAuthentication: booleanOf(row, 'RequireSenderAuthenticationEnabled'),
    joinRestriction: enumOf(row, 'MemberJoinRestriction', joinRestrictions, 'closed'),
    departRestriction: enumOf(row, 'MemberDepartRestriction', departRestrictions, defaultDepartRestriction),
    moderationEnabled: booleanOf(row, 'ModerationEnabled'),
    sendModerationNotifications: enumOf(row, 'SendModerationNotifications', moderationNotifications, 'always'),
    moderatedBy: listOf(row, 'ModeratedBy'),
    bypassModerationFrom: listOf(row, 'BypassModerationFromSendersOrMembers'),
    acceptMessagesFrom: listOf(row, 'AcceptMessagesOnlyFromSendersOrMembers'),
    rejectMessagesFrom: listOf(row, 'RejectMessagesFromSendersOrMembers'),
    sendOnBehalf: listOf(row, 'GrantSendOnBehalfTo'),
    hiddenMembership: booleanOf(row, 'HiddenGroupMembershipEnabled'),
    bccBlocked: booleanOf(row, 'BccBlocked'),
    bypassNestedModeration: booleanOf(row, 'BypassNestedModerationEnabled'),
    mailTip: mailTipOf(row),
    customAttributes: customAttributesOf(row),
    legacyExchangeDn: textOf(row, 'LegacyExchangeDN'),
    otherAddresses: emailAddresses.filter((address) => !/^smtp:/i.test(address)),
  };
}

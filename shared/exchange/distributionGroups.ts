import type { Call } from '../call.ts';
import type { Output } from './answers.ts';
import { booleanOf, exchangeIdOf, listOf, type Row, textOf } from './body.ts';
import type { Exchange } from './client.ts';
import { ExchangeFault } from './errors.ts';
import { isAddress, sameText, smtpAddresses } from './identity.ts';
import { isGuid } from '../guid.ts';
import { type ListEdit, opathLiteral } from './parameters.ts';

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
}

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
}

/** What only `Set-DistributionGroup` can do (exchange.md §4), and what can be completed later. */
export interface DistributionGroupChange {
  readonly hideFromAddressLists?: boolean;
  readonly description?: string;
  readonly addresses?: ListEdit;
}

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
      const parameters =
        isGuid(identity) || isAddress(identity)
          ? { Identity: identity }
          : { Filter: nameFilter(identity), ResultSize: 'Unlimited' };
      try {
        const rows = await exchange.read({ name: 'Get-DistributionGroup', parameters }, call);
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
          },
        },
        call,
      ),

    inOutput: ({ rows: [row] }) => (row === undefined ? null : readDistributionGroup(row)),

    change: (exchangeId, change, call) =>
      exchange.write(
        {
          name: 'Set-DistributionGroup',
          parameters: {
            Identity: exchangeId,
            HiddenFromAddressListsEnabled: change.hideFromAddressLists,
            Description: change.description === undefined ? undefined : [change.description],
            EmailAddresses: change.addresses,
            ...bypass,
          },
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

function nameFilter(name: string): string {
  return `Name -eq ${opathLiteral(name)} -or DisplayName -eq ${opathLiteral(name)}`;
}

function isNamed(group: DistributionGroup, identity: string): boolean {
  if (isGuid(identity)) return sameText(group.id, identity) || sameText(group.exchangeId, identity);
  if (isAddress(identity)) return group.addresses.some((address) => sameText(address, identity));
  return sameText(group.name, identity) || sameText(group.displayName, identity);
}

function readDistributionGroup(row: Row): DistributionGroup {
  const recipientType = textOf(row, 'RecipientTypeDetails') ?? '';
  const primarySmtpAddress = textOf(row, 'PrimarySmtpAddress') ?? '';
  const addresses = smtpAddresses(listOf(row, 'EmailAddresses'));
  return {
    id: textOf(row, 'ExternalDirectoryObjectId'),
    exchangeId: exchangeIdOf(row),
    kind: recipientTypes[recipientType] ?? null,
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
  };
}

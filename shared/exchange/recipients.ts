import type { Call } from '../call.ts';
import type { Fault } from '../errors.ts';
import { exchangeIdOf, listOf, type Row, textOf } from './body.ts';
import { type CmdletName, type Exchange, maxBatchSize } from './client.ts';
import { ExchangeFault } from './errors.ts';
import { sameText, smtpAddresses } from './identity.ts';
import { isGuid } from '../guid.ts';
import { opathLiteral } from './parameters.ts';

/** Whatever Exchange can deliver to: a mailbox, a mail user, a contact, a group. */
export interface Recipient {
  /** Entra object id; null for the few recipients that have none. */
  readonly id: string | null;
  readonly exchangeId: string;
  readonly name: string;
  readonly displayName: string;
  readonly alias: string;
  readonly distinguishedName: string | null;
  readonly primarySmtpAddress: string;
  readonly addresses: readonly string[];
  readonly userPrincipalName: string | null;
  /** `RecipientTypeDetails`, like `UserMailbox`, `GuestMailUser`, `MailContact`, `GroupMailbox`. */
  readonly recipientType: string;
}

/** What became of one lookup. */
export type RecipientLookup =
  | { readonly type: 'found'; readonly recipient: Recipient }
  | { readonly type: 'missing' }
  | { readonly type: 'ambiguous'; readonly count: number }
  | { readonly type: 'failed'; readonly fault: Fault };

export interface Recipients {
  /** Looks each object id, address or UPN up; answers in the order given. An alias or a name never matches. */
  lookUp(identities: readonly string[], call: Call): Promise<RecipientLookup[]>;
  /**
   * Looks up whom the entries of a list of Exchange's own mean, like `ManagedBy` (see `isEntryOf`); answers in the order
   * given.
   */
  lookUpEntries(entries: readonly string[], call: Call): Promise<RecipientLookup[]>;
  /** Every recipient, of whatever type, that holds this alias, one of these addresses or this name. */
  holders(of: { alias?: string; addresses: readonly string[]; name?: string }, call: Call): Promise<Recipient[]>;
}

const cmdlet: CmdletName = 'Get-Recipient';

/** Whether a recipient that Exchange answered with is the one meant by a text. */
type Meets = (recipient: Recipient, identity: string) => boolean;

export function createRecipients(exchange: Exchange): Recipients {
  async function lookUp(identities: readonly string[], meets: Meets, call: Call): Promise<RecipientLookup[]> {
    const lookups: RecipientLookup[] = [];
    for (let start = 0; start < identities.length; start += maxBatchSize) {
      const slice = identities.slice(start, start + maxBatchSize);
      const commands = slice.map((identity) => ({ name: cmdlet, parameters: { Identity: identity } }));
      const parts = await exchange.batch(commands, 'read', call);
      slice.forEach((identity, index) => {
        const part = parts[index];
        if (part?.ok === true) lookups.push(judge(identity, part.output.rows, meets));
        else if (part !== undefined) lookups.push(failedLookup(part.fault));
      });
    }
    return lookups;
  }

  return {
    lookUp: (identities, call) => lookUp(identities, isIdentifiedBy, call),

    lookUpEntries: (entries, call) => lookUp(entries, isEntryOf, call),

    holders: async ({ alias, addresses, name }, call) => {
      const conditions = [
        ...(alias === undefined ? [] : [`Alias -eq ${opathLiteral(alias)}`]),
        ...(name === undefined ? [] : [`Name -eq ${opathLiteral(name)}`]),
        ...addresses.map((address) => `EmailAddresses -eq ${opathLiteral(`smtp:${address}`)}`),
      ];
      const parameters = { Filter: conditions.join(' -or '), ResultSize: 'Unlimited' };
      const rows = await exchange.read({ name: cmdlet, parameters }, call);
      return rows.map(readRecipient);
    },
  };
}

function judge(identity: string, rows: readonly Row[], meets: Meets): RecipientLookup {
  const matches = rows.map(readRecipient).filter((recipient) => meets(recipient, identity));
  const [recipient] = matches;
  if (recipient === undefined) return { type: 'missing' };
  return matches.length === 1 ? { type: 'found', recipient } : { type: 'ambiguous', count: matches.length };
}

function failedLookup(fault: Fault): RecipientLookup {
  if (fault instanceof ExchangeFault && fault.kind === 'notFound') return { type: 'missing' };
  if (fault instanceof ExchangeFault && fault.kind === 'ambiguous') return { type: 'ambiguous', count: 2 };
  return { type: 'failed', fault };
}

/** Exchange also binds an Identity to aliases and names; a member is named by id, address or UPN only (design §4). */
function isIdentifiedBy(recipient: Recipient, identity: string): boolean {
  if (isGuid(identity)) return sameText(recipient.id, identity) || sameText(recipient.exchangeId, identity);
  return (
    sameText(recipient.userPrincipalName, identity) ||
    sameText(recipient.primarySmtpAddress, identity) ||
    recipient.addresses.some((address) => sameText(address, identity))
  );
}

/**
 * Whether an entry of a list like `ManagedBy` means this recipient: Exchange gives object ids, unique names,
 * distinguished names, or canonical names that end in the unique name (exchange.md §4, §8.2). Pure.
 */
export function isEntryOf(recipient: Recipient, entry: string): boolean {
  const { id, exchangeId, name, alias, distinguishedName, primarySmtpAddress } = recipient;
  // A recipient may lack a name or an address, which then reads as an empty text and means nobody.
  if (entry === '') return false;
  const canonicalEnd = entry.includes('/') ? entry.slice(entry.lastIndexOf('/') + 1) : null;
  return (
    [id, exchangeId, name, alias, distinguishedName, primarySmtpAddress].some((each) => sameText(each, entry)) ||
    (canonicalEnd !== '' && sameText(name, canonicalEnd))
  );
}

/** For messages: who they are and of what type. Pure. */
export function textOfRecipients(recipients: readonly Recipient[]): string {
  return recipients
    .map(
      ({ displayName, primarySmtpAddress, recipientType }) =>
        `${displayName} <${primarySmtpAddress}> (${recipientType})`,
    )
    .join('; ');
}

function readRecipient(row: Row): Recipient {
  const primarySmtpAddress = textOf(row, 'PrimarySmtpAddress') ?? '';
  return {
    id: textOf(row, 'ExternalDirectoryObjectId'),
    exchangeId: exchangeIdOf(row),
    name: textOf(row, 'Name') ?? '',
    displayName: textOf(row, 'DisplayName') ?? '',
    alias: textOf(row, 'Alias') ?? '',
    distinguishedName: textOf(row, 'DistinguishedName'),
    primarySmtpAddress,
    addresses: smtpAddresses(listOf(row, 'EmailAddresses')),
    userPrincipalName: textOf(row, 'WindowsLiveID'),
    recipientType: textOf(row, 'RecipientTypeDetails') ?? '',
  };
}

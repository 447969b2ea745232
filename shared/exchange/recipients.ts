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
  /** Every recipient, of whatever type, that holds this alias, one of these addresses or this name. */
  holders(of: { alias: string; addresses: readonly string[]; name: string }, call: Call): Promise<Recipient[]>;
}

const cmdlet: CmdletName = 'Get-Recipient';

export function createRecipients(exchange: Exchange): Recipients {
  return {
    lookUp: async (identities, call) => {
      const lookups: RecipientLookup[] = [];
      for (let start = 0; start < identities.length; start += maxBatchSize) {
        const slice = identities.slice(start, start + maxBatchSize);
        const commands = slice.map((identity) => ({ name: cmdlet, parameters: { Identity: identity } }));
        const parts = await exchange.batch(commands, 'read', call);
        slice.forEach((identity, index) => {
          const part = parts[index];
          if (part?.ok === true) lookups.push(judge(identity, part.output.rows));
          else if (part !== undefined) lookups.push(failedLookup(part.fault));
        });
      }
      return lookups;
    },

    holders: async ({ alias, addresses, name }, call) => {
      const conditions = [
        `Alias -eq ${opathLiteral(alias)}`,
        `Name -eq ${opathLiteral(name)}`,
        ...addresses.map((address) => `EmailAddresses -eq ${opathLiteral(`smtp:${address}`)}`),
      ];
      const parameters = { Filter: conditions.join(' -or '), ResultSize: 'Unlimited' };
      const rows = await exchange.read({ name: cmdlet, parameters }, call);
      return rows.map(readRecipient);
    },
  };
}

function judge(identity: string, rows: readonly Row[]): RecipientLookup {
  const matches = rows.map(readRecipient).filter((recipient) => isIdentifiedBy(recipient, identity));
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

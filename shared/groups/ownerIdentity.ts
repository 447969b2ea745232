import { sameText } from '../exchange/identity.ts';
import { isEntryOf, type Recipient } from '../exchange/recipients.ts';

/** Whether the entries of a list like `ManagedBy` mean exactly these recipients, each by whichever of its names. Pure. */
export function areExactly(recipients: readonly Recipient[], entries: readonly string[]): boolean {
  return (
    recipients.every((recipient) => entries.some((entry) => isEntryOf(recipient, entry))) &&
    entries.every((entry) => recipients.some((recipient) => isEntryOf(recipient, entry)))
  );
}

/** Whom the entries of Exchange's lists mean, by entry in lower case. An entry that leads nowhere is not there. */
export type KnownRecipients = ReadonlyMap<string, Recipient>;

/** What has to be added to the entries and removed from them, so that they mean exactly `wanted`. Pure. */
export function editOf(
  wanted: readonly Recipient[],
  entries: readonly string[],
  known: KnownRecipients,
): { readonly add: readonly Recipient[]; readonly remove: readonly string[] } {
  const means = (entry: string, recipient: Recipient) => {
    const found = known.get(entry.toLowerCase());
    return found === undefined ? isEntryOf(recipient, entry) : sameText(found.exchangeId, recipient.exchangeId);
  };
  return {
    add: wanted.filter((recipient) => !entries.some((entry) => means(entry, recipient))),
    remove: entries.filter((entry) => !wanted.some((recipient) => means(entry, recipient))),
  };
}

/** The entries as a person reads them: addresses where they are known. Pure. */
export function addressesOf(entries: readonly string[], known: KnownRecipients): string[] {
  return entries.map((entry) => known.get(entry.toLowerCase())?.primarySmtpAddress ?? entry);
}

/** Whatever a recipient is called, its object id or GUID names it alone. Pure. */
export function nameInWrites({ id, exchangeId }: Pick<Recipient, 'id' | 'exchangeId'>): string {
  return id ?? exchangeId;
}

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

/** What tells one recipient from another, whatever it is called: two entries with one key mean the same. Pure. */
export function keyOfEntry(entry: string, known: KnownRecipients): string {
  return (known.get(entry.toLowerCase())?.exchangeId ?? entry).toLowerCase();
}

/** What has to be added to the entries and removed from them, so that they mean exactly `wanted`. Pure. */
export function editOf(
  wanted: readonly Recipient[],
  entries: readonly string[],
  known: KnownRecipients,
): { readonly add: readonly Recipient[]; readonly remove: readonly string[] } {
  const present = new Set(entries.map((entry) => keyOfEntry(entry, known)));
  const asked = new Set(wanted.map(({ exchangeId }) => exchangeId.toLowerCase()));
  return {
    add: wanted.filter(({ exchangeId }) => !present.has(exchangeId.toLowerCase())),
    remove: entries.filter((entry) => !asked.has(keyOfEntry(entry, known))),
  };
}

/** The entries as a person reads them: addresses where they are known. Pure. */
export function addressesOf(entries: readonly string[], known: KnownRecipients): string[] {
  return entries.map((entry) => known.get(entry.toLowerCase())?.primarySmtpAddress ?? entry);
}

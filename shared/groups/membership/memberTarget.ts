import type { Recipient } from '../../exchange/recipients.ts';
import type { GraphMember } from '../../graph/groups.ts';

/** One member of a change, as the directory that is written to names it. */
export interface MemberTarget {
  /** The same for the same object, whatever the request called it. */
  readonly key: string;
  /** What the directory is told. */
  readonly memberId: string;
  /** Entra object id; null for the few recipients that have none. */
  readonly id: string | null;
  /** For people: an address where there is one. */
  readonly label: string;
}

export function keyOf(recipient: Recipient): string {
  return recipient.exchangeId.toLowerCase();
}

export function targetOfRecipient(recipient: Recipient): MemberTarget {
  const { id, exchangeId, primarySmtpAddress } = recipient;
  return { key: keyOf(recipient), memberId: exchangeId, id, label: primarySmtpAddress };
}

/** Somebody that Graph shows as a member. Exchange takes object ids as well (exchange.md §4, Members). */
export function targetOfMember(member: Pick<GraphMember, 'id' | 'userPrincipalName' | 'mail'>): MemberTarget {
  const { id, userPrincipalName, mail } = member;
  return { key: id.toLowerCase(), memberId: id, id, label: mail ?? userPrincipalName ?? id };
}

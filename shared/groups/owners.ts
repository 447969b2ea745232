import { Fault, type FaultCode, faultTable } from '../errors.ts';
import type { Recipient } from '../exchange/recipients.ts';
import type { GraphMember } from '../graph/groups.ts';
import type { EntraResolution } from './membership/entraMembers.ts';
import { failed, type MemberResolution } from './membership/members.ts';

/** Why an entry names no owner. */
type Refusal = Extract<MemberResolution, { readonly code: FaultCode }>;
type FoundInEntra = Extract<EntraResolution, { readonly type: 'found' }>;

/** An owner is a mailbox, a mail user or a mail-enabled security group (exchange.md §4, ManagedBy). */
const ownerTypes = /Mailbox$|^MailUser$|^GuestMailUser$|^MailUniversalSecurityGroup$/;

/** All owners of a group in Exchange. @throws Fault as `requireAll` */
export function requireOwners(entries: readonly string[], resolutions: readonly MemberResolution[]): Recipient[] {
  const owners = requireAll(entries, resolutions.map(judgeAsOwner), exchangeFix).map(({ recipient }) => recipient);
  // One person under two names is one owner.
  return [...new Map(owners.map((recipient) => [recipient.exchangeId, recipient])).values()];
}

/** All owners of a group in Entra. @throws Fault as `requireAll` */
export function requireEntraOwners(entries: readonly string[], resolutions: readonly EntraResolution[]): GraphMember[] {
  const owners = requireAll<FoundInEntra>(entries, resolutions, 'Name a user.').map(({ object }) => object);
  return [...new Map(owners.map((owner) => [owner.id.toLowerCase(), owner])).values()];
}

const exchangeFix = 'Name a mailbox, a mail user or a mail-enabled security group.';

/**
 * All that was found, or one fault that lists every owner that cannot be used. Its code is the gravest: protected, then
 * what may pass (an upstream that failed, a mailbox that is to come), then what stays.
 */
function requireAll<Found extends { readonly type: 'found' }>(
  entries: readonly string[],
  resolutions: readonly (Found | Refusal)[],
  fix: string,
): Found[] {
  const found: Found[] = [];
  const refused: (Refusal & { pointer: string })[] = [];
  for (const [index, resolution] of resolutions.entries()) {
    if (resolution.type === 'found') found.push(resolution);
    else refused.push({ ...resolution, pointer: `/owners/${index}` });
  }
  if (refused.length === 0) return found;
  throw new Fault(gravest(refused.map(({ code }) => code)), {
    detail: `${refused.length} of ${entries.length} owners cannot own the group: ${refused.map(({ message }) => message).join(' ')} Nothing was written.`,
    fix: 'Mend the owners listed under errors.',
    errors: refused.map(({ pointer, message }) => ({ pointer, message, fix })),
  });
}

function judgeAsOwner(resolution: MemberResolution): MemberResolution {
  if (resolution.type !== 'found') return resolution;
  const { recipientType, primarySmtpAddress } = resolution.recipient;
  if (ownerTypes.test(recipientType) && recipientType !== 'GroupMailbox') return resolution;
  return failed('owner_not_valid', `${primarySmtpAddress} is a ${recipientType}, which cannot own a group.`);
}

function gravest(codes: readonly FaultCode[]): FaultCode {
  if (codes.includes('protected_object')) return 'protected_object';
  return codes.find((code) => faultTable[code].retryable && code !== 'no_mailbox') ?? 'owner_not_valid';
}

import { Fault, type FaultCode, faultTable } from '../errors.ts';
import type { Recipient } from '../exchange/recipients.ts';
import { failed, type MemberResolution } from './members.ts';

/** An owner is a mailbox, a mail user or a mail-enabled security group (exchange.md §4, ManagedBy). */
const ownerTypes = /Mailbox$|^MailUser$|^GuestMailUser$|^MailUniversalSecurityGroup$/;

/**
 * All owners, or one fault that lists every one that cannot be used. Its code is the gravest: protected, then what may
 * pass (an upstream that failed, a mailbox that is to come), then what stays.
 */
export function requireOwners(entries: readonly string[], resolutions: readonly MemberResolution[]): Recipient[] {
  const found: Recipient[] = [];
  const refused: { code: FaultCode; message: string; pointer: string }[] = [];
  for (const [index, resolution] of resolutions.map(judgeAsOwner).entries()) {
    if (resolution.type === 'found') found.push(resolution.recipient);
    else refused.push({ ...resolution, pointer: `/owners/${index}` });
  }
  if (refused.length > 0) {
    throw new Fault(gravest(refused.map(({ code }) => code)), {
      detail: `${refused.length} of ${entries.length} owners cannot own the group: ${refused.map(({ message }) => message).join(' ')} Nothing was created.`,
      fix: 'Mend the owners listed under errors.',
      errors: refused.map(({ pointer, message }) => ({
        pointer,
        message,
        fix: 'Name a mailbox, a mail user or a mail-enabled security group.',
      })),
    });
  }
  // One person under two names is one owner.
  return [...new Map(found.map((recipient) => [recipient.exchangeId, recipient])).values()];
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

import type { Call } from '../call.ts';
import { Fault, type FaultCode } from '../errors.ts';
import { isGuid } from '../exchange/identity.ts';
import type { Recipient, RecipientLookup, Recipients } from '../exchange/recipients.ts';
import type { GraphUsers } from '../graph/users.ts';
import { isListed } from './protection.ts';

/** Who a caller meant by one entry of `members` or `owners`. */
export type MemberResolution =
  | { readonly type: 'found'; readonly recipient: Recipient }
  /** A user that Exchange does not know yet, or an entry that cannot be used: `code` and `message` say why. */
  | { readonly type: 'not_ready' | 'failed'; readonly code: FaultCode; readonly message: string };

export interface MemberResolver {
  /** Resolves each entry to exactly one recipient; answers in the order given. */
  resolve(entries: readonly string[], call: Call): Promise<MemberResolution[]>;
}

export interface MemberResolverDependencies {
  readonly recipients: Recipients;
  readonly graphUsers: GraphUsers;
  readonly protectedUsers: readonly string[];
}

/**
 * Exchange decides who can be a member, so it is asked first. What it does not know is looked for in Entra: a user
 * that exists there has no mailbox yet, or has a UPN that is none of its addresses and is found by its object id.
 */
export function createMemberResolver(dependencies: MemberResolverDependencies): MemberResolver {
  const { recipients, graphUsers, protectedUsers } = dependencies;

  async function resolveUnknown(entry: string, call: Call): Promise<MemberResolution> {
    const user = await graphUsers.find(entry, call);
    if (user === null) {
      return failed('member_not_found', `Neither Exchange nor Entra has a user or recipient "${entry}".`);
    }
    if (!isGuid(entry)) {
      const [lookup] = await recipients.lookUp([user.id], call);
      if (lookup?.type === 'found') return judgeRecipient(lookup.recipient);
    }
    return {
      type: 'not_ready',
      code: 'no_mailbox',
      message: `${user.userPrincipalName} exists in Entra but has no mailbox or mail address in Exchange yet.`,
    };
  }

  function judgeRecipient(recipient: Recipient): MemberResolution {
    const names = [recipient.id, recipient.userPrincipalName, recipient.primarySmtpAddress, ...recipient.addresses];
    if (isListed(protectedUsers, names)) {
      return failed('protected_object', `${recipient.primarySmtpAddress} is listed in PROTECTED_USERS.`);
    }
    return { type: 'found', recipient };
  }

  return {
    resolve: async (entries, call) => {
      const lookups = await recipients.lookUp(entries, call);
      const resolutions: MemberResolution[] = [];
      for (const [index, entry] of entries.entries()) {
        resolutions.push(await resolveOne(entry, lookups[index] ?? { type: 'missing' }));
      }
      return resolutions;

      async function resolveOne(entry: string, lookup: RecipientLookup): Promise<MemberResolution> {
        switch (lookup.type) {
          case 'found':
            return judgeRecipient(lookup.recipient);
          case 'missing':
            return await resolveUnknown(entry, call);
          case 'ambiguous':
            return failed('ambiguous_member', `"${entry}" matches ${lookup.count} recipients; use the object id.`);
          case 'failed':
            return failed(lookup.fault.code, lookup.fault.message);
        }
      }
    },
  };
}

/** Exchange lists take no Microsoft 365 group as member (exchange.md §4, Members); it would answer with a riddle. */
export function judgeAsMember(resolution: MemberResolution): MemberResolution {
  if (resolution.type !== 'found' || resolution.recipient.recipientType !== 'GroupMailbox') return resolution;
  const { primarySmtpAddress } = resolution.recipient;
  return failed(
    'member_kind_not_allowed',
    `${primarySmtpAddress} is a Microsoft 365 group, which Exchange does not accept as a member of another group; add its members instead.`,
  );
}

/** An owner is a mailbox, a mail user or a mail-enabled security group (exchange.md §4, ManagedBy). */
const ownerTypes = /Mailbox$|^MailUser$|^GuestMailUser$|^MailUniversalSecurityGroup$/;

export function judgeAsOwner(resolution: MemberResolution): MemberResolution {
  if (resolution.type !== 'found') return resolution;
  const { recipientType, primarySmtpAddress } = resolution.recipient;
  if (ownerTypes.test(recipientType) && recipientType !== 'GroupMailbox') return resolution;
  return failed('owner_not_valid', `${primarySmtpAddress} is a ${recipientType}, which cannot own a group.`);
}

/** All owners, or one fault that lists every one that cannot be used. */
export function requireOwners(entries: readonly string[], resolutions: readonly MemberResolution[]): Recipient[] {
  const judged = resolutions.map(judgeAsOwner);
  const errors = judged.flatMap((resolution, index) =>
    resolution.type === 'found'
      ? []
      : [
          {
            pointer: `/owners/${index}`,
            message: resolution.message,
            fix: 'Name a mailbox, a mail user or a mail-enabled security group.',
          },
        ],
  );
  if (errors.length > 0) {
    throw new Fault('owner_not_valid', {
      detail: `${errors.length} of ${entries.length} owners cannot own the group; nothing was created.`,
      fix: 'Mend the owners listed under errors.',
      errors,
    });
  }
  return judged.flatMap((resolution) => (resolution.type === 'found' ? [resolution.recipient] : []));
}

function failed(code: FaultCode, message: string): MemberResolution {
  return { type: 'failed', code, message };
}

import type { Call } from '../../call.ts';
import type { FaultCode } from '../../errors.ts';
import { isGuid } from '../../guid.ts';
import type { Recipient, RecipientLookup, Recipients } from '../../exchange/recipients.ts';
import type { GraphUser, GraphUsers } from '../../graph/users.ts';
import type { ProtectedUsers } from '../protectedUsers.ts';

/** Who a caller meant by one entry of `members` or `owners`. */
export type MemberResolution =
  | { readonly type: 'found'; readonly recipient: Recipient }
  /** A user that Exchange does not know yet, or an entry that cannot be used: `code` and `message` say why. */
  | { readonly type: 'not_ready' | 'failed'; readonly code: FaultCode; readonly message: string };

export interface MemberResolver {
  /**
   * Resolves each entry to exactly one recipient; answers in the order given. Of those on PROTECTED_USERS only whom
   * `mayStay` lets through: who is there already is not written to.
   */
  resolve(
    entries: readonly string[],
    call: Call,
    mayStay?: (recipient: Recipient) => boolean,
  ): Promise<MemberResolution[]>;
}

export interface MemberResolverDependencies {
  readonly recipients: Recipients;
  readonly graphUsers: GraphUsers;
  readonly protectedUsers: ProtectedUsers;
}

/**
 * Exchange decides who can be a member, so it is asked first. What it does not know is looked for in Entra: a user
 * that exists there has no mailbox yet, or has a UPN that is none of its addresses and is found by its object id.
 */
export function createMemberResolver(dependencies: MemberResolverDependencies): MemberResolver {
  const { recipients, graphUsers, protectedUsers } = dependencies;

  async function judge(
    entry: string,
    lookup: RecipientLookup,
    user: GraphUser | null,
    mayStay: (recipient: Recipient) => boolean,
    call: Call,
  ): Promise<MemberResolution> {
    switch (lookup.type) {
      case 'found': {
        const { recipient } = lookup;
        const { id, userPrincipalName, primarySmtpAddress, addresses } = recipient;
        const isProtected = await protectedUsers.test(call);
        const names = [entry, id, userPrincipalName, user?.userPrincipalName ?? null, primarySmtpAddress, ...addresses];
        if (!isProtected(names) || mayStay(recipient)) return { type: 'found', recipient };
        return failed('protected_object', `${primarySmtpAddress} is listed in PROTECTED_USERS.`);
      }
      case 'missing':
        return user === null ? await searchEntra(entry, mayStay, call) : notReady(user);
      case 'ambiguous':
        return failed('ambiguous_member', `"${entry}" matches ${lookup.count} recipients or more; use the object id.`);
      case 'failed':
        return failed(lookup.fault.code, lookup.fault.message);
    }
  }

  async function searchEntra(
    entry: string,
    mayStay: (recipient: Recipient) => boolean,
    call: Call,
  ): Promise<MemberResolution> {
    const user = await graphUsers.find(entry, call);
    if (user === null) {
      return failed('member_not_found', `Neither Exchange nor Entra has a user or recipient "${entry}".`);
    }
    // By object id Exchange has said no already.
    if (isGuid(entry)) return notReady(user);
    const [lookup = { type: 'missing' as const }] = await recipients.lookUp([user.id], call);
    return judge(entry, lookup, user, mayStay, call);
  }

  return {
    resolve: async (entries, call, mayStay = () => false) => {
      const lookups = await recipients.lookUp(entries, call);
      const resolutions: MemberResolution[] = [];
      for (const [index, entry] of entries.entries()) {
        resolutions.push(await judge(entry, lookups[index] ?? { type: 'missing' }, null, mayStay, call));
      }
      return resolutions;
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

export function failed(code: FaultCode, message: string): MemberResolution {
  return { type: 'failed', code, message };
}

function notReady(user: GraphUser): MemberResolution {
  return {
    type: 'not_ready',
    code: 'no_mailbox',
    message: `${user.userPrincipalName} exists in Entra but has no mailbox or mail address in Exchange yet.`,
  };
}

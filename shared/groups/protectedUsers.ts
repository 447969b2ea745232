import type { Call } from '../call.ts';
import { sameText } from '../exchange/identity.ts';
import type { Recipient } from '../exchange/recipients.ts';
import type { GraphUser, GraphUsers } from '../graph/users.ts';
import { isListed } from './protection.ts';

export interface ProtectedUsers {
  /**
   * Whether PROTECTED_USERS lists this person, by whatever name: an entry that is a UPN protects the object it belongs
   * to, also when the request names another address of it.
   */
  includes(recipient: Recipient, user: GraphUser | null, entry: string, call: Call): Promise<boolean>;
}

/** @param list of ids, UPNs and addresses, with `*` as wildcard */
export function createProtectedUsers(list: readonly string[], graphUsers: GraphUsers): ProtectedUsers {
  const exactEntries = list.filter((each) => !each.includes('*'));
  /** Object ids of the exact entries, null for those that are no users; asked for once in a call. */
  const idsByCall = new WeakMap<Call, Map<string, string | null>>();

  async function idOf(entry: string, call: Call): Promise<string | null> {
    const ids = idsByCall.get(call) ?? new Map<string, string | null>();
    idsByCall.set(call, ids);
    const known = ids.get(entry);
    if (known !== undefined) return known;
    const id = (await graphUsers.find(entry, call))?.id ?? null;
    ids.set(entry, id);
    return id;
  }

  return {
    includes: async (recipient, user, entry, call) => {
      const names = [entry, recipient.id, recipient.userPrincipalName, user?.userPrincipalName ?? null];
      if (isListed(list, [...names, recipient.primarySmtpAddress, ...recipient.addresses])) return true;
      for (const exact of exactEntries) {
        if (sameText(await idOf(exact, call), recipient.id)) return true;
      }
      return false;
    },
  };
}

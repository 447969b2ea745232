import type { Call } from '../../call.ts';
import type { FaultCode } from '../../errors.ts';
import type { MemberChange } from '../../exchange/members.ts';
import type { EntraMembers } from './entraMembers.ts';
import { type GroupKind, livesInExchange } from '../kinds.ts';
import { judgeAsMember, type MemberResolver } from './members.ts';
import { type MemberTarget, targetOfMember, targetOfRecipient } from './memberTarget.ts';

/** Who a caller meant by one entry of `members`, for the directory that masters the group. */
export type TargetResolution =
  | { readonly type: 'found'; readonly target: MemberTarget }
  /** A user that Exchange does not know yet, or an entry that cannot be used: `code` and `message` say why. */
  | { readonly type: 'not_ready' | 'failed'; readonly code: FaultCode; readonly message: string };

export interface MemberTargets {
  /** Resolves each entry to exactly one object; answers in the order given. */
  resolve(kind: GroupKind, change: MemberChange, entries: readonly string[], call: Call): Promise<TargetResolution[]>;
}

/** Exchange decides who can be a member of a mail group, Entra of the others. */
export function createMemberTargets(dependencies: {
  memberResolver: MemberResolver;
  entraMembers: EntraMembers;
}): MemberTargets {
  const { memberResolver, entraMembers } = dependencies;
  return {
    resolve: async (kind, change, entries, call) => {
      if (!livesInExchange(kind)) {
        const resolutions = await entraMembers.resolve(kind, change, entries, call);
        return resolutions.map((each) =>
          each.type === 'found' ? { type: 'found', target: targetOfMember(each.object) } : each,
        );
      }
      const resolutions = await memberResolver.resolve(entries, call);
      // Whatever has come to be a member may be removed.
      const judged = change === 'add' ? resolutions.map(judgeAsMember) : resolutions;
      return judged.map((each) =>
        each.type === 'found' ? { type: 'found', target: targetOfRecipient(each.recipient) } : each,
      );
    },
  };
}

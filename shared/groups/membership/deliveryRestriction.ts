import type { Call } from '../../call.ts';
import { isFault } from '../../errors.ts';
import { isDeliveryRestricted } from '../../exchange/distributionGroups.ts';
import type { GraphGroups } from '../../graph/groups.ts';
import { type Group, labelOf } from '../group.ts';

/** From here on Exchange Online asks for delivery management or approval (exchange.md §4, Limits). */
const restrictedFromMembers = 5_000;

/** Warns when a list has grown so large that Exchange delivers to it only with a restriction that it does not have. */
export async function warnOfOpenList(group: Group, graphGroups: GraphGroups, call: Call): Promise<void> {
  if (group.exchange === null || group.id === null || isDeliveryRestricted(group.exchange)) return;
  try {
    warnOfSize(group, await graphGroups.memberCount(group.id, call.proving()), call);
  } catch (error) {
    // A count that cannot be had must not fail what has been written.
    if (!isFault(error)) throw error;
  }
}

/** The same where the size is known. */
export function warnOfSize(group: Group, memberCount: number, call: Call): void {
  if (group.exchange === null || isDeliveryRestricted(group.exchange) || memberCount < restrictedFromMembers) return;
  call.warn(
    `${labelOf(group)} has ${memberCount} members and no delivery restriction: from ${restrictedFromMembers} on Exchange may refuse mail to it. Set acceptMessagesFrom, or moderationEnabled with moderatedBy, with PATCH groups/{group}.`,
  );
}

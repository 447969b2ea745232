import type { Call } from '../call.ts';
import { isAddress } from '../exchange/identity.ts';
import { isGuid } from '../guid.ts';
import type { Recipients } from '../exchange/recipients.ts';
import type { GraphGroups } from '../graph/groups.ts';
import type { ProtectionLists } from './blockers.ts';
import type { Group } from './group.ts';
import { livesInExchange } from './kinds.ts';
import { type Linkability, linkabilityOf, type OktaVisibility, oktaVisibilityOf } from './linkability.ts';
import type { GroupResolver } from './resolve.ts';

/** Who is named in a group's settings: addresses or UPNs where they can be had, otherwise what the directory says. */
export interface GroupPeople {
  readonly owners: readonly string[];
  readonly moderatedBy: readonly string[];
  readonly bypassModerationFrom: readonly string[];
  readonly acceptMessagesFrom: readonly string[];
  readonly rejectMessagesFrom: readonly string[];
  readonly sendOnBehalf: readonly string[];
}

export interface GroupDescription extends Linkability, OktaVisibility {
  readonly group: Group;
  readonly people: GroupPeople;
}

export interface GroupReader {
  /** @throws Fault `group_not_found`, `ambiguous_group`, upstream faults */
  describe(identity: string, call: Call): Promise<GroupDescription>;
}

export interface GroupReaderDependencies {
  readonly groups: GroupResolver;
  readonly recipients: Recipients;
  readonly graphGroups: GraphGroups;
  readonly protection: ProtectionLists;
}

const nobody: GroupPeople = {
  owners: [],
  moderatedBy: [],
  bypassModerationFrom: [],
  acceptMessagesFrom: [],
  rejectMessagesFrom: [],
  sendOnBehalf: [],
};

export function createGroupReader(dependencies: GroupReaderDependencies): GroupReader {
  const { groups, recipients, graphGroups, protection } = dependencies;

  async function peopleOf({ kind, id, exchange }: Group, call: Call): Promise<GroupPeople> {
    if (exchange === null) {
      const owners = id === null || livesInExchange(kind) ? [] : await graphOwners(id, call);
      return { ...nobody, owners };
    }
    const { managedBy, moderatedBy, bypassModerationFrom, acceptMessagesFrom, rejectMessagesFrom, sendOnBehalf } =
      exchange;
    const lists = [managedBy, moderatedBy, bypassModerationFrom, acceptMessagesFrom, rejectMessagesFrom, sendOnBehalf];
    const addressOf = await addressesOf(lists.flat(), call);
    const readable = (list: readonly string[]) => list.map((entry) => addressOf.get(entry) ?? entry);
    return {
      owners: readable(managedBy),
      moderatedBy: readable(moderatedBy),
      bypassModerationFrom: readable(bypassModerationFrom),
      acceptMessagesFrom: readable(acceptMessagesFrom),
      rejectMessagesFrom: readable(rejectMessagesFrom),
      sendOnBehalf: readable(sendOnBehalf),
    };
  }

  async function graphOwners(id: string, call: Call): Promise<string[]> {
    const owners = await graphGroups.owners(id, call);
    return owners.map((owner) => owner.userPrincipalName ?? owner.mail ?? owner.id);
  }

  /** Exchange names people by object id; a person reads addresses. An entry that leads nowhere has none. */
  async function addressesOf(entries: readonly string[], call: Call): Promise<Map<string, string>> {
    const askable = [...new Set(entries)].filter((entry) => isGuid(entry) || isAddress(entry));
    const lookups = await recipients.lookUp(askable, call);
    const addresses = new Map<string, string>();
    askable.forEach((entry, index) => {
      const lookup = lookups[index];
      if (lookup?.type === 'found') addresses.set(entry, lookup.recipient.primarySmtpAddress);
    });
    return addresses;
  }

  return {
    describe: async (identity, call) => {
      const group = await groups.resolve(identity, call);
      const people = await peopleOf(group, call);
      return { group, people, ...linkabilityOf(group, protection), ...oktaVisibilityOf(group) };
    },
  };
}

import type { Call } from '../call.ts';
import { isAddress } from '../exchange/identity.ts';
import { isGuid } from '../guid.ts';
import type { Recipients } from '../exchange/recipients.ts';
import type { GraphGroups } from '../graph/groups.ts';
import { type Blocker, blockersOf, type ProtectionLists } from './blockers.ts';
import type { Group } from './group.ts';
import { livesInExchange } from './kinds.ts';
import type { GroupResolver } from './resolve.ts';

export interface GroupDescription {
  readonly group: Group;
  /** Addresses or UPNs where they can be had, otherwise what the directory says. */
  readonly owners: readonly string[];
  readonly blockers: readonly Blocker[];
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

export function createGroupReader(dependencies: GroupReaderDependencies): GroupReader {
  const { groups, recipients, graphGroups, protection } = dependencies;

  async function ownersOf(group: Group, call: Call): Promise<string[]> {
    if (group.exchange !== null) return exchangeOwners(group.exchange.managedBy, call);
    if (group.id === null || livesInExchange(group.kind)) return [];
    const owners = await graphGroups.owners(group.id, call);
    return owners.map(({ userPrincipalName, mail, id }) => userPrincipalName ?? mail ?? id);
  }

  /** Exchange names owners by object id; a person reads addresses. An entry that leads nowhere is shown as it is. */
  async function exchangeOwners(managedBy: readonly string[], call: Call): Promise<string[]> {
    const askable = managedBy.filter((entry) => isGuid(entry) || isAddress(entry));
    const lookups = await recipients.lookUp(askable, call);
    const addresses = new Map(
      askable.map((entry, index) => {
        const lookup = lookups[index];
        return [entry, lookup?.type === 'found' ? lookup.recipient.primarySmtpAddress : entry];
      }),
    );
    return managedBy.map((entry) => addresses.get(entry) ?? entry);
  }

  return {
    describe: async (identity, call) => {
      const group = await groups.resolve(identity, call);
      return { group, owners: await ownersOf(group, call), blockers: blockersOf(group, protection) };
    },
  };
}

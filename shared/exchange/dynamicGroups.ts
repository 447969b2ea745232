import type { Call } from '../call.ts';
import { type Row, textOf } from './body.ts';
import type { CmdletName, Exchange } from './client.ts';
import { type DistributionGroup, findParameters, isNamed, readDistributionGroup } from './distributionGroups.ts';
import { ExchangeFault } from './errors.ts';

/**
 * Dynamic distribution groups: Exchange looks their members up by a filter whenever a message comes. Entra does not know
 * them (graph.md §1.1): they have no object id, and nobody can join or leave.
 */
export interface DynamicGroups {
  /** Every one that has this Exchange GUID, this address, or exactly this name or display name. */
  find(identity: string, call: Call): Promise<DistributionGroup[]>;
  /** All of them; an organisation has 3,000 at most (exchange.md §4, Limits). */
  all(call: Call): Promise<DistributionGroup[]>;
}

const cmdlet: CmdletName = 'Get-DynamicDistributionGroup';

export function createDynamicGroups(exchange: Exchange): DynamicGroups {
  return {
    find: async (identity, call) => {
      if (identity.trim() === '') return [];
      try {
        const rows = await exchange.read({ name: cmdlet, parameters: findParameters(identity) }, call);
        return rows.map(readDynamicGroup).filter((group) => isNamed(group, identity));
      } catch (error) {
        if (error instanceof ExchangeFault && error.kind === 'notFound') return [];
        throw error;
      }
    },

    all: async (call) => {
      const rows = await exchange.read({ name: cmdlet, parameters: { ResultSize: 'Unlimited' } }, call);
      return rows.map(readDynamicGroup);
    },
  };
}

/** What both cmdlets say is the same; these groups have notes where the others have a description. */
function readDynamicGroup(row: Row): DistributionGroup {
  const group = readDistributionGroup(row);
  return {
    ...group,
    id: null,
    kind: null,
    description: group.description ?? textOf(row, 'Notes'),
    joinRestriction: 'closed',
    departRestriction: 'closed',
  };
}

import type { Call } from '../call.ts';
import { type Exchange, maxBatchSize } from './client.ts';
import { type DistributionGroup, isNamed, readDistributionGroup } from './distributionGroups.ts';
import { ExchangeFault } from './errors.ts';

export interface GroupLookups {
  /**
   * The distribution group of each object id, in the order given; null for one that Exchange does not show.
   * @throws Fault of the first lookup that failed: what could not be asked is not the same as missing
   */
  byIds(ids: readonly string[], call: Call): Promise<(DistributionGroup | null)[]>;
}

export function createGroupLookups(exchange: Exchange): GroupLookups {
  async function lookUp(ids: readonly string[], call: Call): Promise<(DistributionGroup | null)[]> {
    const commands = ids.map((id) => ({ name: 'Get-DistributionGroup', parameters: { Identity: id } }) as const);
    const parts = await exchange.batch(commands, 'read', call);
    return parts.map((part, index) => {
      if (part.ok) {
        const groups = part.output.rows.map(readDistributionGroup);
        return groups.find((group) => isNamed(group, ids[index] ?? '')) ?? null;
      }
      if (part.fault instanceof ExchangeFault && part.fault.kind === 'notFound') return null;
      throw part.fault;
    });
  }

  return {
    byIds: async (ids, call) => {
      const slices: string[][] = [];
      for (let start = 0; start < ids.length; start += maxBatchSize)
        slices.push(ids.slice(start, start + maxBatchSize));
      const found = await Promise.all(slices.map((slice) => lookUp(slice, call)));
      return found.flat();
    },
  };
}

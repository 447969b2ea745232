import type { Call } from '../call.ts';
import type { BatchPart } from './batch.ts';
import { type Exchange, maxBatchSize } from './client.ts';

export type MemberChange = 'add' | 'remove';

export interface ExchangeMembers {
  /**
   * Adds or removes up to `maxBatchSize` recipients in one call; one part each, in order. The cmdlets take one member
   * each (exchange.md §4); `Update-DistributionGroupMember`, which replaces all, is not used.
   */
  change(change: MemberChange, groupId: string, recipientIds: readonly string[], call: Call): Promise<BatchPart[]>;
}

export const memberBatchSize = maxBatchSize;

export const memberCmdlets = { add: 'Add-DistributionGroupMember', remove: 'Remove-DistributionGroupMember' } as const;

export function createExchangeMembers(exchange: Exchange): ExchangeMembers {
  return {
    change: (change, groupId, recipientIds, call) =>
      exchange.batch(
        recipientIds.map((recipientId) => ({
          name: memberCmdlets[change],
          parameters: {
            Identity: groupId,
            Member: recipientId,
            BypassSecurityGroupManagerCheck: true,
            ...(change === 'remove' ? { Confirm: false } : {}),
          },
        })),
        'write',
        call,
      ),
  };
}

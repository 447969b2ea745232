import type { Audit } from '../audit/audit.ts';
import type { Call } from '../call.ts';
import { Fault } from '../errors.ts';
import type { DistributionGroup, DistributionGroups } from '../exchange/distributionGroups.ts';
import { sameText } from '../exchange/identity.ts';
import { type ProtectionLists, refuseUnmanageable } from './blockers.ts';
import { type Group, labelOf } from './group.ts';
import { requireExchangeKind } from './kinds.ts';
import { sendOnce } from './openWrite.ts';
import { groupNotReady, type GroupResolver } from './resolve.ts';

export const deletionOutcomes = ['deleted', 'planned'] as const;
export type DeletionOutcome = (typeof deletionOutcomes)[number];

export interface Deletion {
  readonly outcome: DeletionOutcome;
  readonly changed: boolean;
  readonly message: string;
  readonly group: Group;
}

export interface GroupDeleter {
  /**
   * Deletes a group for good: Exchange has no recycle bin (exchange.md §4). Its settings stand in the audit.
   * @param confirm the group's primary address or its name
   * @throws Fault `confirm_mismatch`, blockers, `group_not_found`, upstream faults
   */
  delete(identity: string, confirm: string, isDryRun: boolean, call: Call): Promise<Deletion>;
}

export interface GroupDeleterDependencies {
  readonly groups: GroupResolver;
  readonly distributionGroups: DistributionGroups;
  readonly audit: Audit;
  readonly protection: ProtectionLists;
}

export function createGroupDeleter(dependencies: GroupDeleterDependencies): GroupDeleter {
  const { groups, distributionGroups, audit, protection } = dependencies;

  async function remove(group: Group, exchange: DistributionGroup, call: Call): Promise<void> {
    const intent = {
      operation: 'Remove-DistributionGroup',
      targetType: 'group' as const,
      targetId: group.id ?? exchange.exchangeId,
      targetName: labelOf(group),
      before: exchange,
      planned: 'deleted',
    };
    await audit.record(intent, call, async () => {
      const upstreamRequestId = await removeWithProof(exchange, call);
      return { result: undefined, after: null, upstreamRequestId };
    });
  }

  /** A lost answer is read back, and a group that is still there is deleted once more. */
  async function removeWithProof(exchange: DistributionGroup, call: Call): Promise<string | null> {
    for (let isLastTry = false; ; isLastTry = true) {
      const { upstreamRequestId, openFault } = await sendOnce(
        () => distributionGroups.remove(exchange.exchangeId, call),
        call,
      );
      if (openFault === null) return upstreamRequestId;
      const left = await distributionGroups.find(exchange.exchangeId, call.proving());
      if (left.length === 0) return upstreamRequestId;
      if (isLastTry) throw openFault;
    }
  }

  return {
    delete: async (identity, confirm, isDryRun, call) => {
      const group = await groups.resolveForWrite(identity, call);
      requireExchangeKind(group);
      refuseUnmanageable(group, protection);
      if (group.exchange === null) throw groupNotReady(group);
      refuseUnconfirmed(group, confirm);
      const label = labelOf(group);
      if (isDryRun) return { outcome: 'planned', changed: false, message: `${label} would be deleted.`, group };
      await remove(group, group.exchange, call);
      return { outcome: 'deleted', changed: true, message: `${label} was deleted.`, group };
    },
  };
}

function refuseUnconfirmed(group: Group, confirm: string): void {
  if ([group.primarySmtpAddress, group.displayName, group.name].some((name) => sameText(name, confirm))) return;
  throw new Fault('confirm_mismatch', {
    detail: `confirm is neither the primary address nor the name of ${group.displayName}; nothing was deleted.`,
    fix: `Repeat with confirm=${encodeURIComponent(group.primarySmtpAddress ?? group.displayName)} if this is the group you mean.`,
  });
}

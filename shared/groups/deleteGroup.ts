import type { Audit } from '../audit/audit.ts';
import type { Call } from '../call.ts';
import { Fault, isFault } from '../errors.ts';
import { ExchangeFault } from '../exchange/errors.ts';
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

interface Removal {
  /** Whether it was our deletion, not somebody else's before it. */
  readonly wasOurs: boolean;
  /** null: the group is gone. */
  readonly openFault: Fault | null;
}

export function createGroupDeleter(dependencies: GroupDeleterDependencies): GroupDeleter {
  const { groups, distributionGroups, audit, protection } = dependencies;

  /**
   * Deletes the group; whether a deletion of ours brought it about. A lost answer is read back, and a group that is still
   * there is deleted once more. That Exchange does not find it is the state asked for.
   */
  async function remove(group: Group, exchange: DistributionGroup, call: Call): Promise<boolean> {
    const first = await removeOnce(group, exchange, call);
    if (first.openFault === null) return first.wasOurs;
    try {
      if (call.deadline.signal.aborted) throw first.openFault;
      const second = await removeOnce(group, exchange, call);
      if (second.openFault !== null) throw second.openFault;
      return true;
    } catch {
      // A second try that is refused does not tell what became of the first.
      throw first.openFault;
    }
  }

  async function removeOnce(group: Group, exchange: DistributionGroup, call: Call): Promise<Removal> {
    const intent = {
      operation: 'Remove-DistributionGroup',
      targetType: 'group' as const,
      targetId: group.id ?? exchange.exchangeId,
      targetName: labelOf(group),
      before: exchange,
      planned: 'deleted',
    };
    return audit.record<Removal>(intent, call, async () => {
      try {
        const sent = await sendOnce(() => distributionGroups.remove(exchange.exchangeId, call), call);
        const { upstreamRequestId } = sent;
        const isProven = sent.openFault === null || (await isGone(exchange, call.proving()));
        if (isProven) return { result: { wasOurs: true, openFault: null }, after: null, upstreamRequestId };
        const result = { wasOurs: true, openFault: sent.openFault };
        return { result, state: 'unknown', after: null, upstreamRequestId };
      } catch (error) {
        if (!(error instanceof ExchangeFault && error.kind === 'notFound')) throw error;
        const result = { wasOurs: false, openFault: null };
        return { result, after: null, upstreamRequestId: error.upstreamRequestId };
      }
    });
  }

  /** Whether it is proven to be gone; a read that fails proves nothing. */
  async function isGone(exchange: DistributionGroup, call: Call): Promise<boolean> {
    try {
      return (await distributionGroups.find(exchange.exchangeId, call)).length === 0;
    } catch (error) {
      if (isFault(error)) return false;
      throw error;
    }
  }

  return {
    delete: async (identity, confirm, isDryRun, call) => {
      const group = await groups.resolveForWrite(identity, call);
      requireExchangeKind(group);
      refuseUnmanageable(group, protection);
      if (group.exchange === null) throw groupNotReady(group);
      refuseUnconfirmed(group.exchange, confirm);
      const label = labelOf(group);
      if (isDryRun) return { outcome: 'planned', changed: false, message: `${label} would be deleted.`, group };
      const changed = await remove(group, group.exchange, call);
      const message = changed ? `${label} was deleted.` : `${label} was gone before it could be deleted.`;
      return { outcome: 'deleted', changed, message, group };
    },
  };
}

function refuseUnconfirmed(group: DistributionGroup, confirm: string): void {
  if ([group.primarySmtpAddress, group.displayName, group.name].some((name) => sameText(name, confirm))) return;
  throw new Fault('confirm_mismatch', {
    detail: `confirm is neither the primary address nor the name of ${group.displayName}; nothing was deleted.`,
    fix: `Repeat with confirm=${encodeURIComponent(group.primarySmtpAddress)} if this is the group you mean.`,
  });
}

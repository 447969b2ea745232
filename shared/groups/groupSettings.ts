import type { Audit } from '../audit/audit.ts';
import type { Call } from '../call.ts';
import { type Fault, isFault } from '../errors.ts';
import type { DistributionGroup, DistributionGroups } from '../exchange/distributionGroups.ts';
import { type GroupRequest, missingSettings } from './creationPlan.ts';
import { sendOnce } from './openWrite.ts';

export interface GroupSettings {
  /**
   * Sets what of the request is still missing, and nothing else; the group as it is then. A lost answer is read back,
   * and what is then still missing is sent once more.
   * @throws Fault `outcome_unknown` when a second answer was lost too
   */
  complete(request: GroupRequest, group: DistributionGroup, call: Call): Promise<DistributionGroup>;
}

export function createGroupSettings(dependencies: {
  distributionGroups: DistributionGroups;
  audit: Audit;
}): GroupSettings {
  const { distributionGroups, audit } = dependencies;

  /** The group as it is now, or as it was when that cannot be read: a failed proof is no failed write. */
  async function readBack(before: DistributionGroup, call: Call): Promise<DistributionGroup> {
    try {
      const [after = before] = await distributionGroups.find(before.exchangeId, call);
      return after;
    } catch (error) {
      if (isFault(error)) return before;
      throw error;
    }
  }

  return {
    complete: async (request, group, call) => {
      let current = group;
      let lastFault: Fault | null = null;
      for (;;) {
        const missing = missingSettings(request, current);
        if (missing === null) return current;
        if (lastFault !== null && call.deadline.signal.aborted) throw lastFault;
        const isLastTry = lastFault !== null;
        const before = current;
        const intent = {
          operation: 'Set-DistributionGroup',
          targetType: 'group' as const,
          targetId: before.id ?? before.exchangeId,
          targetName: before.primarySmtpAddress,
          before: settingsOf(before),
          planned: missing,
        };
        const { after, openFault } = await audit.record(intent, call, async () => {
          const sent = await sendOnce(() => distributionGroups.change(before.exchangeId, missing, call), call);
          const after = await readBack(before, call.proving());
          // A clear answer proves the write even where the read-back still lags; a lost one is proven by it alone.
          const isProven = sent.openFault === null || missingSettings(request, after) === null;
          if (!isProven && isLastTry) throw sent.openFault;
          const { upstreamRequestId } = sent;
          const openFault = isProven ? null : sent.openFault;
          const state = isProven ? ('succeeded' as const) : ('unknown' as const);
          return { result: { after, openFault }, state, after: settingsOf(after), upstreamRequestId };
        });
        current = after;
        lastFault = openFault;
        if (openFault === null) return current;
      }
    },
  };
}

function settingsOf(group: DistributionGroup): Record<string, unknown> {
  const { hideFromAddressLists, description, addresses } = group;
  return { hideFromAddressLists, description, addresses };
}

import type { Audit } from '../../audit/audit.ts';
import type { Call } from '../../call.ts';
import type {
  DistributionGroup,
  DistributionGroupChange,
  DistributionGroups,
} from '../../exchange/distributionGroups.ts';
import { type GroupRequest, missingSettings } from '../creation/creationPlan.ts';
import { ensureState } from '../ensureState.ts';

export interface GroupSettings {
  /**
   * Sets what `missing` finds missing, and nothing else; the group as it was read then. A lost answer is read back, and
   * what is then still missing is sent once more.
   * @throws Fault `outcome_unknown` when a second answer was lost too
   */
  ensure(
    group: DistributionGroup,
    missing: (actual: DistributionGroup) => DistributionGroupChange | null,
    call: Call,
  ): Promise<DistributionGroup>;
  /** The same for the settings that a creation asks for. */
  complete(request: GroupRequest, group: DistributionGroup, call: Call): Promise<DistributionGroup>;
}

export function createGroupSettings(dependencies: {
  distributionGroups: DistributionGroups;
  audit: Audit;
}): GroupSettings {
  const { distributionGroups, audit } = dependencies;

  const ensure: GroupSettings['ensure'] = (group, missing, call) => {
    const { exchangeId } = group;
    return ensureState(
      {
        operation: 'Set-DistributionGroup',
        targetId: group.id ?? exchangeId,
        targetName: group.primarySmtpAddress,
        missing,
        send: (change, call) => distributionGroups.change(exchangeId, change, call),
        read: async (call) => (await distributionGroups.find(exchangeId, call))[0] ?? null,
        describe: settingsNamedIn,
      },
      group,
      audit,
      call,
    );
  };

  return {
    ensure,
    complete: (request, group, call) => ensure(group, (actual) => missingSettings(request, actual), call),
  };
}

/** The group's own values of what a change is about: before and after of each setting. */
function settingsNamedIn(group: DistributionGroup, change: DistributionGroupChange): Record<string, unknown> {
  const values: { readonly [Name in keyof Required<DistributionGroupChange>]: unknown } = {
    ...group,
    owners: group.managedBy,
    ignoreNamingPolicy: undefined,
  };
  return Object.fromEntries(Object.entries(values).filter(([name]) => name in change));
}

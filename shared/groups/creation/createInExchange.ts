import type { Audit } from '../../audit/audit.ts';
import type { Call } from '../../call.ts';
import type { Clock } from '../../clock.ts';
import { Fault, isFault } from '../../errors.ts';
import type { DistributionGroup, DistributionGroups } from '../../exchange/distributionGroups.ts';
import { textOfRecipients, type Recipient, type Recipients } from '../../exchange/recipients.ts';
import { protectionBlockers, type ProtectionLists, refuseBlocked, refuseUnmanageable } from '../blockers.ts';
import type { CreationEnd } from './createGroupEnd.ts';
import {
  type Came,
  compare,
  type Creation,
  type Difference,
  type ExchangeGroupRequest,
  exchangeName,
  existsWithDifferences,
  judgeHolders,
} from './creationPlan.ts';
import { groupInExchange } from '../group.ts';
import type { GroupSettings } from '../update/groupSettings.ts';
import type { MemberResolver } from '../membership/members.ts';
import { sendOnce } from '../openWrite.ts';
import { nameInWrites } from '../ownerIdentity.ts';
import { requireOwners } from '../owners.ts';
import { hasEntraId, readBack } from '../readBack.ts';
import type { GroupResolver } from '../resolve.ts';

export interface ExchangeGroupCreator {
  /** See GroupCreator. */
  create(request: ExchangeGroupRequest, isDryRun: boolean, call: Call): Promise<Creation>;
}

export interface ExchangeGroupCreatorDependencies {
  readonly groups: GroupResolver;
  readonly distributionGroups: DistributionGroups;
  readonly recipients: Recipients;
  readonly memberResolver: MemberResolver;
  readonly groupSettings: GroupSettings;
  readonly creationEnd: CreationEnd;
  readonly audit: Audit;
  readonly clock: Clock;
  readonly protection: ProtectionLists;
}

/** A creation that was sent and not refused. */
interface SentCreation {
  /** As Exchange shows it, or as it put it out. */
  readonly group: DistributionGroup;
  /** Whether Exchange said that it created it; otherwise only the group itself says so. */
  readonly wasAnswered: boolean;
}

export function createExchangeGroupCreator(dependencies: ExchangeGroupCreatorDependencies): ExchangeGroupCreator {
  const {
    groups,
    distributionGroups,
    recipients,
    memberResolver,
    groupSettings,
    creationEnd,
    audit,
    clock,
    protection,
  } = dependencies;

  async function create(request: ExchangeGroupRequest, isDryRun: boolean, call: Call): Promise<Creation> {
    const names = [request.displayName, request.alias, request.primarySmtpAddress, ...request.addresses];
    refuseBlocked(protectionBlockers(names, protection), labelOf(request));
    const occupant = await findOccupant(request, call);
    const owners = requireOwners(request.owners, await memberResolver.resolve(request.owners, call));
    if (occupant !== null) return completeExisting(request, occupant, owners, isDryRun, call);
    return isDryRun ? creationEnd.plan(request, addressesOf(owners), call) : createNew(request, owners, call);
  }

  /** The one distribution group that holds the alias, an address or the name; null when all are free. */
  async function findOccupant(request: ExchangeGroupRequest, call: Call): Promise<DistributionGroup | null> {
    const primary = request.primarySmtpAddress === null ? [] : [request.primarySmtpAddress];
    const wanted = { alias: request.alias, addresses: [...primary, ...request.addresses], name: exchangeName(request) };
    const occupancy = judgeHolders(await recipients.holders(wanted, call));
    if (occupancy.type === 'free') return null;
    if (occupancy.type === 'taken') throw addressInUse(request, occupancy.holders);
    const [group] = await distributionGroups.find(occupancy.exchangeId, call);
    return group ?? null;
  }

  async function completeExisting(
    request: ExchangeGroupRequest,
    existing: DistributionGroup,
    owners: readonly Recipient[],
    isDryRun: boolean,
    call: Call,
  ): Promise<Creation> {
    const { differences, missing } = compare(request, existing, owners);
    if (differences.length > 0) throw differencesFault(existing, differences);
    if (missing !== null || request.members.length > 0) {
      // A group that was there before may be synced or restricted: Graph's flags are looked at as for any write.
      const group = await groups.resolveForWrite(existing.id ?? existing.primarySmtpAddress, call);
      refuseUnmanageable(group, protection);
    }
    if (missing === null) return withMembers(request, existing, owners, 'already_exists', isDryRun, call);
    if (isDryRun) return withMembers(request, existing, owners, 'planned', isDryRun, call);
    const completed = await groupSettings.complete(request, existing, call);
    return withMembers(request, completed, owners, 'completed', isDryRun, call);
  }

  async function createNew(request: ExchangeGroupRequest, owners: readonly Recipient[], call: Call): Promise<Creation> {
    let sent: SentCreation;
    try {
      sent = await sendNew(request, owners, call);
    } catch (error) {
      // Somebody else, or a try of ours thought lost, was faster: the group that is there now is judged as any other.
      const occupant = isFault(error, 'address_in_use') ? await findOccupant(request, call) : null;
      if (occupant === null) throw error;
      return completeExisting(request, occupant, owners, false, call);
    }
    const { group, wasAnswered } = sent;
    if (!wasAnswered) {
      // The answer was lost: what is there may be somebody else's, so it must be exactly what was asked for.
      const { differences } = compare(request, group, owners);
      if (differences.length > 0) throw differencesFault(group, differences);
    }
    if (group.kind !== request.kind) throw kindMismatch(request, group);
    const completed = await completeNew(request, group, call);
    return withMembers(request, completed.group, owners, completed.isComplete ? 'created' : 'incomplete', false, call);
  }

  /** The creation with its proof: after a lost answer, what can be read back decides. */
  async function sendNew(
    request: ExchangeGroupRequest,
    owners: readonly Recipient[],
    call: Call,
  ): Promise<SentCreation> {
    const { kind, displayName, alias, primarySmtpAddress, description, ignoreNamingPolicy } = request;
    const { joinRestriction, departRestriction } = request;
    const group = {
      kind,
      name: exchangeName(request),
      displayName,
      alias,
      primarySmtpAddress,
      description,
      owners: owners.map(nameInWrites),
      requireSenderAuthentication: request.requireSenderAuthentication ?? true,
      ignoreNamingPolicy,
      ...(joinRestriction === null ? {} : { joinRestriction }),
      ...(departRestriction === null ? {} : { departRestriction }),
    };
    const intent = {
      operation: 'New-DistributionGroup',
      targetType: 'group' as const,
      targetId: request.alias,
      targetName: labelOf(request),
      before: null,
      planned: group,
    };
    return audit.record(intent, call, async () => {
      const { openFault, output, upstreamRequestId } = await sendOnce(
        () => distributionGroups.create(group, call),
        call,
      );
      const seen = await readBack((proving) => findOccupant(request, proving), hasEntraId, clock, call.proving());
      const putOut = output === null ? null : distributionGroups.inOutput(output);
      const after = seen ?? putOut;
      // A creation puts out the group: an answer without it is no clear one.
      if (after === null) throw openFault ?? notVisible(request);
      return { result: { group: after, wasAnswered: putOut !== null }, after, upstreamRequestId };
    });
  }

  /** The second call of a creation. What goes wrong now must not hide that the group exists: it is a warning. */
  async function completeNew(
    request: ExchangeGroupRequest,
    created: DistributionGroup,
    call: Call,
  ): Promise<{ group: DistributionGroup; isComplete: boolean }> {
    try {
      return { group: await groupSettings.complete(request, created, call), isComplete: true };
    } catch (error) {
      if (!isFault(error)) throw error;
      call.warn(`Not all settings could be set; repeat the request to complete them. ${error.message} ${error.fix}`);
      return { group: created, isComplete: false };
    }
  }

  function withMembers(
    request: ExchangeGroupRequest,
    group: DistributionGroup,
    owners: readonly Recipient[],
    came: Came,
    isDryRun: boolean,
    call: Call,
  ): Promise<Creation> {
    const isVisible = group.id !== null;
    const arrival = { group: groupInExchange(group, null), owners: addressesOf(owners), came, isVisible };
    return creationEnd.finish(request, arrival, isDryRun, call);
  }

  return { create };
}

function addressesOf(owners: readonly Recipient[]): string[] {
  return owners.map(({ primarySmtpAddress }) => primarySmtpAddress);
}

function labelOf(request: ExchangeGroupRequest): string {
  return request.primarySmtpAddress ?? request.alias;
}

function differencesFault(existing: DistributionGroup, differences: readonly Difference[]): Fault {
  const { primarySmtpAddress, id, exchangeId } = existing;
  return existsWithDifferences({ label: primarySmtpAddress, id: id ?? exchangeId }, differences);
}

function addressInUse(request: ExchangeGroupRequest, holders: readonly Recipient[]): Fault {
  return new Fault('address_in_use', {
    detail: `The name, alias or an address of ${labelOf(request)} is held by: ${textOfRecipients(holders)}.`,
    fix: 'Choose another name, alias or address, or remove it from the object that holds it.',
  });
}

function kindMismatch(request: ExchangeGroupRequest, created: DistributionGroup): Fault {
  return new Fault('kind_mismatch', {
    detail: `${created.primarySmtpAddress} (${created.id ?? created.exchangeId}) was created as ${created.recipientType}, not as ${request.kind}.`,
    fix: 'Delete the group and report this; a kind cannot be changed later.',
    upstream: 'exchange',
  });
}

function notVisible(request: ExchangeGroupRequest): Fault {
  return new Fault('outcome_unknown', {
    detail: `New-DistributionGroup was answered for ${request.alias} without the group, and Exchange does not show it.`,
    fix: 'Repeat the request: it finds the group or creates it.',
    upstream: 'exchange',
  });
}

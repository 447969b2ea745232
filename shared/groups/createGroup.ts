import type { Audit } from '../audit/audit.ts';
import type { Call } from '../call.ts';
import type { Clock } from '../clock.ts';
import { Fault, isFault } from '../errors.ts';
import type { Output } from '../exchange/answers.ts';
import type { DistributionGroup, DistributionGroups } from '../exchange/distributionGroups.ts';
import type { Recipient, Recipients } from '../exchange/recipients.ts';
import { blockersOf, protectionBlockers, type ProtectionLists, refuseBlocked } from './blockers.ts';
import {
  compare,
  type CreationOutcome,
  exchangeName,
  type GroupRequest,
  judgeHolders,
  missingSettings,
} from './creationPlan.ts';
import { groupInExchange } from './group.ts';
import type { MembershipSummary } from './memberRows.ts';
import { type MemberResolver, requireOwners } from './members.ts';
import type { Membership } from './membership.ts';
import { summarize } from './memberRows.ts';
import type { GroupResolver } from './resolve.ts';

export interface Creation {
  readonly outcome: CreationOutcome;
  readonly changed: boolean;
  /** Whether this very request brought the group into being. */
  readonly isNew: boolean;
  readonly message: string;
  /** The group as it is now; for a dry run of a group that does not exist, null. */
  readonly group: DistributionGroup | null;
  readonly owners: readonly string[];
  readonly membership: MembershipSummary;
}

export interface GroupCreator {
  /**
   * Ensures that the group of the request exists: creates it, completes what an interrupted creation left out, or
   * finds it as asked. Safe to repeat at any point.
   * @throws Fault `exists_with_differences`, `address_in_use`, `owner_not_valid`, blockers, upstream faults
   */
  create(request: GroupRequest, isDryRun: boolean, call: Call): Promise<Creation>;
}

export interface GroupCreatorDependencies {
  readonly groups: GroupResolver;
  readonly distributionGroups: DistributionGroups;
  readonly recipients: Recipients;
  readonly memberResolver: MemberResolver;
  readonly membership: Membership;
  readonly audit: Audit;
  readonly clock: Clock;
  readonly protection: ProtectionLists;
}

/** Read-after-write in Exchange can lag (exchange.md §4, Consistency). */
const readBackWaitsMs = [0, 400, 800, 1_600, 2_500];

export function createGroupCreator(dependencies: GroupCreatorDependencies): GroupCreator {
  const { groups, distributionGroups, recipients, memberResolver, membership, audit, clock, protection } = dependencies;

  async function create(request: GroupRequest, isDryRun: boolean, call: Call): Promise<Creation> {
    const names = [request.displayName, request.alias, request.primarySmtpAddress, ...request.addresses];
    refuseBlocked(protectionBlockers(names, protection), request.primarySmtpAddress ?? request.displayName);
    const occupant = await findOccupant(request, call);
    const owners = requireOwners(request.owners, await memberResolver.resolve(request.owners, call));
    if (occupant !== null) return completeExisting(request, occupant, owners, isDryRun, call);
    if (isDryRun) return plannedCreation(request, owners, call);
    return createNew(request, owners, call);
  }

  /** The one distribution group that holds the alias, an address or the name; null when all are free. */
  async function findOccupant(request: GroupRequest, call: Call): Promise<DistributionGroup | null> {
    const addresses = request.primarySmtpAddress === null ? [] : [request.primarySmtpAddress];
    const wanted = {
      alias: request.alias,
      addresses: [...addresses, ...request.addresses],
      name: exchangeName(request),
    };
    const occupancy = judgeHolders(await recipients.holders(wanted, call));
    if (occupancy.type === 'free') return null;
    if (occupancy.type === 'taken') throw addressInUse(request, occupancy.holders);
    const [group] = await distributionGroups.find(occupancy.exchangeId, call);
    return group ?? null;
  }

  async function completeExisting(
    request: GroupRequest,
    existing: DistributionGroup,
    owners: readonly Recipient[],
    isDryRun: boolean,
    call: Call,
  ): Promise<Creation> {
    const { differences, missing } = compare(request, existing, owners);
    if (differences.length > 0) {
      const listed = differences.map(({ field, actual, wanted }) => `${field} is "${actual}", not "${wanted}"`);
      throw new Fault('exists_with_differences', {
        detail: `A group ${existing.primarySmtpAddress} (${existing.id ?? existing.exchangeId}) exists: ${listed.join('; ')}.`,
        fix: 'Ask for the group as it is, change it first, or choose another name, alias and address.',
        errors: differences.map(({ field, actual, wanted }) => ({
          pointer: `/${field}`,
          message: `is "${actual}", asked for "${wanted}"`,
          fix: `Ask for "${actual}", or change the group.`,
        })),
      });
    }
    const needsWrite = missing !== null || request.members.length > 0;
    if (needsWrite && !isDryRun) await refuseUnwritable(existing, call);
    if (missing === null || isDryRun) {
      const outcome = missing === null ? 'already_exists' : 'planned';
      return withMembers(request, existing, owners, { outcome, isNew: false }, isDryRun, call);
    }
    const completed = await complete(request, existing, call);
    return withMembers(request, completed, owners, { outcome: 'completed', isNew: false }, isDryRun, call);
  }

  /** A group that was there before may be synced or restricted: Graph's flags are looked at as for any write. */
  async function refuseUnwritable(existing: DistributionGroup, call: Call): Promise<void> {
    const group = await groups.resolveForWrite(existing.id ?? existing.primarySmtpAddress, call);
    refuseBlocked(blockersOf(group, protection), existing.primarySmtpAddress);
  }

  async function createNew(request: GroupRequest, owners: readonly Recipient[], call: Call): Promise<Creation> {
    const intent = {
      operation: 'New-DistributionGroup',
      targetType: 'group' as const,
      targetId: request.alias,
      targetName: request.primarySmtpAddress ?? request.displayName,
      before: null,
      planned: { ...request, owners: owners.map(({ primarySmtpAddress }) => primarySmtpAddress) },
    };
    let created: DistributionGroup;
    try {
      created = await audit.record(intent, call, async () => {
        const sent = await sendNew(request, owners, call);
        // Whether the answer was clear or lost: what can be read back is the proof (design §6.3).
        const group = await readBack(request, call.proving());
        if (group === null) throw sent.openFault ?? notVisibleYet(request);
        return { result: group, after: group, upstreamRequestId: sent.upstreamRequestId };
      });
    } catch (error) {
      // Somebody else, or a try of ours thought lost, was faster: the group that is there now is judged as any other.
      const occupant = isFault(error, 'address_in_use') ? await findOccupant(request, call) : null;
      if (occupant === null) throw error;
      return completeExisting(request, occupant, owners, false, call);
    }
    if (created.kind !== request.kind) throw kindMismatch(request, created);
    const group = await completeNew(request, created, call);
    return withMembers(request, group, owners, { outcome: 'created', isNew: true }, false, call);
  }

  async function sendNew(request: GroupRequest, owners: readonly Recipient[], call: Call): Promise<Sent> {
    const ownerIds = owners.map(({ id, exchangeId }) => id ?? exchangeId);
    const group = { ...request, name: exchangeName(request), owners: ownerIds };
    const requireSenderAuthentication = request.requireSenderAuthentication ?? true;
    return send(() => distributionGroups.create({ ...group, requireSenderAuthentication }, call), call);
  }

  /** The group as Exchange shows it after its creation, with its Entra id as soon as that is there. */
  async function readBack(request: GroupRequest, call: Call): Promise<DistributionGroup | null> {
    let latest: DistributionGroup | null = null;
    for (const waitMs of readBackWaitsMs) {
      if (waitMs >= call.deadline.remainingMs()) break;
      await clock.sleep(waitMs, call.deadline.signal);
      latest = await findOccupant(request, call);
      if (latest?.id != null) break;
    }
    return latest;
  }

  /** The second call of a creation. What goes wrong now must say that the group exists. */
  async function completeNew(
    request: GroupRequest,
    created: DistributionGroup,
    call: Call,
  ): Promise<DistributionGroup> {
    if (missingSettings(request, created) === null) return created;
    try {
      return await complete(request, created, call);
    } catch (error) {
      if (!isFault(error)) throw error;
      throw new Fault(error.code, {
        detail: `The group ${created.primarySmtpAddress} (${created.id ?? created.exchangeId}) was created, but its settings are not complete: ${error.message}`,
        fix: `Repeat the request: it completes what is missing. ${error.fix}`,
        upstream: 'exchange',
        upstreamRequestId: error.upstreamRequestId,
        ...(error.retryAfterSeconds === null ? {} : { retryAfterSeconds: error.retryAfterSeconds }),
        cause: error,
      });
    }
  }

  /** Sets what is missing; a lost answer is read back, and what is then still missing is sent once more. */
  async function complete(request: GroupRequest, before: DistributionGroup, call: Call): Promise<DistributionGroup> {
    let current = before;
    for (let isLastTry = false; ; isLastTry = true) {
      const missing = missingSettings(request, current);
      if (missing === null) return current;
      const intent = {
        operation: 'Set-DistributionGroup',
        targetType: 'group' as const,
        targetId: current.id ?? current.exchangeId,
        targetName: current.primarySmtpAddress,
        before: settingsOf(current),
        planned: missing,
      };
      const start = current;
      const { group, openFault } = await audit.record(intent, call, async () => {
        const sent = await send(() => distributionGroups.change(start.exchangeId, missing, call), call);
        const group = (await distributionGroups.find(start.exchangeId, call.proving()))[0] ?? start;
        return {
          result: { group, openFault: sent.openFault },
          after: settingsOf(group),
          upstreamRequestId: sent.upstreamRequestId,
        };
      });
      current = group;
      // A read-back may lag behind an answer that was clear: the answer is the proof then.
      if (openFault === null) return current;
      if (isLastTry && missingSettings(request, current) !== null) throw openFault;
    }
  }

  async function withMembers(
    request: GroupRequest,
    group: DistributionGroup,
    owners: readonly Recipient[],
    came: { outcome: CreationOutcome; isNew: boolean },
    isDryRun: boolean,
    call: Call,
  ): Promise<Creation> {
    const ownerAddresses = owners.map(({ primarySmtpAddress }) => primarySmtpAddress);
    const merged = groupInExchange(group, null);
    const added =
      request.members.length === 0
        ? summarize([], group.primarySmtpAddress, isDryRun)
        : await membership.changeResolved('add', merged, request.members, isDryRun, call);
    const changed = came.outcome === 'created' || came.outcome === 'completed' || added.changed;
    const outcome = judgeOutcome(came.outcome, group, added, isDryRun);
    const message = `${sentences[outcome](group)}${request.members.length === 0 ? '' : ` Members: ${added.message}`}`;
    return { outcome, changed, isNew: came.isNew, message, group, owners: ownerAddresses, membership: added };
  }

  async function plannedCreation(request: GroupRequest, owners: readonly Recipient[], call: Call): Promise<Creation> {
    const resolutions = await memberResolver.resolve(request.members, call);
    const rows = request.members.map((member, index) => {
      const resolution = resolutions[index];
      if (resolution === undefined || resolution.type === 'found') {
        return { member, outcome: 'would_add', code: 'would_add', message: 'Would be added.' } as const;
      }
      const outcome = resolution.type === 'notReady' ? 'not_ready' : 'failed';
      return { member, outcome, code: resolution.code, message: resolution.message } as const;
    });
    return {
      outcome: 'planned',
      changed: false,
      isNew: false,
      message: `The ${request.kind} ${request.primarySmtpAddress ?? request.alias} would be created.`,
      group: null,
      owners: owners.map(({ primarySmtpAddress }) => primarySmtpAddress),
      membership: summarize(rows, request.alias, true),
    };
  }

  return { create };
}

/** What came of sending a write: `openFault` when it may or may not have been carried out. */
interface Sent {
  readonly upstreamRequestId: string | null;
  readonly openFault: Fault | null;
}

async function send(write: () => Promise<Output>, call: Call): Promise<Sent> {
  try {
    const output = await write();
    for (const warning of output.warnings) call.warn(warning);
    return { upstreamRequestId: output.requestId, openFault: null };
  } catch (error) {
    if (!isFault(error, 'outcome_unknown')) throw error;
    return { upstreamRequestId: error.upstreamRequestId, openFault: error };
  }
}

function notVisibleYet(request: GroupRequest): Fault {
  return new Fault('outcome_unknown', {
    detail: `New-DistributionGroup was accepted for ${request.alias}, but Exchange does not show the group yet.`,
    fix: 'Repeat the request in a minute: it finds the group.',
    upstream: 'exchange',
  });
}

/** `pending`: the group is there, its Entra id is not yet; never reported as done (design §6.1). */
function judgeOutcome(
  outcome: CreationOutcome,
  group: DistributionGroup,
  added: MembershipSummary,
  isDryRun: boolean,
): CreationOutcome {
  if (isDryRun) return added.results.length > 0 ? 'planned' : outcome;
  if (group.id === null) return 'pending';
  return added.failedCount > 0 ? 'partial' : outcome;
}

const sentences: Readonly<Record<CreationOutcome, (group: DistributionGroup) => string>> = {
  created: (group) => `${group.primarySmtpAddress} was created.`,
  already_exists: (group) => `${group.primarySmtpAddress} exists as asked for.`,
  completed: (group) => `${group.primarySmtpAddress} existed; missing settings were completed.`,
  partial: (group) => `${group.primarySmtpAddress} is there; not every member could be added.`,
  pending: (group) => `${group.primarySmtpAddress} is there, but its Entra id is not known yet: repeat the request.`,
  planned: (group) => `${group.primarySmtpAddress} exists and would be completed.`,
};

function settingsOf(group: DistributionGroup): Record<string, unknown> {
  const { hideFromAddressLists, description, addresses } = group;
  return { hideFromAddressLists, description, addresses };
}

function addressInUse(request: GroupRequest, holders: readonly Recipient[]): Fault {
  const listed = holders.map(
    ({ displayName, primarySmtpAddress, recipientType }) => `${displayName} <${primarySmtpAddress}> (${recipientType})`,
  );
  return new Fault('address_in_use', {
    detail: `The name, alias or an address of ${request.primarySmtpAddress ?? request.alias} is held by: ${listed.join('; ')}.`,
    fix: 'Choose another name, alias or address, or remove it from the object that holds it.',
  });
}

function kindMismatch(request: GroupRequest, created: DistributionGroup): Fault {
  return new Fault('kind_mismatch', {
    detail: `${created.primarySmtpAddress} (${created.id ?? created.exchangeId}) was created as ${created.recipientType}, not as ${request.kind}.`,
    fix: 'Delete the group and report this; a kind cannot be changed later.',
    upstream: 'exchange',
  });
}

import type { Audit } from '../../audit/audit.ts';
import type { Call } from '../../call.ts';
import type { Clock } from '../../clock.ts';
import { Fault, isFault } from '../../errors.ts';
import { isGraphFault } from '../../graph/errors.ts';
import type { GraphGroup, GraphGroups, GraphMember } from '../../graph/groups.ts';
import { type GraphGroupWrites, maxLinksAtCreation } from '../../graph/groupWrites.ts';
import { protectionBlockers, type ProtectionLists, refuseBlocked, refuseUnmanageable } from '../blockers.ts';
import type { CreationEnd } from './createGroupEnd.ts';
import { type Came, type Creation, existsWithDifferences, type GraphGroupRequest } from './creationPlan.ts';
import {
  ambiguousNickname,
  compareInGraph,
  type GraphComparison,
  judgeNamesakes,
  type MissingInGraph,
  ownerNames,
} from './creationPlanInGraph.ts';
import { ensureState } from '../ensureState.ts';
import type { EntraMembers } from '../membership/entraMembers.ts';
import { groupInGraph, labelOf } from '../group.ts';
import { targetOfMember } from '../membership/memberTarget.ts';
import type { MemberWrites } from '../membership/memberWrites.ts';
import { sendOnce } from '../openWrite.ts';
import { requireEntraOwners } from '../owners.ts';
import { isThere, readBack } from '../readBack.ts';

export interface GraphGroupCreator {
  /** See GroupCreator. */
  create(request: GraphGroupRequest, isDryRun: boolean, call: Call): Promise<Creation>;
}

export interface GraphGroupCreatorDependencies {
  readonly graphGroups: GraphGroups;
  readonly graphGroupWrites: GraphGroupWrites;
  readonly entraMembers: EntraMembers;
  /** Of owners, which Graph links as it links members. */
  readonly ownerWrites: MemberWrites;
  readonly creationEnd: CreationEnd;
  readonly audit: Audit;
  readonly clock: Clock;
  readonly protection: ProtectionLists;
}

/** A creation that was sent and not refused. */
interface SentCreation {
  /** As Graph shows it, or as it answered. */
  readonly group: GraphGroup;
  readonly isVisible: boolean;
}

export function createGraphGroupCreator(dependencies: GraphGroupCreatorDependencies): GraphGroupCreator {
  const { graphGroups, graphGroupWrites, entraMembers, ownerWrites, creationEnd, audit, clock, protection } =
    dependencies;

  async function create(request: GraphGroupRequest, isDryRun: boolean, call: Call): Promise<Creation> {
    refuseBlocked(protectionBlockers([request.displayName, request.alias], protection), request.displayName);
    const occupant = await findOccupant(request, call);
    const owners = requireEntraOwners(request.owners, await entraMembers.resolveOwners(request.owners, call));
    if (occupant !== null) return completeExisting(request, occupant, owners, isDryRun, call);
    return isDryRun ? creationEnd.plan(request, ownerNames(owners), call) : createNew(request, owners, call);
  }

  /** The one group that has the mail nickname; null when none has. */
  async function findOccupant(request: GraphGroupRequest, call: Call): Promise<GraphGroup | null> {
    const occupancy = judgeNamesakes(request, await graphGroups.find({ mailNickname: request.alias }, call));
    if (occupancy.type === 'ambiguous') throw ambiguousNickname(request, occupancy.groups);
    return occupancy.type === 'free' ? null : occupancy.group;
  }

  async function holdAgainst(
    request: GraphGroupRequest,
    existing: GraphGroup,
    owners: readonly GraphMember[],
    call: Call,
  ): Promise<GraphComparison> {
    return compareInGraph(request, existing, await graphGroups.owners(existing.id, call), owners);
  }

  async function completeExisting(
    request: GraphGroupRequest,
    existing: GraphGroup,
    owners: readonly GraphMember[],
    isDryRun: boolean,
    call: Call,
  ): Promise<Creation> {
    const { differences, missing } = await holdAgainst(request, existing, owners, call);
    const group = groupInGraph(existing);
    if (differences.length > 0) throw existsWithDifferences({ label: labelOf(group), id: existing.id }, differences);
    if (missing !== null || request.members.length > 0) refuseUnmanageable(group, protection);
    if (missing === null) return withMembers(request, existing, owners, 'already_exists', isDryRun, call);
    if (isDryRun) return withMembers(request, existing, owners, 'planned', isDryRun, call);
    const completed = await complete(existing, missing, call);
    return withMembers(request, completed, owners, 'completed', isDryRun, call);
  }

  async function createNew(request: GraphGroupRequest, owners: readonly GraphMember[], call: Call): Promise<Creation> {
    let sent: SentCreation;
    try {
      sent = await sendNew(request, owners, call);
    } catch (error) {
      // Somebody else, or a try of ours thought lost, was faster: the group that is there now is judged as any other.
      const occupant = isGraphFault(error, 'propertyConflict') ? await findOccupant(request, call) : null;
      if (occupant === null) throw error;
      return completeExisting(request, occupant, owners, false, call);
    }
    const { group, isVisible } = sent;
    const arrival = { group: groupInGraph(group), owners: ownerNames(owners), isVisible };
    const isComplete = isVisible && (await linkFurtherOwners(group, owners, call));
    const came = isComplete || owners.length <= maxLinksAtCreation ? 'created' : 'incomplete';
    return creationEnd.finish(request, { ...arrival, came }, false, call);
  }

  /** The creation with its proof: after a lost answer, what can be read back decides. */
  async function sendNew(
    request: GraphGroupRequest,
    owners: readonly GraphMember[],
    call: Call,
  ): Promise<SentCreation> {
    const { kind, displayName, alias, description, visibility } = request;
    const first = owners.slice(0, maxLinksAtCreation);
    const group = {
      kind,
      displayName,
      mailNickname: alias,
      description,
      visibility,
      owners: first.map(({ id }) => id),
      members: [],
    };
    const intent = {
      operation: 'POST /groups',
      targetType: 'group' as const,
      targetId: alias,
      targetName: displayName,
      before: null,
      planned: group,
    };
    return audit.record(intent, call, async () => {
      const { openFault, output, upstreamRequestId } = await sendOnce(() => graphGroupWrites.create(group, call), call);
      const created = output?.group ?? null;
      const seen = await readBack(
        (proving) => (created === null ? findSame(request, owners, proving) : graphGroups.get(created.id, proving)),
        isThere,
        clock,
        call.proving(),
      );
      const after = seen ?? created;
      if (after === null) throw openFault ?? new TypeError('a write without answer and without fault');
      const result = { group: after, isVisible: seen !== null };
      return { result, after, upstreamRequestId };
    });
  }

  /** The group that a lost answer may have been about: only one that is exactly as asked for is taken for it. */
  async function findSame(
    request: GraphGroupRequest,
    owners: readonly GraphMember[],
    call: Call,
  ): Promise<GraphGroup | null> {
    const occupant = await findOccupant(request, call);
    if (occupant === null) return null;
    const { differences } = await holdAgainst(request, occupant, owners, call);
    return differences.length === 0 ? occupant : null;
  }

  /** What one creation does not take. What goes wrong now must not hide that the group exists: it is a warning. */
  async function linkFurtherOwners(group: GraphGroup, owners: readonly GraphMember[], call: Call): Promise<boolean> {
    try {
      await linkOwners(group, owners.slice(maxLinksAtCreation), call);
      return true;
    } catch (error) {
      if (!isFault(error)) throw error;
      call.warn(`The group was created, but not with all its owners. ${error.message} ${error.fix}`);
      return false;
    }
  }

  /** @throws Fault of the first owner that is not one now */
  async function linkOwners(group: GraphGroup, owners: readonly GraphMember[], call: Call): Promise<void> {
    if (owners.length === 0) return;
    const results = await ownerWrites.ensure('add', groupInGraph(group), owners.map(targetOfMember), call);
    for (const result of results.values()) {
      if (result.type === 'settled') continue;
      const { code, message, retryAfterSeconds } = result;
      throw new Fault(code, {
        detail: `Not all owners could be set: ${message}`,
        fix: 'Repeat the request: it looks first at what is there and writes only what is missing.',
        upstream: 'graph',
        ...(retryAfterSeconds === null ? {} : { retryAfterSeconds }),
      });
    }
  }

  async function complete(existing: GraphGroup, missing: MissingInGraph, call: Call): Promise<GraphGroup> {
    const { description } = missing;
    await linkOwners(existing, missing.owners, call);
    if (description === null) return existing;
    return ensureState(
      {
        operation: 'PATCH /groups/{id}',
        targetId: existing.id,
        targetName: existing.displayName,
        missing: (group: GraphGroup) => (group.description === null ? { description } : null),
        send: (change, call) => graphGroupWrites.update(existing.id, change, call),
        read: (call) => graphGroups.get(existing.id, call),
        describe: (group) => ({ description: group.description }),
      },
      existing,
      audit,
      call,
    );
  }

  function withMembers(
    request: GraphGroupRequest,
    group: GraphGroup,
    owners: readonly GraphMember[],
    came: Came,
    isDryRun: boolean,
    call: Call,
  ): Promise<Creation> {
    const arrival = { group: groupInGraph(group), owners: ownerNames(owners), came, isVisible: true };
    return creationEnd.finish(request, arrival, isDryRun, call);
  }

  return { create };
}

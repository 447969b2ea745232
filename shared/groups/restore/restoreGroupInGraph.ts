import type { Audit } from '../../audit/audit.ts';
import type { Call } from '../../call.ts';
import type { Clock } from '../../clock.ts';
import { Fault, type FaultCode, isFault } from '../../errors.ts';
import { sameText } from '../../exchange/identity.ts';
import type { GraphGroup, GraphGroups } from '../../graph/groups.ts';
import {
  type GraphGroupWrites,
  groupVisibilities,
  type GroupVisibility,
  maxLinksAtCreation,
} from '../../graph/groupWrites.ts';
import { groupInGraph } from '../group.ts';
import type { EntraMembers } from '../membership/entraMembers.ts';
import { kindInGraph } from '../kinds.ts';
import { type MemberTarget, targetOfMember } from '../membership/memberTarget.ts';
import type { MemberWrites } from '../membership/memberWrites.ts';
import { sendOnce } from '../openWrite.ts';
import { requireEntraOwners } from '../owners.ts';
import { isThere, readBack } from '../readBack.ts';
import { mayPass, noOwnerLeft, ownersLeft } from './restoreGroupOwners.ts';
import type { Reviver, Revival, Site } from './restoreGroupReviver.ts';
import { lostRow, restoredRow, type RestoreRow } from './restorePlan.ts';
import type { Snapshot } from '../deletion/snapshot.ts';

export interface GraphReviverDependencies {
  readonly graphGroups: GraphGroups;
  readonly graphGroupWrites: GraphGroupWrites;
  readonly entraMembers: EntraMembers;
  /** Of owners. */
  readonly ownerWrites: MemberWrites;
  readonly audit: Audit;
  readonly clock: Clock;
}

/**
 * Brings security and Microsoft 365 groups back: out of Entra's recycle bin with everything they had, as long as they
 * are in it (30 days: graph.md §8), otherwise as new groups.
 */
export function createGraphReviver(dependencies: GraphReviverDependencies): Reviver {
  const { graphGroups, graphGroupWrites, entraMembers, ownerWrites, audit, clock } = dependencies;

  const lookFor = (look: (proving: Call) => Promise<GraphGroup | null>, call: Call) =>
    readBack(look, isThere, clock, call.proving());

  async function look(snapshot: Snapshot, asked: readonly string[] | null, call: Call): Promise<Site> {
    const old = snapshotInGraph(snapshot);
    const itself = await graphGroups.get(old.id, call);
    if (itself !== null) {
      const revival = { group: groupInGraph(itself), isNew: false, changed: false, rows: [], fault: null };
      return { ...nothingElse, type: 'present', revive: () => Promise.resolve(revival) };
    }
    if ((await graphGroupWrites.deleted(old.id, call)) !== null) {
      return { ...nothingElse, type: 'deleted', revive: (call) => takeOut(old, call) };
    }
    const { owners, rows } = await findOwners(snapshot, asked, call);
    const begun = (await findBegun(snapshot, call)) ?? (await findCandidate(old, owners, call));
    if (begun !== null) {
      const revive = async (call: Call) => withOwners(begun, old, owners, false, call);
      return { type: 'present', rows, planned: lostRows(old, begun.addresses), givesOwners: true, revive };
    }
    const revive = async (call: Call) => withOwners(await create(snapshot, old, owners, call), old, owners, true, call);
    return { type: 'absent', rows, planned: lostRows(old, old.addresses), givesOwners: true, revive };
  }

  /** The group that an earlier try has created. */
  async function findBegun({ progress }: Snapshot, call: Call): Promise<GraphGroup | null> {
    return progress === null ? null : graphGroups.get(progress.groupId, call);
  }

  /**
   * A group that an earlier try may have created, without knowing its id. Aliases of security groups are not unique in
   * Entra, so only one that has nobody in it, and no owner of its own, is taken for that.
   */
  async function findCandidate(
    old: GraphGroup,
    owners: readonly MemberTarget[],
    call: Call,
  ): Promise<GraphGroup | null> {
    const alike = await graphGroups.find({ mailNickname: old.mailNickname ?? '' }, call);
    const [first, ...more] = alike;
    if (first === undefined) return null;
    const isLike =
      more.length === 0 &&
      kindInGraph(first) === kindInGraph(old) &&
      sameText(first.displayName, old.displayName) &&
      first.description === old.description;
    if (isLike && (await isEmpty(first, call)) && (await isOwnedByThese(first, owners, call))) return first;
    throw new Fault('address_in_use', {
      detail: `Another group has the alias ${old.mailNickname ?? ''} now: ${alike.map(({ id, displayName }) => `${displayName} (${id})`).join(', ')}.`,
      fix: 'Give it another alias or delete it, and repeat the restore; or keep it and restore nothing.',
    });
  }

  async function isEmpty({ id }: GraphGroup, call: Call): Promise<boolean> {
    const { members } = await graphGroups.members(id, { size: 1, from: null }, call);
    return members.length === 0;
  }

  async function isOwnedByThese({ id }: GraphGroup, owners: readonly MemberTarget[], call: Call): Promise<boolean> {
    const actual = await graphGroups.owners(id, call);
    return actual.every((owner) => owners.some(({ memberId }) => sameText(memberId, owner.id)));
  }

  /** The owners that are asked for, or those of the snapshot that are left, with a row for each that is not. */
  async function findOwners(snapshot: Snapshot, asked: readonly string[] | null, call: Call) {
    const entries = asked ?? snapshot.owners.map(({ entry }) => entry);
    const resolutions = await entraMembers.resolveOwners(entries, call);
    if (asked !== null) return { owners: requireEntraOwners(asked, resolutions).map(targetOfMember), rows: [] };
    const { found, rows } = ownersLeft(snapshot.owners, (entry, index) =>
      requireEntraOwners([entry], resolutions.slice(index, index + 1)),
    );
    if (found.length === 0 && entries.length > 0) throw noOwnerLeft(snapshot);
    return { owners: found.map(targetOfMember), rows: rows.filter(({ outcome }) => outcome !== 'restored') };
  }

  async function takeOut(old: GraphGroup, call: Call): Promise<Revival> {
    const first = await takeOutOnce(old, call);
    const second = first.fault === null || call.deadline.signal.aborted ? first : await takeOutOnce(old, call);
    if (second.group === null) throw second.fault ?? notVisible(old);
    const rows = lostRows(old, second.group.addresses).filter(({ item }) => item !== teamItem);
    return { group: groupInGraph(second.group), isNew: false, changed: true, rows, fault: null };
  }

  async function takeOutOnce(old: GraphGroup, call: Call): Promise<{ group: GraphGroup | null; fault: Fault | null }> {
    const intent = {
      operation: 'POST /directory/deletedItems/{id}/restore',
      targetType: 'group' as const,
      targetId: old.id,
      targetName: old.mail ?? old.displayName,
      before: 'deleted',
      planned: 'restored',
    };
    return audit.record(intent, call, async () => {
      const sent = await sendOnce(() => graphGroupWrites.restore(old.id, call), call);
      const { openFault, upstreamRequestId } = sent;
      const group = await lookFor((proving) => graphGroups.get(old.id, proving), call);
      const isProven = openFault === null || group !== null;
      const state = isProven ? ('succeeded' as const) : ('unknown' as const);
      return { result: { group, fault: isProven ? null : openFault }, state, after: group, upstreamRequestId };
    });
  }

  /** The creation with its proof: after a lost answer, what can be read back decides. */
  async function create(
    snapshot: Snapshot,
    old: GraphGroup,
    owners: readonly MemberTarget[],
    call: Call,
  ): Promise<GraphGroup> {
    const group = {
      kind: old.isUnified ? ('microsoft365' as const) : ('security' as const),
      displayName: old.displayName,
      mailNickname: old.mailNickname ?? '',
      description: old.description,
      visibility: old.isUnified ? visibilityOf(old) : null,
      owners: owners.slice(0, maxLinksAtCreation).map(({ memberId }) => memberId),
      members: [],
    };
    const intent = {
      operation: 'POST /groups',
      targetType: 'group' as const,
      targetId: group.mailNickname,
      targetName: old.mail ?? old.displayName,
      before: null,
      planned: { ...group, deletionId: snapshot.deletionId },
    };
    return audit.record(intent, call, async () => {
      try {
        const { group: created, requestId } = await graphGroupWrites.create(group, call);
        // Links to it are refused until it is everywhere.
        const seen = await lookFor((proving) => graphGroups.get(created.id, proving), call);
        return { result: seen ?? created, after: seen ?? created, upstreamRequestId: requestId };
      } catch (error) {
        if (!isFault(error, 'outcome_unknown')) throw error;
        const seen = await lookFor((proving) => findCandidate(old, owners, proving), call);
        if (seen === null) throw error;
        return { result: seen, after: seen, upstreamRequestId: error.upstreamRequestId };
      }
    });
  }

  /** The owners that the creation did not take, and what a new group has lost. */
  async function withOwners(
    group: GraphGroup,
    old: GraphGroup,
    owners: readonly MemberTarget[],
    isNew: boolean,
    call: Call,
  ): Promise<Revival> {
    const rows = lostRows(old, group.addresses);
    const given = isNew ? owners.slice(0, maxLinksAtCreation) : await ownersAmong(owners, group, call);
    rows.push(...given.map(({ label }) => restoredRow('owner', label)));
    const left = owners.filter((owner) => !given.includes(owner));
    let fault: Fault | null = null;
    try {
      if (left.length > 0) rows.push(...(await addOwners(group, left, call)));
    } catch (error) {
      if (!isFault(error)) throw error;
      fault = error;
    }
    return { group: groupInGraph(group), isNew, changed: isNew || left.length > 0, rows, fault };
  }

  async function ownersAmong(targets: readonly MemberTarget[], group: GraphGroup, call: Call): Promise<MemberTarget[]> {
    const owners = await graphGroups.owners(group.id, call);
    return targets.filter(({ memberId }) => owners.some(({ id }) => sameText(id, memberId)));
  }

  async function addOwners(group: GraphGroup, owners: readonly MemberTarget[], call: Call): Promise<RestoreRow[]> {
    const results = await ownerWrites.ensure('add', groupInGraph(group), owners, call);
    return owners.map(({ key, label }) => {
      const result = results.get(key);
      if (result === undefined) throw new RangeError('an owner without its result');
      if (result.type === 'settled') return restoredRow('owner', label);
      if (mayPass(result.code)) throw ownerNotAdded(result);
      return lostRow('owner', label, result);
    });
  }

  return { look };
}

function snapshotInGraph({ graph, displayName }: Snapshot): GraphGroup {
  if (graph === null) throw new TypeError(`the snapshot of ${displayName} lacks what Graph said of the group`);
  return graph;
}

/** A group that has all it had: nothing is to be told, and its owners are as they are. */
const nothingElse = { rows: [], planned: [], givesOwners: false } as const;

function visibilityOf({ visibility }: GraphGroup): GroupVisibility | null {
  return groupVisibilities.find((each) => sameText(each, visibility)) ?? null;
}

const teamItem = 'team';

/** What Graph cannot give to a new group. Pure. */
function lostRows(old: GraphGroup, addresses: readonly string[]): RestoreRow[] {
  const lost = old.addresses.filter((address) => !addresses.some((each) => sameText(each, address)));
  const rows = lost.map((address) =>
    lostRow('address', address, {
      code: 'not_restored',
      message: 'Graph cannot give an address to a group; add it in the Exchange admin centre or with Set-UnifiedGroup.',
    }),
  );
  if (old.isTeam) {
    const message = 'The group was a Microsoft Team; the new one is none: make it one in the Teams admin centre.';
    rows.push(lostRow('setting', teamItem, { code: 'not_restored', message }));
  }
  return rows;
}

function ownerNotAdded({ code, message }: { readonly code: FaultCode; readonly message: string }): Fault {
  return new Fault(code, {
    detail: `An owner is missing yet: ${message}`,
    fix: 'Repeat the request.',
    upstream: 'graph',
  });
}

function notVisible({ displayName }: GraphGroup): Fault {
  return new Fault('not_replicated', {
    detail: `${displayName} was restored, but Entra does not show it yet.`,
    fix: 'Repeat the request after Retry-After: it goes on with the members.',
    retryAfterSeconds: 15,
    upstream: 'graph',
  });
}

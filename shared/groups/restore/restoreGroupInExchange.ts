import type { Audit } from '../../audit/audit.ts';
import type { Call } from '../../call.ts';
import type { Clock } from '../../clock.ts';
import { Fault, isFault } from '../../errors.ts';
import type { DistributionGroup, DistributionGroups } from '../../exchange/distributionGroups.ts';
import { ExchangeFault, type ExchangeErrorKind } from '../../exchange/errors.ts';
import { sameText } from '../../exchange/identity.ts';
import { textOfRecipients, type Recipient, type Recipients } from '../../exchange/recipients.ts';
import { groupInExchange } from '../group.ts';
import type { GroupSettings } from '../update/groupSettings.ts';
import type { MemberResolver } from '../membership/members.ts';
import { sendOnce } from '../openWrite.ts';
import { areExactly, nameInWrites } from '../ownerIdentity.ts';
import { requireOwners } from '../owners.ts';
import { hasEntraId, readBack } from '../readBack.ts';
import { noOwnerLeft, ownersLeft } from './restoreGroupOwners.ts';
import type { Reviver, Revival, Site } from './restoreGroupReviver.ts';
import {
  changeOf,
  differencesFrom,
  type FoundPeople,
  judgeSite,
  lostPeopleRows,
  lostRow,
  piecesOf,
  restoredRow,
  type RestorePiece,
  type RestoreRow,
} from './restorePlan.ts';
import { peopleNamedIn, type Snapshot, type SnapshotPerson } from '../deletion/snapshot.ts';

/** Refusals that are about one setting or address: without it, the others may pass. */
const aboutOnePiece: readonly ExchangeErrorKind[] = ['addressInUse', 'notFound', 'ambiguous', 'rejected'];

export interface ExchangeReviverDependencies {
  readonly distributionGroups: DistributionGroups;
  readonly recipients: Recipients;
  readonly memberResolver: MemberResolver;
  readonly groupSettings: GroupSettings;
  readonly audit: Audit;
  readonly clock: Clock;
}

/** Brings distribution lists and mail-enabled security groups back: Exchange has no recycle bin (exchange.md §4). */
export function createExchangeReviver(dependencies: ExchangeReviverDependencies): Reviver {
  const { distributionGroups, recipients, memberResolver, groupSettings, audit, clock } = dependencies;

  /** Whom the old settings name, as far as they are still there. */
  async function findPeople(old: DistributionGroup, people: readonly SnapshotPerson[], call: Call) {
    const entries = peopleNamedIn(old);
    const idOf = (entry: string) => people.find((person) => person.entry === entry)?.id ?? entry;
    const lookups = await recipients.lookUpEntries(entries.map(idOf), call);
    const found = new Map<string, Recipient>();
    for (const [index, entry] of entries.entries()) {
      const lookup = lookups[index];
      if (lookup?.type === 'failed') throw lookup.fault;
      if (lookup?.type === 'found') found.set(entry.toLowerCase(), lookup.recipient);
    }
    return found;
  }

  /** The owners that are asked for, or those of the snapshot that are left, with a row for each of the latter. */
  async function findOwners(snapshot: Snapshot, asked: readonly string[] | null, call: Call) {
    if (asked !== null) {
      return { owners: requireOwners(asked, await memberResolver.resolve(asked, call)), rows: [] };
    }
    const entries = snapshot.owners.map(({ id, address, entry }) => id ?? address ?? entry);
    const resolutions = await memberResolver.resolve(entries, call);
    const { found, rows } = ownersLeft(snapshot.owners, (entry, index) =>
      requireOwners([entry], resolutions.slice(index, index + 1)),
    );
    if (found.length === 0) throw noOwnerLeft(snapshot);
    return { owners: found, rows };
  }

  async function look(snapshot: Snapshot, askedOwners: readonly string[] | null, call: Call): Promise<Site> {
    const old = snapshotInExchange(snapshot);
    // A deletion whose outcome is not known may never have been carried out.
    const itself = await findById(snapshot.state === 'sent' ? old.exchangeId : null, call);
    if (itself !== null) {
      const revive = (call: Call) => settle(itself, [], false, call);
      return { type: 'present', rows: [], planned: [], givesOwners: false, revive };
    }
    const begun = await findById(snapshot.progress?.groupId ?? null, call);
    const { alias, name, addresses } = old;
    const holders = await recipients.holders({ alias, name, addresses: [...addresses] }, call);
    const others = holders.filter(({ exchangeId }) => !sameText(exchangeId, begun?.exchangeId ?? null));
    const { site, taken } = judgeSite(old, others);
    if (begun === null && site.type === 'taken') throw addressInUse(old, site.holders);
    const { owners, rows: ownerRows } = await findOwners(snapshot, askedOwners, call);
    const found = await findPeople(old, snapshot.people, call);
    const rows = [
      ...ownerRows,
      ...lostPeopleRows(snapshot, found),
      ...taken.map((address) => lostRow('address', address, takenAddress)),
    ];
    const pieces = piecesOf(old, found, taken);
    const planned = pieces.map(({ kind, item }) => restoredRow(kind, item));
    if (begun === null && site.type === 'free') {
      const revive = async (call: Call) => settle(await create(snapshot, old, owners, call), pieces, true, call);
      return { type: 'absent', rows, planned, givesOwners: true, revive };
    }
    const existing = begun ?? (await findById(site.type === 'group' ? site.exchangeId : null, call));
    if (existing === null) throw notVisible(old);
    if (begun === null) refuseOther(old, existing, found, owners);
    const givesOwners = areExactly(owners, existing.managedBy);
    return { type: 'present', rows, planned, givesOwners, revive: (call) => settle(existing, pieces, false, call) };
  }

  /** Whatever it is called by now. */
  async function findById(id: string | null, call: Call): Promise<DistributionGroup | null> {
    if (id === null) return null;
    const [group] = await distributionGroups.find(id, call);
    return group ?? null;
  }

  /** The creation with its proof: after a lost answer, what can be read back decides. */
  async function create(
    snapshot: Snapshot,
    old: DistributionGroup,
    owners: readonly Recipient[],
    call: Call,
  ): Promise<DistributionGroup> {
    const group = {
      kind: old.kind ?? 'distributionList',
      name: old.name,
      displayName: old.displayName,
      alias: old.alias,
      primarySmtpAddress: old.primarySmtpAddress,
      description: old.description,
      owners: owners.map(nameInWrites),
      requireSenderAuthentication: old.requireSenderAuthentication,
      // The name is what it became under the policy of its time.
      ignoreNamingPolicy: true,
      joinRestriction: old.joinRestriction,
      departRestriction: old.departRestriction,
      // It can be given at creation alone (exchange.md §4): left out, everybody could see who is a member.
      hiddenMembership: old.hiddenMembership,
    };
    const intent = {
      operation: 'New-DistributionGroup',
      targetType: 'group' as const,
      targetId: old.alias,
      targetName: old.primarySmtpAddress,
      before: null,
      planned: { ...group, deletionId: snapshot.deletionId },
    };
    return audit.record(intent, call, async () => {
      const sent = await sendOnce(() => distributionGroups.create(group, call), call).catch((error: unknown) => {
        throw error instanceof ExchangeFault && error.kind === 'addressInUse' ? addressReserved(error) : error;
      });
      const { openFault, output, upstreamRequestId } = sent;
      const putOut = output === null ? null : distributionGroups.inOutput(output);
      const seen = await readBack((proving) => findCreated(old, proving), hasEntraId, clock, call.proving());
      const after = seen ?? putOut;
      // A creation puts out the group: an answer without it is no clear one.
      if (after === null) throw openFault ?? notVisible(old);
      return { result: after, after, upstreamRequestId };
    });
  }

  async function findCreated(old: DistributionGroup, call: Call): Promise<DistributionGroup | null> {
    const [found] = await distributionGroups.find(old.primarySmtpAddress, call);
    return found !== undefined && sameText(found.alias, old.alias) ? found : null;
  }

  async function settle(
    group: DistributionGroup,
    pieces: readonly RestorePiece[],
    isNew: boolean,
    call: Call,
  ): Promise<Revival> {
    const result = await applyPieces(group, pieces, call);
    const primary = restoredRow('address', result.group.primarySmtpAddress);
    const changed = isNew || changeOf(pieces, group) !== null;
    const rows = [primary, ...result.rows];
    return { group: groupInExchange(result.group, null), isNew, changed, rows, fault: result.fault };
  }

  /** All pieces in one call; what is refused is halved, until those pieces are found that do not pass. */
  async function applyPieces(
    group: DistributionGroup,
    pieces: readonly RestorePiece[],
    call: Call,
  ): Promise<{ group: DistributionGroup; rows: readonly RestoreRow[]; fault: Fault | null }> {
    const [first, ...more] = pieces;
    if (first === undefined) return { group, rows: [], fault: null };
    try {
      const after = await groupSettings.ensure(group, (actual) => changeOf(pieces, actual), call);
      return { group: after, rows: pieces.map(({ kind, item }) => restoredRow(kind, item)), fault: null };
    } catch (error) {
      if (!isFault(error)) throw error;
      const isAboutOne = error instanceof ExchangeFault && aboutOnePiece.includes(error.kind);
      if (!isAboutOne) return { group, rows: [], fault: error };
      if (more.length === 0) return { group, rows: [lostRow(first.kind, first.item, error)], fault: null };
      const middle = Math.ceil(pieces.length / 2);
      const left = await applyPieces(group, pieces.slice(0, middle), call);
      if (left.fault !== null) return left;
      const right = await applyPieces(left.group, pieces.slice(middle), call);
      return { ...right, rows: [...left.rows, ...right.rows] };
    }
  }

  return { look };
}

function snapshotInExchange({ exchange, displayName }: Snapshot): DistributionGroup {
  if (exchange === null) throw new TypeError(`the snapshot of ${displayName} lacks what Exchange said of the group`);
  return exchange;
}

const takenAddress = { code: 'address_in_use', message: 'Somebody else holds this address now.' } as const;

/** @throws Fault `address_in_use` for a group that is none of an earlier try of this restore */
function refuseOther(
  old: DistributionGroup,
  existing: DistributionGroup,
  found: FoundPeople,
  owners: readonly Recipient[],
): void {
  const differences = differencesFrom(old, existing, found, owners);
  if (differences.length === 0) return;
  throw new Fault('address_in_use', {
    detail: `${existing.primarySmtpAddress} (${existing.id ?? existing.exchangeId}) stands where the deleted group stood and is another one: it differs in ${differences.join(', ')}.`,
    fix: 'Rename that group and give it another alias and address, or delete it, and repeat the restore; or keep it and restore nothing.',
  });
}

function addressInUse(old: DistributionGroup, holders: readonly Recipient[]): Fault {
  return new Fault('address_in_use', {
    detail: `The name, alias or primary address of ${old.primarySmtpAddress} is held by: ${textOfRecipients(holders)}.`,
    fix: 'Take the name, alias and address from the object that holds it, and repeat the restore.',
  });
}

/** Nobody was seen to hold it: Exchange keeps the addresses of a deleted group for a while (exchange.md §4). */
function addressReserved(refusal: ExchangeFault): Fault {
  return new Fault('address_in_use', {
    detail: refusal.message,
    fix: 'Exchange may keep the addresses of a deleted group for about an hour: repeat the request then. If it stays, look for who holds the name, alias or address, deleted mailboxes included.',
    upstream: 'exchange',
    upstreamRequestId: refusal.upstreamRequestId,
    cause: refusal,
  });
}

function notVisible(old: DistributionGroup): Fault {
  return new Fault('outcome_unknown', {
    detail: `Exchange does not show ${old.primarySmtpAddress} yet, though it should be there.`,
    fix: 'Repeat the request: it finds the group or creates it.',
    upstream: 'exchange',
  });
}

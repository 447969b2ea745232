import type { Call } from '../../call.ts';
import { Fault } from '../../errors.ts';
import { isDeliveryRestricted } from '../../exchange/distributionGroups.ts';
import type { GraphGroups } from '../../graph/groups.ts';
import { protectionBlockers, type ProtectionLists, refuseBlocked, refuseUnmanageable } from '../blockers.ts';
import { warnOfOpenList } from '../membership/deliveryRestriction.ts';
import { type Group, labelOf, namesOf } from '../group.ts';
import {
  type ChangeRow,
  type GroupUpdate,
  judgeUpdate,
  type UpdatedGroup,
  type UpdateOutcome,
  type UpdateResult,
} from './groupChange.ts';
import { refuseForeignFields } from '../kindFields.ts';
import { warnOfNotes } from '../linkability.ts';
import { groupNotReady, type GroupResolver } from '../resolve.ts';
import type { ExchangeUpdater } from './updateInExchange.ts';
import type { GraphUpdater } from './updateInGraph.ts';

export interface Update {
  readonly outcome: UpdateOutcome;
  readonly changed: boolean;
  readonly message: string;
  readonly id: string | null;
  readonly kind: Group['kind'];
  readonly group: UpdatedGroup;
  readonly rows: readonly ChangeRow[];
}

export interface GroupUpdater {
  /**
   * Brings the settings of a group to what is asked for; only what differs is written. Safe to repeat at any point.
   * @throws Fault `invalid_request` for what this kind of group does not allow, `last_owner`, blockers, faults of
   *   resolving and of the upstreams; once something was written, faults are told row by row
   */
  update(identity: string, update: GroupUpdate, isDryRun: boolean, call: Call): Promise<Update>;
}

export interface GroupUpdaterDependencies {
  readonly groups: GroupResolver;
  readonly graphGroups: GraphGroups;
  readonly exchangeUpdater: ExchangeUpdater;
  readonly graphUpdater: GraphUpdater;
  readonly protection: ProtectionLists;
}

export function createGroupUpdater(dependencies: GroupUpdaterDependencies): GroupUpdater {
  const { groups, graphGroups, exchangeUpdater, graphUpdater, protection } = dependencies;

  function updateWhereItLives(group: Group, update: GroupUpdate, isDryRun: boolean, call: Call): Promise<UpdateResult> {
    if (group.exchange !== null) return exchangeUpdater.update(group.exchange, update, isDryRun, call);
    if (group.graph !== null) return graphUpdater.update(group, group.graph, update, isDryRun, call);
    throw groupNotReady(group);
  }

  return {
    update: async (identity, update, isDryRun, call) => {
      refuseNothing(update);
      const group = await groups.resolveForWrite(identity, call);
      refuseForeignFields(group.kind, Object.keys(update));
      refuseUnmanageable(group, protection);
      refuseNewNames(group, update, protection);
      if (update.owners?.length === 0) throw noOwner(group);
      const { rows, group: shown } = await updateWhereItLives(group, update, isDryRun, call);
      const outcome = judgeUpdate(rows);
      if (outcome !== 'unchanged') warnOfNotes(group, call);
      if (outcome === 'updated') await warnOfLostRestriction(group, update, call);
      const label = shown.primarySmtpAddress ?? shown.displayName;
      return {
        outcome,
        changed: rows.some((row) => row.outcome !== 'would_set'),
        message: sentences[outcome](label, rows),
        id: group.id,
        kind: group.kind,
        group: shown,
        rows,
      };
    },
  };

  /** A large list needs its delivery restriction (exchange.md §4, Limits): taking it off is looked at. */
  async function warnOfLostRestriction({ exchange, ...group }: Group, update: GroupUpdate, call: Call): Promise<void> {
    if (exchange === null || !isDeliveryRestricted(exchange)) return;
    const { moderationEnabled = exchange.moderationEnabled, acceptMessagesFrom = exchange.acceptMessagesFrom } = update;
    const changed = { ...exchange, moderationEnabled, acceptMessagesFrom };
    await warnOfOpenList({ ...group, exchange: changed }, graphGroups, call);
  }
}

const sentences: Readonly<Record<UpdateOutcome, (label: string, rows: readonly ChangeRow[]) => string>> = {
  updated: (label, rows) => `${label} was changed: ${fieldsOf(rows)}.`,
  unchanged: (label) => `${label} is as asked for.`,
  partial: (label, rows) =>
    `${label} was changed in part; not set: ${fieldsOf(rows.filter(({ outcome }) => outcome !== 'set'))}.`,
  pending: (label, rows) =>
    `${label} was changed; not known yet: ${fieldsOf(rows.filter(({ outcome }) => outcome === 'unknown'))}. Repeat the request.`,
  planned: (label, rows) => `${label} would be changed: ${fieldsOf(rows)}.`,
};

function fieldsOf(rows: readonly ChangeRow[]): string {
  return rows.map(({ field }) => field).join(', ');
}

/** What a body may hold that changes nothing by itself. */
const modifiers: readonly string[] = ['dryRun', 'ignoreNamingPolicy'];

/** An update of nothing is a mistake in a flow, which would otherwise read as success for ever. */
function refuseNothing(update: GroupUpdate): void {
  if (Object.keys(update).some((name) => !modifiers.includes(name))) return;
  const fix = 'Give at least one property to change.';
  throw new Fault('invalid_request', {
    detail: 'The request names nothing to change.',
    fix,
    errors: [{ pointer: '', message: 'must have a property besides dryRun and ignoreNamingPolicy', fix }],
  });
}

/** A group must not take a name that a creation would be refused, nor one under which this app may not manage it. */
function refuseNewNames(group: Group, update: GroupUpdate, protection: ProtectionLists): void {
  const { displayName, primarySmtpAddress } = { ...group, ...update };
  const addresses = update.addresses ?? group.addresses;
  const names = namesOf({ ...group, displayName, primarySmtpAddress, addresses });
  refuseBlocked(protectionBlockers(names, protection), `${labelOf(group)} with the names asked for`);
}

function noOwner(group: Group): Fault {
  return new Fault('last_owner', {
    detail: `owners is empty, and ${labelOf(group)} must keep an owner. Nothing was changed.`,
    fix: 'Name at least one owner, or leave owners out.',
  });
}

import type { Audit } from '../audit/audit.ts';
import type { Call } from '../call.ts';
import type { Clock } from '../clock.ts';
import type { Fault } from '../errors.ts';
import { type FaultCode, isFault } from '../errors.ts';
import type { BatchPart } from '../exchange/batch.ts';
import { ExchangeFault } from '../exchange/errors.ts';
import { type ExchangeMembers, type MemberChange, memberBatchSize } from '../exchange/members.ts';
import type { Recipient } from '../exchange/recipients.ts';
import type { GraphGroups } from '../graph/groups.ts';
import { type ProtectionLists, refuseUnmanageable } from './blockers.ts';
import { type Group, labelOf } from './group.ts';
import { requireExchangeKind } from './kinds.ts';
import { type MemberRow, type MembershipSummary, plannedRow, settledRow, summarize } from './memberRows.ts';
import { judgeAsMember, type MemberResolver } from './members.ts';
import { groupNotReady, type GroupResolver } from './resolve.ts';

export interface Membership {
  /**
   * Ensures that each of `members` is, or is not, a member of the group; one row each, in the order given. Being (no)
   * member already is success. What time does not suffice for is `not_attempted`, never left out.
   * @throws Fault of resolving or refusing the group, and of an upstream that failed before anything was written
   */
  change(
    change: MemberChange,
    group: string,
    members: readonly string[],
    isDryRun: boolean,
    call: Call,
  ): Promise<MembershipSummary>;
  /** The same for a group that the caller has resolved and checked. */
  changeResolved(
    change: MemberChange,
    group: Group,
    members: readonly string[],
    isDryRun: boolean,
    call: Call,
  ): Promise<MembershipSummary>;
}

export interface MembershipDependencies {
  readonly groups: GroupResolver;
  readonly memberResolver: MemberResolver;
  readonly exchangeMembers: ExchangeMembers;
  readonly graphGroups: GraphGroups;
  readonly audit: Audit;
  readonly clock: Clock;
  readonly protection: ProtectionLists;
}

/** A recipient to be added or removed, and where its rows go. */
interface Item {
  readonly recipient: Recipient;
  /** Exchange may have carried out an earlier try whose answer was lost. */
  wasTried: boolean;
}

type ItemResult =
  | { readonly type: 'settled'; readonly wasChanged: boolean }
  | { readonly type: 'failed' | 'notAttempted' | 'notReady'; readonly code: FaultCode; readonly message: string };

/** How often an item may be sent again after it was throttled, or after a lost answer was read back. */
const maxPasses = 3;
/** A write that could not be answered before the deadline is not begun. */
const minWriteMs = 1_500;

export function createMembership(dependencies: MembershipDependencies): Membership {
  const { groups, memberResolver, exchangeMembers, graphGroups, audit, clock, protection } = dependencies;

  async function changeResolved(
    change: MemberChange,
    group: Group,
    members: readonly string[],
    isDryRun: boolean,
    call: Call,
  ): Promise<MembershipSummary> {
    const resolutions = (await memberResolver.resolve(members, call)).map((resolution) =>
      change === 'add' ? judgeAsMember(resolution) : resolution,
    );
    const items = new Map<string, Item>();
    for (const resolution of resolutions) {
      if (resolution.type === 'found')
        items.set(keyOf(resolution.recipient), { recipient: resolution.recipient, wasTried: false });
    }
    const results = isDryRun ? null : await apply(change, group, [...items.values()], call);
    const actual = isDryRun ? await membersAmong([...items.values()], group, call) : null;

    const seen = new Set<string>();
    const rows = members.map((member, index): MemberRow => {
      const resolution = resolutions[index];
      if (resolution === undefined) throw new RangeError('a member without its resolution');
      if (resolution.type !== 'found') {
        // Who is no recipient cannot be a member: for a removal that is the state asked for.
        if (change === 'remove' && resolution.type === 'notReady') return settledRow(member, change, false);
        const outcome = resolution.type === 'notReady' ? 'not_ready' : 'failed';
        return { member, outcome, code: resolution.code, message: resolution.message };
      }
      const key = keyOf(resolution.recipient);
      const isRepeated = seen.has(key);
      seen.add(key);
      if (actual !== null) {
        const isNeeded = !isRepeated && actual.has(key) === (change === 'remove');
        return plannedRow(member, change, isNeeded);
      }
      const result = results?.get(key);
      if (result === undefined) throw new RangeError('a member without its result');
      return rowOf(member, change, result, isRepeated);
    });
    return summarize(rows, labelOf(group), isDryRun);
  }

  /** Sends items in batches until each is settled, has failed for good, or time is up. */
  async function apply(
    change: MemberChange,
    group: Group,
    items: readonly Item[],
    call: Call,
  ): Promise<Map<string, ItemResult>> {
    const results = new Map<string, ItemResult>();
    let open = items;
    for (let pass = 1; open.length > 0; pass += 1) {
      const again: Item[] = [];
      let waitMs = 0;
      for (let start = 0; start < open.length; start += memberBatchSize) {
        const slice = open.slice(start, start + memberBatchSize);
        if (call.deadline.remainingMs() < minWriteMs) {
          for (const item of slice) results.set(keyOf(item.recipient), outOfTime(item));
          continue;
        }
        const parts = await applySlice(change, group, slice, results.size > 0, call);
        slice.forEach((item, index) => {
          const judged = judgePart(change, item, parts[index]);
          if (judged.type !== 'again') results.set(keyOf(item.recipient), judged);
          else if (pass >= maxPasses) results.set(keyOf(item.recipient), gaveUp(judged.fault));
          else {
            item.wasTried ||= isFault(judged.fault, 'outcome_unknown');
            waitMs = Math.max(waitMs, (judged.fault.retryAfterSeconds ?? 0) * 1_000);
            again.push(item);
          }
        });
      }
      if (waitMs >= call.deadline.remainingMs()) {
        for (const item of again) results.set(keyOf(item.recipient), mustWait(item, waitMs));
        break;
      }
      if (waitMs > 0) await clock.sleep(waitMs, call.deadline.signal);
      open = await withoutProven(change, group, again, results, call);
    }
    return results;
  }

  /** One batch with its audit. A batch that fails whole is the failure of each of its parts. */
  async function applySlice(
    change: MemberChange,
    group: Group,
    slice: readonly Item[],
    hasWritten: boolean,
    call: Call,
  ): Promise<BatchPart[]> {
    const targetId = group.id ?? group.exchange?.exchangeId ?? labelOf(group);
    const operation = change === 'add' ? 'Add-DistributionGroupMember' : 'Remove-DistributionGroupMember';
    const planned = slice.map(({ recipient }) => ({ id: recipient.id, address: recipient.primarySmtpAddress }));
    const intent = {
      operation,
      targetType: 'group' as const,
      targetId,
      targetName: labelOf(group),
      before: null,
      planned: { [change]: planned },
    };
    try {
      return await audit.record(intent, call, async () => {
        const ids = slice.map(({ recipient }) => recipient.exchangeId);
        const identity = group.exchange?.exchangeId ?? targetId;
        const parts = await exchangeMembers.change(change, identity, ids, call);
        const after = parts.map((part, index) => ({ ...planned[index], came: part.ok ? 'done' : cameTo(part.fault) }));
        const first = parts[0];
        const upstreamRequestId =
          first?.ok === true ? first.output.requestId : (first?.fault.upstreamRequestId ?? null);
        return { result: parts, after, upstreamRequestId };
      });
    } catch (error) {
      // What concerns the whole request is thrown while nothing has been written; later it is told row by row.
      const isRowMatter = isFault(error, 'outcome_unknown') || (hasWritten && isFault(error));
      if (!isRowMatter) throw error;
      return slice.map(() => ({ ok: false, fault: error }));
    }
  }

  /** Reads back which of the items whose answer was lost have taken effect, and settles those (design §6.3). */
  async function withoutProven(
    change: MemberChange,
    group: Group,
    items: readonly Item[],
    results: Map<string, ItemResult>,
    call: Call,
  ): Promise<Item[]> {
    const tried = items.filter(({ wasTried }) => wasTried);
    if (tried.length === 0) return [...items];
    const actual = await membersAmong(tried, group, call.proving());
    return items.filter((item) => {
      const key = keyOf(item.recipient);
      const isAsAsked = item.wasTried && actual.has(key) === (change === 'add');
      if (isAsAsked) results.set(key, { type: 'settled', wasChanged: true });
      return !isAsAsked;
    });
  }

  /** The keys of those items that are members now, read from Graph until all are found or the list ends. */
  async function membersAmong(items: readonly Item[], group: Group, call: Call): Promise<Set<string>> {
    const wanted = new Map(
      items.flatMap(({ recipient }) => (recipient.id === null ? [] : [[recipient.id.toLowerCase(), keyOf(recipient)]])),
    );
    const found = new Set<string>();
    if (group.id === null || wanted.size === 0) return found;
    for await (const page of graphGroups.allMembers(group.id, call)) {
      for (const { id } of page) {
        const key = wanted.get(id.toLowerCase());
        if (key !== undefined) found.add(key);
      }
      if (found.size === wanted.size) break;
    }
    return found;
  }

  return {
    changeResolved,
    change: async (change, identity, members, isDryRun, call) => {
      const group = await groups.resolveForWrite(identity, call);
      requireExchangeKind(group);
      refuseUnmanageable(group, protection);
      if (group.exchange === null) throw groupNotReady(group);
      return changeResolved(change, group, members, isDryRun, call);
    },
  };
}

function keyOf(recipient: Recipient): string {
  return recipient.exchangeId.toLowerCase();
}

function judgePart(
  change: MemberChange,
  item: Item,
  part: BatchPart | undefined,
): ItemResult | { readonly type: 'again'; readonly fault: Fault } {
  if (part === undefined) throw new RangeError('a batch without a part for each command');
  if (part.ok) return { type: 'settled', wasChanged: true };
  const { fault } = part;
  if (isFault(fault, 'outcome_unknown', 'throttled')) return { type: 'again', fault };
  if (fault instanceof ExchangeFault) {
    const isAsAsked = fault.kind === (change === 'add' ? 'alreadyMember' : 'notAMember');
    // After a lost answer "already" means that our own first try did it.
    if (isAsAsked) return { type: 'settled', wasChanged: item.wasTried };
    if (fault.kind === 'notFound') {
      const { primarySmtpAddress } = item.recipient;
      return {
        type: 'notReady',
        code: 'no_mailbox',
        message: `Exchange does not find ${primarySmtpAddress} any more or yet.`,
      };
    }
  }
  return { type: 'failed', code: fault.code, message: fault.message };
}

function cameTo(fault: Fault): string {
  return fault instanceof ExchangeFault ? fault.kind : fault.code;
}

function outOfTime(item: Item): ItemResult {
  if (!item.wasTried) {
    return {
      type: 'notAttempted',
      code: 'not_attempted',
      message: 'Time was up before this member; repeat the request.',
    };
  }
  const message =
    'A write was sent and not answered, and time was up before it could be read back; repeat the request.';
  return { type: 'failed', code: 'outcome_unknown', message };
}

function mustWait(item: Item, waitMs: number): ItemResult {
  if (item.wasTried) return outOfTime(item);
  const message = `Exchange asks to wait ${Math.ceil(waitMs / 1_000)} s; repeat the request then.`;
  return { type: 'notAttempted', code: 'throttled', message };
}

function gaveUp(fault: Fault): ItemResult {
  return { type: 'failed', code: fault.code, message: fault.message };
}

function rowOf(member: string, change: MemberChange, result: ItemResult, isRepeated: boolean): MemberRow {
  switch (result.type) {
    case 'settled':
      return settledRow(member, change, result.wasChanged && !isRepeated);
    case 'failed':
      return { member, outcome: 'failed', code: result.code, message: result.message };
    case 'notReady':
      return { member, outcome: 'not_ready', code: result.code, message: result.message };
    case 'notAttempted':
      return { member, outcome: 'not_attempted', code: result.code, message: result.message };
  }
}

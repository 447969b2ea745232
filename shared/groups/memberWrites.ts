import type { Audit } from '../audit/audit.ts';
import type { Call } from '../call.ts';
import type { Clock } from '../clock.ts';
import type { Fault} from '../errors.ts';
import { type FaultCode, isFault } from '../errors.ts';
import type { BatchPart } from '../exchange/batch.ts';
import { ExchangeFault } from '../exchange/errors.ts';
import { type ExchangeMembers, type MemberChange, memberBatchSize } from '../exchange/members.ts';
import type { Recipient } from '../exchange/recipients.ts';
import type { GraphGroups } from '../graph/groups.ts';
import { type Group, labelOf } from './group.ts';

/** What became of one recipient. */
export type MemberResult =
  | { readonly type: 'settled'; readonly wasChanged: boolean }
  | {
      readonly type: 'failed' | 'not_attempted' | 'not_ready';
      readonly code: FaultCode;
      readonly message: string;
    };

export interface MemberWrites {
  /**
   * Ensures that each recipient is, or is not, a member; keyed by `keyOf`. Sends in batches until each is settled, has
   * failed for good, or time is up.
   * @throws Fault of an upstream that failed before anything was written
   */
  ensure(
    change: MemberChange,
    group: Group,
    recipients: readonly Recipient[],
    call: Call,
  ): Promise<Map<string, MemberResult>>;
  /** The keys of those recipients that are members now, as Graph shows it. */
  membersAmong(recipients: readonly Recipient[], group: Group, call: Call): Promise<Set<string>>;
}

export interface MemberWritesDependencies {
  readonly exchangeMembers: ExchangeMembers;
  readonly graphGroups: GraphGroups;
  readonly audit: Audit;
  readonly clock: Clock;
}

/** A recipient on its way. */
interface Item {
  readonly recipient: Recipient;
  /** Exchange may have carried out an earlier try whose answer was lost. */
  readonly wasTried: boolean;
}

/** A part that may be sent again: it was throttled, or its answer was lost. */
interface Again {
  readonly type: 'again';
  readonly fault: Fault;
}

/** How often an item may be sent. */
const maxPasses = 3;
/** A write that could not be answered before the deadline is not begun. */
const minWriteMs = 1_500;

const cmdlets = { add: 'Add-DistributionGroupMember', remove: 'Remove-DistributionGroupMember' } as const;

export function keyOf(recipient: Recipient): string {
  return recipient.exchangeId.toLowerCase();
}

export function createMemberWrites(dependencies: MemberWritesDependencies): MemberWrites {
  const { exchangeMembers, graphGroups, audit, clock } = dependencies;

  async function ensure(
    change: MemberChange,
    group: Group,
    recipients: readonly Recipient[],
    call: Call,
  ): Promise<Map<string, MemberResult>> {
    const results = new Map<string, MemberResult>();
    let open: readonly Item[] = recipients.map((recipient) => ({ recipient, wasTried: false }));
    for (let pass = 1; open.length > 0; pass += 1) {
      const { again, waitMs } = await sendAll(change, group, open, pass === maxPasses, results, call);
      if (waitMs >= call.deadline.remainingMs()) {
        for (const item of again) results.set(keyOf(item.recipient), mustWait(item, waitMs));
        break;
      }
      if (waitMs > 0) await clock.sleep(waitMs, call.deadline.signal);
      open = await settleProven(change, group, again, results, call);
    }
    return results;
  }

  /** One pass over all items, batch by batch. Returns those to be sent again, and the longest wait asked for. */
  async function sendAll(
    change: MemberChange,
    group: Group,
    items: readonly Item[],
    isLastPass: boolean,
    results: Map<string, MemberResult>,
    call: Call,
  ): Promise<{ again: Item[]; waitMs: number }> {
    const again: Item[] = [];
    let waitMs = 0;
    for (let start = 0; start < items.length; start += memberBatchSize) {
      const slice = items.slice(start, start + memberBatchSize);
      if (call.deadline.remainingMs() < minWriteMs) {
        for (const item of slice) results.set(keyOf(item.recipient), outOfTime(item));
        continue;
      }
      const parts = await sendSlice(change, group, slice, results.size > 0, call);
      for (const [index, item] of slice.entries()) {
        const judged = judgePart(change, item, parts[index]);
        if (judged.type !== 'again') {
          results.set(keyOf(item.recipient), judged);
        } else if (isLastPass) {
          results.set(keyOf(item.recipient), gaveUp(judged.fault));
        } else {
          again.push({ ...item, wasTried: item.wasTried || isFault(judged.fault, 'outcome_unknown') });
          waitMs = Math.max(waitMs, (judged.fault.retryAfterSeconds ?? 0) * 1_000);
        }
      }
    }
    return { again, waitMs };
  }

  /** One batch with its audit. What fails whole while nothing has been written is thrown; later it is told row by row. */
  async function sendSlice(
    change: MemberChange,
    group: Group,
    slice: readonly Item[],
    hasWritten: boolean,
    call: Call,
  ): Promise<BatchPart[]> {
    const groupId = group.exchange?.exchangeId ?? group.id ?? '';
    const members = slice.map(({ recipient }) => ({ id: recipient.id, address: recipient.primarySmtpAddress }));
    const intent = {
      operation: cmdlets[change],
      targetType: 'group' as const,
      targetId: group.id ?? groupId,
      targetName: labelOf(group),
      // Membership is not read before a write; Exchange's answer tells for each member what it was (see `after`).
      before: null,
      planned: { [change]: members },
    };
    try {
      return await audit.record(intent, call, async () => {
        const recipientIds = slice.map(({ recipient }) => recipient.exchangeId);
        const parts = await exchangeMembers.change(change, groupId, recipientIds, call);
        const after = slice.map((item, index) => ({
          ...members[index],
          ...beforeAndAfter(change, item, parts[index]),
        }));
        return { result: parts, after, upstreamRequestId: requestIdOf(parts) };
      });
    } catch (error) {
      if (isFault(error) && (hasWritten || error.code === 'outcome_unknown')) {
        return slice.map(() => ({ ok: false, fault: error }));
      }
      throw error;
    }
  }

  /** Reads back which of the items whose answer was lost have taken effect, and settles those (design §6.3). */
  async function settleProven(
    change: MemberChange,
    group: Group,
    items: readonly Item[],
    results: Map<string, MemberResult>,
    call: Call,
  ): Promise<readonly Item[]> {
    const tried = items.filter(({ wasTried }) => wasTried);
    if (tried.length === 0) return items;
    const recipients = tried.map(({ recipient }) => recipient);
    const actual = await membersAmong(recipients, group, call.proving());
    const isProven = ({ recipient, wasTried }: Item) => wasTried && actual.has(keyOf(recipient)) === (change === 'add');
    for (const { recipient } of items.filter(isProven)) {
      results.set(keyOf(recipient), { type: 'settled', wasChanged: true });
    }
    return items.filter((item) => !isProven(item));
  }

  async function membersAmong(recipients: readonly Recipient[], group: Group, call: Call): Promise<Set<string>> {
    const wanted = new Map(
      recipients.flatMap((recipient) =>
        recipient.id === null ? [] : [[recipient.id.toLowerCase(), keyOf(recipient)]],
      ),
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

  return { ensure, membersAmong };
}

function judgePart(change: MemberChange, item: Item, part: BatchPart | undefined): MemberResult | Again {
  if (part === undefined) throw new RangeError('a batch without a part for each command');
  if (part.ok) return { type: 'settled', wasChanged: true };
  const { fault } = part;
  if (isFault(fault, 'outcome_unknown', 'throttled')) return { type: 'again', fault };
  // After a lost answer "already" means that our own first try did it.
  if (isAsAsked(change, fault)) return { type: 'settled', wasChanged: item.wasTried };
  if (fault instanceof ExchangeFault && fault.kind === 'notFound') {
    const message = `Exchange does not find ${item.recipient.primarySmtpAddress} yet, or any more.`;
    return { type: 'not_ready', code: 'no_mailbox', message };
  }
  return gaveUp(fault);
}

function isAsAsked(change: MemberChange, fault: Fault): boolean {
  return fault instanceof ExchangeFault && fault.kind === (change === 'add' ? 'alreadyMember' : 'notAMember');
}

/** For the audit: what Exchange's answer says the member was and is. */
function beforeAndAfter(
  change: MemberChange,
  item: Item,
  part: BatchPart | undefined,
): { before: string; after: string } {
  const [without, within] = ['not a member', 'member'];
  const [start, end] = change === 'add' ? [without, within] : [within, without];
  if (part?.ok === true) return { before: start, after: end };
  if (part !== undefined && isAsAsked(change, part.fault)) return { before: item.wasTried ? start : end, after: end };
  return { before: 'unknown', after: part?.fault.code ?? 'unknown' };
}

function requestIdOf(parts: readonly BatchPart[]): string | null {
  const [first] = parts;
  return first?.ok === true ? first.output.requestId : (first?.fault.upstreamRequestId ?? null);
}

function outOfTime(item: Item): MemberResult {
  if (item.wasTried) {
    const message = 'A write was sent and not answered, and time was up before it was settled; repeat the request.';
    return { type: 'failed', code: 'outcome_unknown', message };
  }
  const message = 'Time was up before this member; repeat the request.';
  return { type: 'not_attempted', code: 'not_attempted', message };
}

function mustWait(item: Item, waitMs: number): MemberResult {
  if (item.wasTried) return outOfTime(item);
  const message = `Exchange asks to wait ${Math.ceil(waitMs / 1_000)} s; repeat the request then.`;
  return { type: 'not_attempted', code: 'throttled', message };
}

function gaveUp(fault: Fault): MemberResult {
  return { type: 'failed', code: fault.code, message: fault.message };
}

import type { Audit, AuditState } from '../audit/audit.ts';
import type { Call } from '../call.ts';
import type { Clock } from '../clock.ts';
import { Fault, type FaultCode, isFault } from '../errors.ts';
import type { BatchPart } from '../exchange/batch.ts';
import { ExchangeFault } from '../exchange/errors.ts';
import { type ExchangeMembers, type MemberChange, memberBatchSize, memberCmdlets } from '../exchange/members.ts';
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
   * Ensures that each recipient is, or is not, a member; one result each, keyed by `keyOf`. Sends in batches until each
   * is settled, has failed for good, or time is up.
   *
   * An item whose answer was lost is sent once more: these cmdlets change nothing twice, and their own "already" or "not
   * a member" is the only proof that does not lag. What Graph shows may be older than the write
   * (docs/decisions/a-lost-answer-is-read-back.md).
   * @throws Fault only when nothing was sent
   */
  ensure(
    change: MemberChange,
    group: Group,
    recipients: readonly Recipient[],
    call: Call,
  ): Promise<Map<string, MemberResult>>;
  /** The keys of those recipients that Graph shows as members now. */
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
  /** Why it has to be sent again; null while it has not been sent. */
  readonly fault: Fault | null;
}

/** How often an item may be sent. */
const maxPasses = 3;
/** A write that could not be answered before the deadline is not begun. */
const minWriteMs = 1_500;

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
    let open: readonly Item[] = recipients.map((recipient) => ({ recipient, wasTried: false, fault: null }));
    for (let pass = 1; pass <= maxPasses && open.length > 0; pass += 1) {
      open = await sendAll(change, group, open, pass > 1, results, call);
      const waitMs = Math.max(0, ...open.map(({ fault }) => (fault?.retryAfterSeconds ?? 0) * 1_000));
      if (waitMs + minWriteMs > call.deadline.remainingMs()) break;
      await clock.sleep(waitMs, call.deadline.signal);
    }
    for (const item of open) results.set(keyOf(item.recipient), verdict(item));
    return results;
  }

  /** One pass over all items, batch by batch. Returns those that may be sent again. */
  async function sendAll(
    change: MemberChange,
    group: Group,
    items: readonly Item[],
    hasSentBefore: boolean,
    results: Map<string, MemberResult>,
    call: Call,
  ): Promise<Item[]> {
    const again: Item[] = [];
    for (let start = 0; start < items.length; start += memberBatchSize) {
      const slice = items.slice(start, start + memberBatchSize);
      const rest = items.slice(start + memberBatchSize);
      if (call.deadline.remainingMs() < minWriteMs) return [...again, ...slice, ...rest];

      const sent = await sendSlice(change, group, slice, hasSentBefore || start > 0, call);
      for (const [index, item] of slice.entries()) {
        const judged = judgePart(change, item, sent.parts[index]);
        if (judged instanceof Fault) again.push({ ...item, wasTried: item.wasTried || isOpen(judged), fault: judged });
        else results.set(keyOf(item.recipient), judged);
      }
      // What holds for the whole call holds for the next one too: go on later, or not at all.
      if (sent.fault === null || isOpen(sent.fault)) continue;
      if (isFault(sent.fault, 'throttled')) return [...again, ...rest.map((item) => ({ ...item, fault: sent.fault }))];
      for (const { recipient, wasTried } of rest) {
        if (!wasTried) results.set(keyOf(recipient), { ...gaveUp(sent.fault), type: 'not_attempted' });
      }
      return [...again, ...rest.filter(({ wasTried }) => wasTried)];
    }
    return again;
  }

  /** One batch with its audit. What fails whole before anything was sent is thrown; later it is told row by row. */
  async function sendSlice(
    change: MemberChange,
    group: Group,
    slice: readonly Item[],
    hasSent: boolean,
    call: Call,
  ): Promise<{ parts: readonly BatchPart[]; fault: Fault | null }> {
    const groupId = group.exchange?.exchangeId ?? group.id ?? '';
    const members = slice.map(({ recipient }) => ({ id: recipient.id, address: recipient.primarySmtpAddress }));
    const intent = {
      operation: memberCmdlets[change],
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
        for (const part of parts) if (part.ok) part.output.warnings.forEach((warning) => call.warn(warning));
        const after = slice.map((item, index) => ({
          ...members[index],
          ...beforeAndAfter(change, item, parts[index]),
        }));
        const isThrottled = parts.every((part) => !part.ok && isFault(part.fault, 'throttled'));
        const fault = isThrottled && parts[0]?.ok === false ? parts[0].fault : null;
        const state = stateOf(change, parts);
        return { result: { parts, fault }, state, after, upstreamRequestId: requestIdOf(parts) };
      });
    } catch (error) {
      if (!isFault(error) || (!hasSent && !isOpen(error))) throw error;
      return { parts: slice.map(() => ({ ok: false, fault: error })), fault: error };
    }
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

/** What a part of a batch came to; a Fault when it may be sent again. */
function judgePart(change: MemberChange, item: Item, part: BatchPart | undefined): MemberResult | Fault {
  if (part === undefined) throw new RangeError('a batch without a part for each command');
  if (part.ok) return { type: 'settled', wasChanged: true };
  const { fault } = part;
  if (isOpen(fault) || isFault(fault, 'throttled')) return fault;
  // After a lost answer "already" means that our own first try did it.
  if (isAsAsked(change, fault)) return { type: 'settled', wasChanged: item.wasTried };
  if (item.wasTried) return outcomeUnknown();
  if (fault instanceof ExchangeFault && fault.kind === 'notFound') {
    // Both were found a moment ago: another of Exchange's servers has answered, or one of the two is gone.
    const message = `Exchange does not find the group or ${item.recipient.primarySmtpAddress} yet, or any more: ${fault.message}`;
    return { type: 'not_ready', code: 'not_replicated', message };
  }
  return gaveUp(fault);
}

/** The write may have been carried out. */
function isOpen(fault: Fault): boolean {
  return fault.code === 'outcome_unknown';
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

/** For the audit: a batch is many writes with one answer. */
function stateOf(change: MemberChange, parts: readonly BatchPart[]): Exclude<AuditState, 'intent'> {
  const done = parts.filter((part) => part.ok || isAsAsked(change, part.fault));
  if (done.length === parts.length) return 'succeeded';
  if (done.length > 0) return 'partial';
  return parts.some((part) => !part.ok && isOpen(part.fault)) ? 'unknown' : 'failed';
}

function requestIdOf(parts: readonly BatchPart[]): string | null {
  const [first] = parts;
  return first?.ok === true ? first.output.requestId : (first?.fault.upstreamRequestId ?? null);
}

/** What is said of an item that is still open when no more is tried. */
function verdict(item: Item): MemberResult {
  if (item.wasTried) return outcomeUnknown();
  if (item.fault === null) {
    const message = 'Time was up before this member; send it again.';
    return { type: 'not_attempted', code: 'not_attempted', message };
  }
  return { ...gaveUp(item.fault), type: 'not_attempted' };
}

function outcomeUnknown(): MemberResult {
  const message = 'A write was sent and its answer lost, and it could not be proven since; send it again.';
  return { type: 'failed', code: 'outcome_unknown', message };
}

function gaveUp(fault: Fault): MemberResult & { readonly type: 'failed' } {
  return { type: 'failed', code: fault.code, message: fault.message };
}

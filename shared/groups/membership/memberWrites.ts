import type { Audit, AuditState } from '../../audit/audit.ts';
import type { Call } from '../../call.ts';
import type { Clock } from '../../clock.ts';
import { type Fault, type FaultCode, isFault } from '../../errors.ts';
import type { MemberChange } from '../../exchange/members.ts';
import { type Group, labelOf } from '../group.ts';
import type { MemberTarget } from './memberTarget.ts';
import type { MemberAnswer, MemberWriter, MemberWriters } from './memberWriters.ts';

/** What became of one member. */
export type MemberResult =
  | { readonly type: 'settled'; readonly wasChanged: boolean }
  | {
      readonly type: 'failed' | 'not_attempted' | 'not_ready';
      readonly code: FaultCode;
      readonly message: string;
      /** How long the directory asks to wait; null where it does not. */
      readonly retryAfterSeconds: number | null;
    };

export interface MemberWrites {
  /**
   * Ensures that each target is, or is not, a member; one result each, keyed by `key`. Sends in batches until each is
   * settled, has failed for good, or time is up.
   *
   * An item whose answer was lost is sent once more: these writes change nothing twice, and the directory's own
   * "already" or "not a member" is the only proof that does not lag. What Graph shows may be older than the write
   * (docs/decisions/a-lost-answer-is-read-back.md).
   * @param mayBeDone whether an earlier try of ours may have done it, so that "already" counts as our change
   * @throws Fault only when nothing was sent
   */
  ensure(
    change: MemberChange,
    group: Group,
    targets: readonly MemberTarget[],
    call: Call,
    mayBeDone?: boolean,
  ): Promise<Map<string, MemberResult>>;
}

export interface MemberWritesDependencies {
  readonly memberWriters: MemberWriters;
  readonly audit: Audit;
  readonly clock: Clock;
}

/** A target on its way. */
interface Item {
  readonly target: MemberTarget;
  /** A run of ours before this one may have done it. */
  readonly mayBeDone: boolean;
  /** A try of this run may have been carried out: its answer was lost. */
  readonly wasLost: boolean;
  /** Why it has to be sent again; null while it has not been sent. */
  readonly fault: Fault | null;
}

/** One change of one group on its way. */
interface Job {
  readonly change: MemberChange;
  readonly group: Group;
  readonly writer: MemberWriter;
  readonly call: Call;
}

/** What came of one batch. */
interface Sent {
  readonly answers: readonly MemberAnswer[];
  /** What held for the whole of it; null where each member has an answer of its own. */
  readonly fault: Fault | null;
}

/** How often an item may be sent. */
const maxPasses = 3;
/** A write that could not be answered before the deadline is not begun. */
const minWriteMs = 1_500;

export function createMemberWrites(dependencies: MemberWritesDependencies): MemberWrites {
  const { memberWriters, audit, clock } = dependencies;

  /** One pass over all items, batch by batch. Returns those that may be sent again. */
  async function sendAll(
    job: Job,
    items: readonly Item[],
    hasSentBefore: boolean,
    results: Map<string, MemberResult>,
  ): Promise<Item[]> {
    const again: Item[] = [];
    const { batchSize } = job.writer;
    for (let start = 0; start < items.length; start += batchSize) {
      const slice = items.slice(start, start + batchSize);
      const rest = items.slice(start + batchSize);
      if (job.call.deadline.remainingMs() < minWriteMs) return [...again, ...slice, ...rest];

      const sent = await sendSlice(job, slice, hasSentBefore || start > 0);
      for (const [index, item] of slice.entries()) {
        const answer = answerAt(sent.answers, index);
        if (answer.type === 'open' || answer.type === 'throttled') {
          const wasLost = item.wasLost || answer.type === 'open';
          again.push({ ...item, wasLost, fault: answer.fault });
        } else results.set(item.target.key, resultOf(item, answer));
      }
      // What holds for the whole call holds for the next one too: go on later, or not at all.
      const { fault } = sent;
      if (fault === null || isFault(fault, 'outcome_unknown')) continue;
      if (isFault(fault, 'throttled')) return [...again, ...rest.map((item) => ({ ...item, fault }))];
      for (const { target, wasLost } of rest) {
        if (!wasLost) results.set(target.key, { ...gaveUp(fault), type: 'not_attempted' });
      }
      return [...again, ...rest.filter(({ wasLost }) => wasLost)];
    }
    return again;
  }

  /** One batch with its audit. What fails whole before anything was sent is thrown; later it is told row by row. */
  async function sendSlice(job: Job, slice: readonly Item[], hasSent: boolean): Promise<Sent> {
    const { change, group, writer, call } = job;
    const targets = slice.map(({ target }) => target);
    const intent = {
      operation: writer.operations[change],
      targetType: 'group' as const,
      targetId: group.id ?? group.exchange?.exchangeId ?? '',
      targetName: labelOf(group),
      // Membership is not read before a write; the answer tells for each member what it was (see `after`).
      before: null,
      planned: { [change]: targets.map(idAndAddress) },
    };
    try {
      return await audit.record(intent, call, async () => {
        const answers = await writer.send(change, group, targets, call);
        for (const answer of answers) if (answer.type === 'done') answer.warnings.forEach((text) => call.warn(text));
        const after = slice.map((item, index) => ({
          ...idAndAddress(item.target),
          ...beforeAndAfter(change, item, answerAt(answers, index)),
        }));
        const [first] = answers;
        const isThrottled = answers.every(({ type }) => type === 'throttled');
        const fault = isThrottled && first?.type === 'throttled' ? first.fault : null;
        return { result: { answers, fault }, state: stateOf(answers), after, upstreamRequestId: requestIdOf(answers) };
      });
    } catch (error) {
      const isOpen = isFault(error, 'outcome_unknown');
      if (!isFault(error) || (!hasSent && !isOpen)) throw error;
      const other = isFault(error, 'throttled') ? ('throttled' as const) : ('refused' as const);
      const type = isOpen ? ('open' as const) : other;
      return { answers: slice.map(() => ({ type, fault: error })), fault: error };
    }
  }

  return {
    ensure: async (change, group, targets, call, mayBeDone = false) => {
      const job: Job = { change, group, writer: memberWriters.of(group), call };
      const results = new Map<string, MemberResult>();
      let open: readonly Item[] = targets.map((target) => ({ target, mayBeDone, wasLost: false, fault: null }));
      for (let pass = 1; pass <= maxPasses && open.length > 0; pass += 1) {
        open = await sendAll(job, open, pass > 1, results);
        const waitMs = Math.max(0, ...open.map(({ fault }) => (fault?.retryAfterSeconds ?? 0) * 1_000));
        if (waitMs + minWriteMs > call.deadline.remainingMs()) break;
        await clock.sleep(waitMs, call.deadline.signal);
      }
      for (const item of open) results.set(item.target.key, verdict(item));
      return results;
    },
  };
}

/** What an answer that needs no further try comes to. */
function resultOf(item: Item, answer: Exclude<MemberAnswer, { readonly type: 'open' | 'throttled' }>): MemberResult {
  if (answer.type === 'done') return { type: 'settled', wasChanged: true };
  if (answer.type === 'asAsked') return { type: 'settled', wasChanged: isOurs(item) };
  if (item.wasLost) return outcomeUnknown();
  if (answer.type === 'refused') return gaveUp(answer.fault);
  // Both were found a moment ago: another of the directory's servers has answered, or one of the two is gone.
  const message = `The group or ${item.target.label} is not found yet, or any more: ${answer.fault.message}`;
  return { type: 'not_ready', code: 'not_replicated', message, retryAfterSeconds: null };
}

/** After a lost answer "already" means that our own first try did it. */
function isOurs({ mayBeDone, wasLost }: Item): boolean {
  return mayBeDone || wasLost;
}

/** For the audit: what the directory's answer says the member was and is. */
function beforeAndAfter(change: MemberChange, item: Item, answer: MemberAnswer): { before: string; after: string } {
  const [without, within] = ['not a member', 'member'];
  const [start, end] = change === 'add' ? [without, within] : [within, without];
  if (answer.type === 'done') return { before: start, after: end };
  if (answer.type === 'asAsked') return { before: isOurs(item) ? start : end, after: end };
  return { before: 'unknown', after: answer.fault.code };
}

/** For the audit: a batch is many writes with one answer. */
function stateOf(answers: readonly MemberAnswer[]): Exclude<AuditState, 'intent'> {
  const done = answers.filter(({ type }) => type === 'done' || type === 'asAsked');
  if (done.length === answers.length) return 'succeeded';
  if (done.length > 0) return 'partial';
  return answers.some(({ type }) => type === 'open') ? 'unknown' : 'failed';
}

function requestIdOf([first]: readonly MemberAnswer[]): string | null {
  if (first === undefined) return null;
  return first.type === 'done' ? first.requestId : first.fault.upstreamRequestId;
}

function answerAt(answers: readonly MemberAnswer[], index: number): MemberAnswer {
  const answer = answers[index];
  if (answer === undefined) throw new RangeError('a batch without an answer for each member');
  return answer;
}

function idAndAddress({ id, label }: MemberTarget): { id: string | null; address: string } {
  return { id, address: label };
}

/** What is said of an item that is still open when no more is tried. */
function verdict(item: Item): MemberResult {
  if (item.wasLost) return outcomeUnknown();
  if (item.fault === null) {
    const message = 'Time was up before this member; send it again.';
    return { type: 'not_attempted', code: 'not_attempted', message, retryAfterSeconds: null };
  }
  return { ...gaveUp(item.fault), type: 'not_attempted' };
}

function outcomeUnknown(): MemberResult {
  const message = 'A write was sent and its answer lost, and it could not be proven since; send it again.';
  return { type: 'failed', code: 'outcome_unknown', message, retryAfterSeconds: null };
}

function gaveUp(fault: Fault): MemberResult & { readonly type: 'failed' } {
  const { code, message, retryAfterSeconds } = fault;
  return { type: 'failed', code, message, retryAfterSeconds };
}

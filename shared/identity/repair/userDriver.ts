import type { Audit, Intent } from '../../audit/audit.ts';
import type { Clock } from '../../clock.ts';
import { isFault } from '../../errors.ts';
import type { GraphIdentityReads, IdentityUser } from '../../graph/identityReads.ts';
import type { GraphUserWrites, IdentityChange } from '../../graph/userWrites.ts';
import {
  afterFailedRead,
  afterWrite,
  attentionFor,
  beforeWrite,
  endRepair,
  nextStep,
  type RepairWrite,
} from '../repairMachine.ts';
import { recordAnyway } from '../oktaAssignment/recordAnyway.ts';
import { addressChangesOf } from '../repairPlan.ts';
import type { RepairRecord, WriteAnswer } from '../repairRecord.ts';
import type { RepairStepRow } from './repair.ts';
import { type RepairSession, sentCode, withStep } from './repairSession.ts';
import type { RepairChange } from './repairStore.ts';
import { farthest } from './repairTexts.ts';
import { answerOf, waitMsOf } from './writeAnswer.ts';

/** What came of driving Entra's side; `change` is not stored yet. */
export type Driven =
  | { readonly type: 'ended'; readonly change: RepairChange }
  | { readonly type: 'waiting'; readonly change: RepairChange; readonly untilMs: number };

/**
 * Entra's side of a repair: reads the user by object id, asks the machine for the next step, stores the record, writes,
 * and reads again, until it ends or must wait for longer than some seconds (shared/identity/repairMachine.ts).
 */
export interface UserDriver {
  drive(session: RepairSession): Promise<Driven>;
}

/** Waits that are longer are no reason to keep others from the user. */
const longestWaitMs = 20_000;
/** No write is begun with less: its answer must not be lost to our own haste. */
const writeMs = 4_000;
/** A lagging replica may not know the user yet: that it is gone must be said this often. */
const looksForGone = 3;
const goneMs = 1_500;

export function createUserDriver(dependencies: {
  identityReads: GraphIdentityReads;
  graphUserWrites: GraphUserWrites;
  audit: Audit;
  clock: Clock;
}): UserDriver {
  const { identityReads, graphUserWrites, audit, clock } = dependencies;

  async function look({ repair, call }: RepairSession): Promise<IdentityUser | null> {
    for (let looks = 1; ; looks += 1) {
      const user = await identityReads.userById(repair.userId, call);
      if (user !== null || looks >= looksForGone) return user;
      await clock.sleep(goneMs, call.deadline.signal);
    }
  }

  /** Without an intent nothing is written (design §6.8), unless the user is away: then it is brought to an end all the same. */
  async function send({ repair, call }: RepairSession, write: RepairWrite): Promise<WriteAnswer> {
    const { userId, record, seen } = repair;
    const planned = changeOf(write);
    const intent: Intent = {
      operation: 'PATCH /users/{id}',
      targetType: 'user',
      targetId: userId,
      targetName: record.before.userPrincipalName,
      before: seen,
      planned,
    };
    const patch = async () => {
      const { requestId } = await graphUserWrites.changeIdentity(userId, planned, call);
      return { result: null, after: planned, upstreamRequestId: requestId };
    };
    try {
      const isHomeward = write.step === 'restoreUpn' || !write.isHome;
      await (isHomeward ? recordAnyway(audit, intent, call, patch) : audit.record(intent, call, patch));
      return { type: 'accepted' };
    } catch (error) {
      return answerOf(error);
    }
  }

  /** How one look ended: something to write or to wait for, or the end. */
  async function pass(session: RepairSession, record: RepairRecord): Promise<Passed> {
    try {
      const user = await look(session);
      const nowMs = clock.now();
      const next = nextStep(record, user, nowMs);
      const seen = user === null ? null : { userPrincipalName: user.userPrincipalName, immutableId: user.immutableId };
      const attention = attentionFor(record, user, nowMs);
      if (next.type !== 'end') return { next, change: { record, seen, attention } };
      const { before, temporaryUpn } = record;
      const addresses = user === null ? null : addressChangesOf(before, user, temporaryUpn);
      return { next, change: { record: endRepair(record, next.outcome), seen, attention, addresses } };
    } catch (error) {
      if (!isFault(error) || session.call.deadline.signal.aborted) throw error;
      const nowMs = clock.now();
      const failed = afterFailedRead(record, nowMs, waitMsOf(error));
      // Nobody knows where the user is: away, at worst.
      const isAway = record.awaySinceMs !== null;
      const attention = isAway ? attentionFor(failed, farthest(record), nowMs) : attentionForUnread(failed);
      return { next: { type: 'wait', untilMs: failed.notBeforeMs }, change: { record: failed, attention } };
    }
  }

  async function drive(session: RepairSession): Promise<Driven> {
    const { call } = session;
    let { record, steps } = session.repair;
    for (;;) {
      const { next, change } = await passInTime(session, record, pass, clock.now());
      record = change.record;
      if (next.type === 'end') return { type: 'ended', change: { ...change, steps } };
      const hasTime = call.deadline.remainingMs() >= writeMs;
      if (next.type === 'wait') {
        const waitMs = next.untilMs - clock.now();
        const isShort = waitMs <= longestWaitMs && waitMs + writeMs <= call.deadline.remainingMs();
        // A person is told at once, and not after some more tries.
        const isCalling = (change.attention ?? null) !== null;
        if (!isShort || isCalling) return { type: 'waiting', change: { ...change, steps }, untilMs: next.untilMs };
        await clock.sleep(Math.max(0, waitMs), call.deadline.signal);
        continue;
      }
      if (!hasTime) return { type: 'waiting', change: { ...change, steps }, untilMs: clock.now() };
      record = beforeWrite(record, next, clock.now());
      steps = withStep(steps, sentRow(next));
      // Open again, where a repair that had ended finds the user away.
      await session.save({ ...change, phase: 'user', record, steps });
      const answer = await send(session, next);
      record = afterWrite(record, next, answer, clock.now());
      steps = withStep(steps, rowOf(next, answer));
    }
  }

  return { drive };
}

interface Passed {
  readonly next: ReturnType<typeof nextStep>;
  readonly change: RepairChange & { readonly record: RepairRecord };
}

/** A look that was cut off by the end of the call says nothing; whoever comes next begins with it. */
async function passInTime(
  session: RepairSession,
  record: RepairRecord,
  pass: (session: RepairSession, record: RepairRecord) => Promise<Passed>,
  nowMs: number,
): Promise<Passed> {
  try {
    return await pass(session, record);
  } catch (error) {
    if (!isFault(error) || !session.call.deadline.signal.aborted) throw error;
    return { next: { type: 'wait', untilMs: nowMs }, change: { record } };
  }
}

/** Of who was never away: it ends as soon as Graph answers, and not before. A later look is repeated anyway. */
function attentionForUnread({ ended, turnedBack }: RepairRecord): string | null {
  return ended === null && turnedBack?.reason === 'unreachable' ? turnedBack.message : null;
}

function changeOf({ step, value }: RepairWrite): IdentityChange {
  return step === 'setImmutableId' ? { onPremisesImmutableId: value } : { userPrincipalName: value };
}

function targetOf({ step, value }: RepairWrite): string {
  return step === 'setImmutableId' ? `immutable ID ${value ?? 'none'}` : `user principal name ${value}`;
}

/** As it stands until the answer is known. */
function sentRow(write: RepairWrite): RepairStepRow {
  return {
    step: write.step,
    outcome: 'unknown',
    code: sentCode,
    message: `Sent: ${targetOf(write)}; what came of it is read back.`,
  };
}

function rowOf(write: RepairWrite, answer: WriteAnswer): RepairStepRow {
  const { step } = write;
  switch (answer.type) {
    case 'accepted':
      return { step, outcome: 'done', code: 'done', message: `Written: ${targetOf(write)}.` };
    case 'lost':
      return { step, outcome: 'unknown', code: sentCode, message: answer.message };
    case 'throttled':
      return { step, outcome: 'not_sent', code: 'not_attempted', message: 'Not carried out; it is tried again.' };
    case 'refused':
      return { step, outcome: 'refused', code: answer.why, message: answer.message };
  }
}

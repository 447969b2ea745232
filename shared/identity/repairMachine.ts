import type {
  LastWrite,
  Refusal,
  RepairOutcome,
  RepairRecord,
  RepairStep,
  TurnedBackReason,
  UserImage,
  WriteAnswer,
} from './repairRecord.ts';

/**
 * A repair as a level-triggered machine: read the user, ask `nextStep`, store what `beforeWrite` gives, write, feed the
 * answer to `afterWrite`, read again. Everything here is pure, so a repair can be stopped after any of these and taken up
 * by somebody else with what was stored last; the same step twice does no harm, since each writes a whole value.
 */

/** What the user's state is compared with: read by object id. */
export type SeenUser = Pick<UserImage, 'userPrincipalName' | 'immutableId'>;

export type Next =
  | RepairWrite
  | { readonly type: 'wait'; readonly untilMs: number }
  | { readonly type: 'end'; readonly outcome: RepairOutcome };

export type RepairWrite = { readonly type: 'write'; readonly isHome: boolean } & (
  | { readonly step: 'setImmutableId'; readonly value: string | null }
  | { readonly step: 'moveUpn' | 'restoreUpn'; readonly value: string }
);

/** How long a read may go on to show what was before an accepted write (graph.md §2.3: bounded). */
const replicationMs = 60_000;
/** How long a write whose answer was lost is given to show. */
const lostMs = 5_000;
/** How often it is looked at meanwhile: the longer it takes, the more seldom. */
const pollsMs = { least: 500, most: 5_000 };
/** How long `other` refusals are taken for lag: of the immutable ID on the temporary name, and at home. */
const patienceAwayMs = 5 * 60_000;
const patienceHomeMs = 20_000;
/** How long it is tried to begin. */
const giveUpMs = 60 * 60_000;
/** From then on a person should know. */
const attentionMs = 5 * 60_000;
const delaysMs = [1_000, 2_000, 4_000, 8_000, 15_000, 30_000, 60_000, 120_000, 300_000];

export function startRepair(
  goal: Pick<RepairRecord, 'userId' | 'desired' | 'before' | 'isFederated' | 'temporaryUpn'>,
  nowMs: number,
): RepairRecord {
  return {
    ...goal,
    startedAtMs: nowMs,
    isDirectRefused: false,
    awaySinceMs: null,
    hasLostMove: false,
    hasMoved: false,
    hasChanged: false,
    turnedBack: null,
    last: null,
    tries: 0,
    refusedSinceMs: null,
    notBeforeMs: nowMs,
    ended: null,
  };
}

/** @param seen null: there is no such user any more */
export function nextStep(record: RepairRecord, seen: SeenUser | null, nowMs: number): Next {
  if (seen === null) return { type: 'end', outcome: 'gone' };
  const untilMs = waitUntilMs(record, seen, nowMs);
  if (untilMs > nowMs) return { type: 'wait', untilMs };

  const place = placeOf(record, seen);
  const isDesired = seen.immutableId === record.desired;
  const isHomeward = isDesired || record.turnedBack !== null || record.ended !== null;

  if (place === 'elsewhere') return { type: 'end', outcome: isDesired ? settled(record) : 'overtaken' };
  if (place === 'temporary') return isHomeward ? restore(record, false) : set(record, false);
  // A move on its way may still arrive, or arrive late in what is read: going home once more settles it.
  if (isHomeward && record.awaySinceMs !== null) return restore(record, true);
  if (isHomeward) return { type: 'end', outcome: isDesired ? settled(record) : unsettled(record) };
  const { isDirectRefused, temporaryUpn } = record;
  if (!isDirectRefused || temporaryUpn === null) return set(record, true);
  return { type: 'write', step: 'moveUpn', value: temporaryUpn, isHome: true };
}

/** To be stored before the write is sent. */
export function beforeWrite(record: RepairRecord, { step, isHome }: RepairWrite, nowMs: number): RepairRecord {
  const isMove = step === 'moveUpn';
  const isRepeated = record.last?.step === step;
  return {
    ...record,
    last: { step, answer: 'sent', atMs: nowMs, why: null, message: '' },
    tries: isRepeated ? record.tries : 0,
    refusedSinceMs: isRepeated ? record.refusedSinceMs : null,
    awaySinceMs: isMove || !isHome ? (record.awaySinceMs ?? nowMs) : record.awaySinceMs,
    hasLostMove: record.hasLostMove || mayStillMove(record, step),
    hasChanged: record.hasChanged || record.last?.answer === 'sent',
    hasMoved: record.hasMoved || isMove,
  };
}

/** To be stored with the next write, wait or end: what is lost of it is found out again. */
export function afterWrite(record: RepairRecord, write: RepairWrite, answer: WriteAnswer, nowMs: number): RepairRecord {
  const { step } = write;
  const why = answer.type === 'refused' ? answer.why : null;
  const message = 'message' in answer ? answer.message : '';
  const told: RepairRecord = {
    ...record,
    last: { step, answer: answer.type, atMs: nowMs, why, message },
    hasChanged: record.hasChanged || answer.type === 'accepted' || answer.type === 'lost',
  };
  switch (answer.type) {
    case 'accepted':
      return {
        ...told,
        tries: 0,
        refusedSinceMs: null,
        notBeforeMs: nowMs,
        ...(step === 'restoreUpn' && { awaySinceMs: null, hasLostMove: false }),
      };
    case 'lost':
      return tryAgain({ ...told, hasLostMove: told.hasLostMove || step === 'moveUpn' }, nowMs, 0);
    case 'throttled':
      return tryAgain(step === 'moveUpn' ? notMoved(told) : told, nowMs, answer.waitMs);
    case 'refused':
      return afterRefusal(told, write, answer, nowMs);
  }
}

/** After a read that failed: the next attempt has to wait. */
export function afterFailedRead(record: RepairRecord, nowMs: number, waitMs: number): RepairRecord {
  return tryAgain(record, nowMs, waitMs);
}

export function endRepair(record: RepairRecord, outcome: RepairOutcome): RepairRecord {
  return { ...record, ended: outcome };
}

/**
 * Why a person should look at it: the user may be unable to sign in, and that does not mend itself soon. null: all in
 * order. It is retried all the same.
 */
export function attentionFor(record: RepairRecord, seen: SeenUser | null, nowMs: number): string | null {
  if (seen === null) {
    return record.hasMoved ? 'The user was deleted while it was repaired, perhaps under the temporary name.' : null;
  }
  if (placeOf(record, seen) !== 'temporary') return null;
  const { last, before } = record;
  // Once or twice may be lag.
  if (last?.step === 'restoreUpn' && last.answer === 'refused' && (last.why !== 'other' || record.tries >= 3)) {
    return `Entra refuses the user principal name ${before.userPrincipalName} back: ${last.message}`;
  }
  const sinceMs = record.awaySinceMs ?? nowMs;
  if (nowMs - sinceMs < attentionMs) return null;
  const minutes = Math.floor((nowMs - sinceMs) / 60_000);
  return `The user has the temporary user principal name ${seen.userPrincipalName} for ${minutes} minutes.`;
}

/** What a person would send to have the user as it was before, in order; none where it is so. */
export function undoOf(record: RepairRecord, seen: SeenUser): readonly Omit<RepairWrite, 'type' | 'isHome'>[] {
  const { before, temporaryUpn } = record;
  const isHome = placeOf(record, seen) === 'home';
  const isFederated = record.isFederated !== false;
  // In a federated domain there is no way back without an immutable ID (graph.md §2.3).
  const hasFormer = seen.immutableId === before.immutableId || (isFederated && before.immutableId === null);
  const mustMove = isHome && !hasFormer && isFederated && temporaryUpn !== null;
  return [
    ...(mustMove ? [{ step: 'moveUpn', value: temporaryUpn } as const] : []),
    ...(hasFormer ? [] : [{ step: 'setImmutableId', value: before.immutableId } as const]),
    ...(isHome && !mustMove ? [] : [{ step: 'restoreUpn', value: before.userPrincipalName } as const]),
  ];
}

/** A move of which nothing was stored but that it was to be sent, or one that was accepted and is sent again unseen. */
function mayStillMove({ last }: RepairRecord, step: RepairStep): boolean {
  if (last?.step !== 'moveUpn') return false;
  return last.answer === 'sent' || (last.answer === 'accepted' && step === 'moveUpn');
}

/** A move that was not carried out has moved nobody; only an earlier one may. */
function notMoved(record: RepairRecord): RepairRecord {
  return record.hasLostMove ? record : { ...record, awaySinceMs: null };
}

function set({ desired }: RepairRecord, isHome: boolean): RepairWrite {
  return { type: 'write', step: 'setImmutableId', value: desired, isHome };
}

function restore({ before }: RepairRecord, isHome: boolean): RepairWrite {
  return { type: 'write', step: 'restoreUpn', value: before.userPrincipalName, isHome };
}

function placeOf(record: RepairRecord, { userPrincipalName }: SeenUser): 'home' | 'temporary' | 'elsewhere' {
  if (sameUpn(userPrincipalName, record.before.userPrincipalName)) return 'home';
  return record.temporaryUpn !== null && sameUpn(userPrincipalName, record.temporaryUpn) ? 'temporary' : 'elsewhere';
}

function sameUpn(a: string, b: string): boolean {
  return a.toLowerCase() === b.toLowerCase();
}

function settled({ hasChanged, last }: RepairRecord): RepairOutcome {
  return hasChanged || last?.answer === 'sent' ? 'repaired' : 'unchanged';
}

function unsettled({ ended, hasMoved }: RepairRecord): RepairOutcome {
  // It was as desired once, and no write of ours sets any other value.
  if (ended === 'repaired' || ended === 'unchanged' || ended === 'overtaken') return 'overtaken';
  return hasMoved ? 'rolled_back' : 'refused';
}

/** Until when nothing is to be done: it was said so, or what was written does not show yet. */
function waitUntilMs(record: RepairRecord, seen: SeenUser, nowMs: number): number {
  const { last, notBeforeMs } = record;
  if (last === null || last.answer === 'refused' || last.answer === 'throttled' || shows(record, last, seen)) {
    return notBeforeMs;
  }
  const shownByMs = last.atMs + (last.answer === 'accepted' ? replicationMs : lostMs);
  const pollMs = Math.min(Math.max(nowMs - last.atMs, pollsMs.least), pollsMs.most);
  return Math.max(notBeforeMs, Math.min(shownByMs, nowMs + pollMs));
}

/** Whether what is read is what the last write was to bring about. */
function shows(record: RepairRecord, { step }: LastWrite, seen: SeenUser): boolean {
  const place = placeOf(record, seen);
  if (step === 'setImmutableId') return seen.immutableId === record.desired;
  return place === (step === 'moveUpn' ? 'temporary' : 'home') || place === 'elsewhere';
}

function afterRefusal(
  told: RepairRecord,
  { step, isHome }: RepairWrite,
  { why, message }: Extract<WriteAnswer, { type: 'refused' }>,
  nowMs: number,
): RepairRecord {
  const record: RepairRecord = { ...told, refusedSinceMs: told.refusedSinceMs ?? nowMs };
  const turnBack = (reason: TurnedBackReason): RepairRecord => ({
    ...record,
    turnedBack: { step, reason, message },
    tries: 0,
    refusedSinceMs: null,
    notBeforeMs: nowMs,
  });
  switch (step) {
    case 'setImmutableId': {
      if (!mayPass(why)) return turnBack(why);
      if (isHome && why === 'other' && record.isFederated !== false) {
        return record.temporaryUpn === null ? turnBack('no_managed_domain') : { ...record, isDirectRefused: true };
      }
      return isPatient(record, nowMs, isHome ? patienceHomeMs : patienceAwayMs)
        ? tryAgain(record, nowMs, 0)
        : turnBack(why);
    }
    case 'moveUpn': {
      const stayed = notMoved(record);
      if (mayPass(why) && isPatient(record, nowMs, patienceHomeMs)) return tryAgain(stayed, nowMs, 0);
      return { ...turnBack(why), awaySinceMs: stayed.awaySinceMs };
    }
    case 'restoreUpn':
      // It was seen at home: what was to be made sure of is looked at again later.
      if (isHome) return { ...record, awaySinceMs: null, hasLostMove: false, notBeforeMs: nowMs };
      return tryAgain(record, nowMs, 0);
  }
}

/** A replica that lags behind may refuse like this; the others judge the value or our rights. */
function mayPass(why: Refusal): boolean {
  return why === 'other' || why === 'missing';
}

function isPatient({ refusedSinceMs }: RepairRecord, nowMs: number, patienceMs: number): boolean {
  return nowMs - (refusedSinceMs ?? nowMs) < patienceMs;
}

/** With growing pauses; a repair that has not even begun after an hour is given up. */
function tryAgain(record: RepairRecord, nowMs: number, waitMs: number): RepairRecord {
  const delayMs = delaysMs[Math.min(record.tries, delaysMs.length - 1)] ?? 0;
  const isHopeless = record.awaySinceMs === null && nowMs - record.startedAtMs > giveUpMs;
  return {
    ...record,
    tries: record.tries + 1,
    notBeforeMs: nowMs + Math.max(delayMs, waitMs),
    ...(isHopeless &&
      record.turnedBack === null && {
        turnedBack: {
          step: record.last?.step ?? 'setImmutableId',
          reason: 'unreachable' as const,
          message: 'Graph gave no useful answer for an hour.',
        },
      }),
  };
}

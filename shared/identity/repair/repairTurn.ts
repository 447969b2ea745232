import type { Clock } from '../../clock.ts';
import type { OktaPart, Repair, RepairPhase, RepairSide, RepairTurn, SaveSide, SideTurn } from './repair.ts';
import { type RepairSession, tellAttention, withStep } from './repairSession.ts';
import type { RepairChange } from './repairStore.ts';
import type { UserDriver } from './userDriver.ts';

/** What was thought lost may land late: it is looked at again so long after the end. */
const looksAfterMs = [5 * 60_000, 60 * 60_000];
/** From then on a person should know that the user is kept out of Okta's app. */
const attentionMs = 5 * 60_000;
/** Settings are not mended sooner. */
const unconfiguredMs = 5 * 60_000;

interface TurnDependencies {
  readonly userDriver: UserDriver;
  readonly oktaSideOfRepair: RepairSide | null;
  readonly clock: Clock;
}

/** How one phase went; `change` is not stored yet. */
type Phased =
  | { readonly type: 'next'; readonly change: RepairChange; readonly phase: RepairPhase }
  | { readonly type: 'wait'; readonly change: RepairChange; readonly untilMs: number };

/** One phase after the other, until the end or a wait that is too long for the call. */
export async function takeRepairTurn(session: RepairSession, dependencies: TurnDependencies): Promise<RepairTurn> {
  const opened = session.repair;
  for (let phase = firstPhase(opened); phase !== 'ended';) {
    const phased = await takePhase(phase, session, dependencies);
    if (phased.type === 'wait') {
      const repair = await session.save(phased.change);
      tellAttention(repair, session.call);
      return { type: 'waiting', repair, untilMs: phased.untilMs };
    }
    const { change } = phased;
    phase = phased.phase;
    const nowMs = dependencies.clock.now();
    const isEnd = phase === 'ended';
    await session.save({
      ...change,
      phase,
      ...(isEnd && endOfPhases({ ...session.repair, ...change }, opened, nowMs)),
    });
  }
  const { repair } = session;
  tellAttention(repair, session.call);
  return { type: 'ended', repair };
}

/** What has ended is looked at again: in Entra, unless nothing was ever to be written there, and in Okta. */
function firstPhase({ phase, record }: Repair): RepairPhase {
  if (phase !== 'ended') return phase;
  return record.ended === null ? 'after' : 'user';
}

function takePhase(
  phase: Exclude<RepairPhase, 'ended'>,
  session: RepairSession,
  dependencies: TurnDependencies,
): Promise<Phased> {
  if (phase === 'user') return takeUserPhase(session, dependencies);
  const part = session.repair.okta;
  if (part === null) return Promise.resolve({ type: 'next', change: {}, phase: 'ended' });
  const { oktaSideOfRepair, clock } = dependencies;
  if (oktaSideOfRepair === null) return Promise.resolve(unconfigured(part, clock.now()));
  return takeOktaPhase(phase, session, part, oktaSideOfRepair);
}

async function takeUserPhase(
  session: RepairSession,
  { userDriver, clock }: Pick<TurnDependencies, 'userDriver' | 'clock'>,
): Promise<Phased> {
  const driven = await userDriver.drive(session);
  const { change } = driven;
  if (driven.type === 'waiting') {
    const attention = change.attention ?? keptOut(session.repair, clock.now());
    return { type: 'wait', change: { ...change, attention }, untilMs: driven.untilMs };
  }
  return { type: 'next', change, phase: session.repair.okta === null ? 'ended' : 'after' };
}

/** Whoever is at home in Entra cannot sign in all the same while Okta's app has no assignment. */
function keptOut({ okta, steps, createdAtMs }: Repair, nowMs: number): string | null {
  const isUnassigned = steps.some(({ step }) => step === 'unassignFromOkta');
  if (okta === null || !isUnassigned || nowMs - createdAtMs < attentionMs) return null;
  const minutes = Math.floor((nowMs - createdAtMs) / 60_000);
  return `For ${minutes} minutes Entra's side has not come to an end, and the user ${okta.oktaUserId} is not assigned to the app ${okta.appId} of Okta; "Deactivate Users" stays off meanwhile.`;
}

async function takeOktaPhase(
  phase: 'before' | 'after',
  session: RepairSession,
  part: OktaPart,
  side: RepairSide,
): Promise<Phased> {
  const save: SaveSide = (oktaState, ...rows) =>
    session.save({ oktaState, steps: rows.reduce(withStep, session.repair.steps) });
  const turn: SideTurn = await side[phase](session.repair, part, save, session.call);
  switch (turn.type) {
    case 'wait':
      return { type: 'wait', change: { attention: turn.attention }, untilMs: turn.untilMs };
    case 'refused':
      return { type: 'next', change: { refusal: turn.refusal, attention: null }, phase: 'after' };
    case 'done':
      return { type: 'next', change: { attention: null }, phase: phase === 'before' ? 'user' : 'ended' };
  }
}

/** The settings were taken away in the middle: what Okta's side has begun waits for them. */
function unconfigured({ appId, oktaUserId }: OktaPart, nowMs: number): Phased {
  const attention = `Okta's API is not configured any more: whether the user ${oktaUserId} is assigned to the app ${appId} as before cannot be seen to.`;
  return { type: 'wait', change: { attention }, untilMs: nowMs + unconfiguredMs };
}

/** Whoever was written to at a look is looked at as often again. */
function endOfPhases(repair: Repair, opened: Repair, nowMs: number): RepairChange {
  const hasWritten = repair.record.last?.atMs !== opened.record.last?.atMs;
  const endedAtMs = hasWritten || opened.endedAtMs === null ? nowMs : opened.endedAtMs;
  // Of what was never sent nothing can land.
  const isQuiet = repair.record.last === null && repair.okta === null;
  const looks = isQuiet ? [] : looksAfterMs.map((ms) => endedAtMs + ms);
  return { endedAtMs, lookAgainAtMs: looks.find((atMs) => atMs > nowMs) ?? null };
}

import type { Audit, Intent } from '../../audit/audit.ts';
import type { Call } from '../../call.ts';
import type { Clock } from '../../clock.ts';
import { Fault, faultTable, isFault } from '../../errors.ts';
import { isOktaFault, type OktaFault } from '../../okta/errors.ts';
import type { OktaApps } from '../../okta/apps.ts';
import { assignCall, type AssignmentContent, type OktaProvisioning, turnOnCall } from '../../okta/provisioning.ts';
import type { OktaPart, Refused, Repair, RepairSide, RepairStepRow, SaveSide, SideTurn } from '../repair/repair.ts';
import { type AssignmentState, beforeUnassigning, isByGroup, mayLandLate, mustAssign, stateOf } from './assignment.ts';
import type { AssigningGroups } from './assigningGroups.ts';
import type { FeatureLock } from './featureLock.ts';
import { recordAnyway } from './recordAnyway.ts';

export interface OktaSideOfRepairDependencies {
  readonly oktaApps: OktaApps;
  readonly oktaProvisioning: OktaProvisioning;
  readonly assigningGroups: AssigningGroups;
  readonly featureLock: FeatureLock;
  readonly audit: Audit;
  readonly clock: Clock;
}

/** Reads that may show what was before, and how far apart they are. */
const proofs = { most: 6, apartMs: 400 };
/** What may pass is tried again then, and what an administrator has to mend, longer each time. */
const passingMs = 3_000;
const refusedMs = { first: 15_000, longest: 10 * 60_000 };
/** How long it is tried to begin, before anything is written in Entra. */
const giveUpMs = 10 * 60_000;
/** From then on a person should know that the user is not assigned yet. */
const attentionMs = 5 * 60_000;

/** Where one side of a repair stands, saved before each write. */
interface Desk {
  readonly repair: Repair;
  readonly part: OktaPart;
  readonly call: Call;
  state: AssignmentState;
  save(change: Partial<AssignmentState>, ...rows: readonly RepairStepRow[]): Promise<void>;
}

/**
 * Okta's side of a repair: the user is unassigned while "Deactivate Users" is off, and afterwards assigned as before.
 * Each call reads what is there and goes on from that, so that it may be called again after anything.
 */
export function createOktaSideOfRepair(dependencies: OktaSideOfRepairDependencies): RepairSide {
  const { oktaApps, oktaProvisioning, assigningGroups, featureLock, audit, clock } = dependencies;

  const seenBy = ({ part, call }: Desk) => oktaApps.appUser(part.appId, part.oktaUserId, call);

  async function holdFeature(desk: Desk): Promise<void> {
    const { part, repair, call } = desk;
    const isOff = !part.togglesFeature && (await oktaProvisioning.deactivateUsers(part.appId, call)) !== 'ENABLED';
    // A batch holds it, and it is off: nothing is to be turned for one user.
    if (isOff) return;
    // Known before it is held: whoever finds this repair lets go of it.
    if (!desk.state.holdsFeature) await desk.save({ holdsFeature: true });
    const holder = { id: repair.repairId, type: 'repair', owner: repair.userId, sinceMs: clock.now() } as const;
    const isTurned = await featureLock.hold(part.appId, holder, call);
    if (isTurned) await desk.save({}, row('turnOffDeactivateUsers', '"Deactivate Users" is off.'));
  }

  async function unassign(desk: Desk): Promise<void> {
    const { part, call } = desk;
    let isAnswered = false;
    let lost: Fault | null = null;
    for (let attempt = 1; ; attempt += 1) {
      const seen = await seenBy(desk);
      if (seen === null) break;
      // Okta assigns whom a group assigns again at once.
      if (isByGroup(seen)) throw assignedByGroup(seen.group, part.appId);
      if (attempt > proofs.most) throw lost ?? notShown('unassigned', part);
      if (attempt > 1) await clock.sleep(proofs.apartMs, call.deadline.signal);
      // Somebody may have turned it on again, which would disable the account.
      await holdFeature(desk);
      await desk.save(beforeUnassigning(desk.state));
      const content: AssignmentContent = { userName: seen.userName, profile: seen.profile };
      const write = () => oktaProvisioning.unassign(part.appId, part.oktaUserId, call);
      try {
        await recorded(intentOf(desk, 'DELETE', content, null), write, false, call);
        isAnswered = true;
      } catch (error) {
        // Read again, which tells whether it was carried out.
        if (!isFault(error, 'outcome_unknown') && !isOktaFault(error, 'notFound')) throw error;
        lost = error;
      }
    }
    if (desk.state.unassignment === 'none') return;
    await desk.save(
      isAnswered ? { unassignment: 'answered' } : {},
      row('unassignFromOkta', 'The user is not assigned to the app for the time of the repair.'),
    );
  }

  /** @returns what is to be told of it */
  async function assign(desk: Desk): Promise<RepairStepRow[]> {
    const { part, call, state, repair } = desk;
    const { former } = state;
    if (former === null) return [];
    let lost: Fault | null = null;
    for (let attempt = 1; ; attempt += 1) {
      const seen = await seenBy(desk);
      if (mayLandLate(desk.state, seen)) await desk.save({ hasLostUnassignment: true });
      if (!mustAssign(desk.state, seen)) break;
      if (attempt > proofs.most) throw lost ?? notShown('assigned', part);
      if (attempt > 1) await clock.sleep(proofs.apartMs, call.deadline.signal);
      const write = () => oktaProvisioning.assign(part.appId, part.oktaUserId, former, call);
      try {
        await recorded(intentOf(desk, 'POST', seen, former), write, true, call);
      } catch (error) {
        if (isOktaFault(error) && isNobodyToAssign(error)) return leaveUnassigned(desk, error);
        if (!isFault(error, 'outcome_unknown')) throw error;
        lost = error;
      }
    }
    return desk.state.unassignment === 'none' ? [] : [row('assignInOkta', assignedMessage(former, repair))];
  }

  async function leaveUnassigned(desk: Desk, { code, message }: OktaFault): Promise<RepairStepRow[]> {
    await desk.save({ former: null });
    const { userPrincipalName } = desk.repair.record.before;
    desk.call.warn(`${userPrincipalName} stays unassigned from the app ${desk.part.appId} of Okta: ${message}`);
    return [{ step: 'assignInOkta', outcome: 'refused', code, message }];
  }

  /** @returns what is to be told of it */
  async function letFeatureGo(desk: Desk): Promise<RepairStepRow[]> {
    const { part, repair, call, state } = desk;
    if (!state.holdsFeature) return [];
    const isTurned = await featureLock.letGo(part.appId, repair.repairId, call);
    return isTurned ? [row('turnOnDeactivateUsers', '"Deactivate Users" is on, as it was.')] : [];
  }

  function intentOf({ repair, part }: Desk, method: 'DELETE' | 'POST', before: unknown, planned: unknown): Intent {
    const { appId, oktaUserId } = part;
    return {
      operation: `${method} /api/v1/apps/${appId}/users${method === 'DELETE' ? `/${oktaUserId}` : ''}`,
      targetType: 'user',
      targetId: repair.userId,
      targetName: repair.record.before.userPrincipalName,
      before,
      planned,
    };
  }

  async function recorded(intent: Intent, write: () => Promise<void>, isWayBack: boolean, call: Call): Promise<void> {
    const written = async () => {
      await write();
      return { result: null, after: intent.planned, upstreamRequestId: null };
    };
    await (isWayBack ? recordAnyway(audit, intent, call, written) : audit.record(intent, call, written));
  }

  function deskOf(repair: Repair, part: OktaPart, state: AssignmentState, save: SaveSide, call: Call): Desk {
    const desk: Desk = {
      repair,
      part,
      call,
      state,
      save: async (change, ...rows) => {
        const changed = { ...desk.state, ...change };
        await save(changed, ...rows);
        desk.state = changed;
      },
    };
    return desk;
  }

  /** Brings Okta's side back as far as it goes now. */
  async function bringBack(desk: Desk): Promise<Exclude<SideTurn, { type: 'refused' }>> {
    const wayBack = [
      { step: assign, byHand: assignByHand },
      // Whom Okta does not assign it does not disable either: nobody else shall wait for that.
      { step: letFeatureGo, byHand: turnOnByHand },
    ];
    const backSinceMs = desk.state.backSinceMs ?? clock.now();
    const rows: RepairStepRow[] = [];
    const waits: Wait[] = [];
    for (const { step, byHand } of wayBack) {
      try {
        rows.push(...(await step(desk)));
      } catch (error) {
        const fault = waitable(error);
        const mayPass = faultTable[fault.code].retryable;
        const untilMs = mayPass ? passingUntilMs(fault) : await refusedUntilMs(desk);
        const isSilent = mayPass && clock.now() - backSinceMs < attentionMs;
        waits.push({ type: 'wait', untilMs, attention: isSilent ? null : `${fault.message} ${byHand(desk)}` });
      }
    }
    const [first] = waits.toSorted((a, b) => a.untilMs - b.untilMs);
    if (first !== undefined) {
      await desk.save({ backSinceMs }, ...rows);
      const said = waits.flatMap(({ attention }) => attention ?? []);
      return { ...first, attention: said.length === 0 ? null : said.join(' ') };
    }
    if (rows.length > 0 || !desk.state.isBack) await desk.save({ isBack: true, refusals: 0 }, ...rows);
    return { type: 'done' };
  }

  async function refusedUntilMs(desk: Desk): Promise<number> {
    const refusals = desk.state.refusals + 1;
    await desk.save({ refusals });
    return clock.now() + Math.min(refusedMs.longest, refusedMs.first * 2 ** (refusals - 1));
  }

  function passingUntilMs({ retryAfterSeconds }: Fault): number {
    return clock.now() + Math.max(passingMs, (retryAfterSeconds ?? 0) * 1_000);
  }

  return {
    check: async (appId, { facts }, call) => {
      if (!facts.okta.known) throw unread(facts.okta.why);
      const { userId, office365 } = facts.okta.value;
      if (userId === null) throw noSuchUser(facts.user.userPrincipalName, appId);
      const isAssigned = office365?.appId === appId;
      if (isAssigned && office365.isByGroup && office365.group !== null) throw assignedByGroup(office365.group, appId);
      if (isAssigned) {
        const [group = null] = await assigningGroups.of(appId, userId, call);
        if (group !== null || office365.isByGroup) throw assignedByGroup(group, appId);
      }
      return { appId, oktaUserId: userId, togglesFeature: true };
    },

    before: async (repair, part, save, call) => {
      try {
        const stored = repair.oktaState as AssignmentState | null;
        const seen = stored === null ? await oktaApps.appUser(part.appId, part.oktaUserId, call) : null;
        if (seen !== null && isByGroup(seen)) throw assignedByGroup(seen.group, part.appId);
        const desk = deskOf(repair, part, stored ?? stateOf(seen), save, call);
        // With what the user was assigned is stored before anything is written.
        if (stored === null) await desk.save({});
        if (desk.state.former === null) return { type: 'done' };
        await holdFeature(desk);
        await unassign(desk);
        return { type: 'done' };
      } catch (error) {
        const fault = waitable(error);
        const { code, message, fix } = fault;
        const mayPass = faultTable[code].retryable && clock.now() - repair.createdAtMs < giveUpMs;
        if (mayPass) return { type: 'wait', untilMs: passingUntilMs(fault), attention: null };
        return { type: 'refused', refusal: { code, message, fix } };
      }
    },

    after: async (repair, part, save, call) => {
      const stored = repair.oktaState as AssignmentState | null;
      // Looked at again later: only what has landed late is mended.
      if (stored === null || (stored.isBack && !stored.hasLostUnassignment)) return { type: 'done' };
      return bringBack(deskOf(repair, part, stored, save, call));
    },
  };
}

type Wait = Extract<SideTurn, { type: 'wait' }>;

/** Storage and audit are for whoever drives the repair. @throws what is none of Okta's */
function waitable(error: unknown): Fault {
  if (!isFault(error) || isFault(error, 'internal_error', 'storage_unavailable', 'audit_unavailable')) throw error;
  return error;
}

function row(step: RepairStepRow['step'], message: string): RepairStepRow {
  return { step, outcome: 'done', code: 'done', message };
}

function assignedMessage({ profile }: AssignmentContent, { record }: Repair): string {
  const asserted = profile.immutableId;
  const isOther = typeof asserted === 'string' && asserted !== record.desired;
  return isOther
    ? `The user is assigned as before; Okta's profile says ${asserted} as immutable ID, and Okta may push it.`
    : 'The user is assigned as before.';
}

function assignedByGroup(group: string | null, appId: string): Fault {
  return new Fault('assigned_by_group', {
    detail: `${group === null ? 'A group' : `The group ${group}`} assigns the user to the app ${appId} of Okta: the user cannot be unassigned alone.`,
    fix: 'Repair without oktaAppId, or take the user out of the group in Okta for the time of the repair.',
    upstream: 'okta',
  });
}

function unread({ code, message, fix }: Refused): Fault {
  return new Fault(code, { detail: message, fix, upstream: 'okta' });
}

function noSuchUser(userPrincipalName: string, appId: string): Fault {
  return new Fault('okta_object_not_found', {
    detail: `Okta has no user with the login ${userPrincipalName}, whose assignment to the app ${appId} could be taken care of.`,
    fix: 'Give the id of the user in Okta as oktaUserId where that is the expected value, or repair without oktaAppId.',
    upstream: 'okta',
  });
}

/** For a person, who may do what Okta does not let us do. */
function assignByHand({ part, state }: Desk): string {
  const { request, body } = assignCall(part, state.former ?? nothing);
  return `The user is not assigned to the app as before. By hand: ${request} ${body}`;
}

const nothing: AssignmentContent = { userName: null, profile: {} };

function turnOnByHand({ part }: Desk): string {
  const { request, body } = turnOnCall(part.appId);
  return `"Deactivate Users" of the app is not on as before. By hand: ${request} ${body}`;
}

function notShown(what: 'assigned' | 'unassigned', { appId, oktaUserId }: OktaPart): Fault {
  return new Fault('not_replicated', {
    detail: `Okta does not show the user ${oktaUserId} as ${what} in the app ${appId}, although that was written.`,
    fix: 'Wait: it is tried again.',
    upstream: 'okta',
  });
}

/** The user or the app was deleted meanwhile, or the user was deactivated (E0000038): no repetition brings it back. */
function isNobodyToAssign({ kind, oktaCode }: OktaFault): boolean {
  return kind === 'notFound' || oktaCode === 'E0000038';
}

import { createHash } from 'node:crypto';
import { type Call, limitedTo } from '../../call.ts';
import type { Clock } from '../../clock.ts';
import { Fault, isFault } from '../../errors.ts';
import type { ProtectionLists } from '../../groups/blockers.ts';
import type { Group } from '../../groups/group.ts';
import type { GroupLock, HeldGroup } from '../../groups/groupLock.ts';
import { warnOfNotes } from '../../groups/linkability.ts';
import type { GroupResolver } from '../../groups/resolve.ts';
import type { Operation } from '../../operations/operation.ts';
import type { OperationStore } from '../../operations/operationStore.ts';
import type { OperationSender } from '../../operations/operationSender.ts';
import type { PushMapping } from '../mapping.ts';
import { noSuchMapping } from '../mappings/mappingFaults.ts';
import type { Pusher } from '../pusher.ts';
import type { PushReply, PushRequest } from '../pushReply.ts';
import type { PushMappingStore } from '../store/mappingStore.ts';
import { judgePlan } from './execute.ts';
import type { FullRunner } from './fullRun.ts';
import { openTarget } from './openTarget.ts';
import type { PushOperations } from './pushOperation.ts';
import { replyOfOperation, replyOfSurvey } from './reply.ts';
import { refuseOtherPlan, type Survey, type Surveyor } from './survey.ts';

export interface PusherDependencies {
  readonly pushMappings: Pick<PushMappingStore, 'get'>;
  readonly surveyor: Surveyor;
  readonly fullRunner: FullRunner;
  readonly groups: GroupResolver;
  readonly groupLock: GroupLock;
  readonly protection: ProtectionLists;
  readonly operations: OperationStore;
  readonly operationSender: OperationSender;
  readonly pushOperations: PushOperations;
  readonly clock: Clock;
}

/** More changes than this are not begun within the request: a batch of ten takes Exchange about a second. */
const maxChangesAtOnce = 100;
/** A survey that takes longer is left to an operation, which begins anew. */
const surveyMs = 12_000;
/** For workers and requests that will be done soon. */
const patienceMs = 10_000;

export function createPusher(dependencies: PusherDependencies): Pusher {
  const { pushMappings, surveyor, fullRunner, groupLock, operations, clock } = dependencies;
  const { operationSender, pushOperations } = dependencies;

  /** null when it takes longer than a request has. */
  async function surveyInTime(
    mapping: PushMapping,
    group: Group,
    request: PushRequest,
    call: Call,
  ): Promise<Survey | null> {
    const surveyCall = limitedTo(call, surveyMs, clock);
    try {
      return await surveyor.full(mapping, group, request.repin, surveyCall);
    } catch (error) {
      if (isFault(error, 'throttled', 'deadline_exceeded')) return null;
      throw error;
    } finally {
      surveyCall.end();
    }
  }

  async function planOnly(mapping: PushMapping, group: Group, request: PushRequest, call: Call): Promise<PushReply> {
    const survey = await surveyInTime(mapping, group, request, call);
    if (survey === null) return startOperation(mapping, request, null, null, call);
    refuseOtherPlan(survey, request.planId);
    warnOfSurvey(survey, request, call);
    const verdict = judgePlan(survey, await groupLock.notes(mapping.targetId, call), request, clock.now(), true);
    for (const refusal of [verdict.removals, verdict.additions]) {
      if (refusal === null) continue;
      call.warn(`As it is, this plan would be refused (${refusal.code}). ${refusal.message} ${refusal.fix}`);
    }
    return replyOfSurvey(survey, null, mapping, clock.now());
  }

  async function pushHeld(
    mapping: PushMapping,
    group: Group,
    request: PushRequest,
    held: HeldGroup,
  ): Promise<PushReply> {
    const { call } = held;
    const pending = await fullRunner.pendingBefore(mapping.oktaGroupId, call);
    const survey = await surveyInTime(mapping, group, request, call);
    if (survey === null) return startOperation(mapping, request, null, held, call);
    refuseOtherPlan(survey, request.planId);
    warnOfSurvey(survey, request, call);
    const { adds, removes } = survey.plan;
    if (adds.length + removes.length > 0) warnOfNotes(group, call);
    if (adds.length + removes.length > maxChangesAtOnce) {
      const verdict = judgePlan(survey, held.notes, request, clock.now(), true);
      const refusal = verdict.removals ?? verdict.additions;
      if (refusal !== null) throw refusal;
      return startOperation(mapping, request, survey, held, call);
    }
    const options = { ...request, refuses: true, budget: maxChangesAtOnce };
    const run = await fullRunner.run(survey, pending, held, options);
    const { execution, mapping: after } = run;
    if (execution.left.length > 0) {
      // Before anything was done a fault is the answer; afterwards it must not hide what was.
      if (execution.fault !== null && execution.results.length === 0) throw execution.fault;
      const rest = { ...request, planId: null, activates: false };
      return startOperation(mapping, rest, survey, held, call.proving(), fingerprintOf(mapping, request));
    }
    if (mapping.settings.reportOnly) call.warn('The mapping is report-only: nothing was written.');
    const isReport = execution.results.length === 0 && adds.length + removes.length > 0;
    return replyOfSurvey(survey, isReport ? null : execution, after, clock.now());
  }

  /**
   * Stores everything first, then claims the group, then lets the operation be found by workers: whatever is lost in
   * between, nobody works on half of it.
   * @param fingerprint of the request that a caller may repeat
   */
  async function startOperation(
    mapping: PushMapping,
    request: PushRequest,
    survey: Survey | null,
    held: HeldGroup | null,
    call: Call,
    fingerprint = fingerprintOf(mapping, request),
  ): Promise<PushReply> {
    const { oktaGroupId, targetId, targetName } = mapping;
    const created = await operations.create(
      {
        type: 'push',
        targetId,
        targetName,
        requestId: call.requestId,
        isDryRun: request.isDryRun,
        fingerprint,
        message: `The Okta group ${mapping.oktaGroupName} is being ${request.isDryRun ? 'compared with' : 'pushed to'} ${targetName}.`,
      },
      call,
    );
    const { operationId } = created;
    await pushOperations.prepare(operationId, { oktaGroupId, mapping, request }, call);
    await held?.note({ claim: { fingerprint, operationId } });
    const operation = await operations.update(operationId, { state: 'queued' }, call);
    try {
      await operationSender.enqueue(operation, call);
    } catch (error) {
      if (!isFault(error)) throw error;
      call.warn('The operation is stored and could not be queued; it begins with the next sweep, within minutes.');
    }
    return replyOfOperation(mapping, operation, survey, clock.now());
  }

  return {
    push: async (mapping, request, call) => {
      refuseWithoutApproval(mapping, request);
      const group = await openTarget(mapping, dependencies, call);
      if (request.isDryRun) return planOnly(mapping, group, request, call);
      const fingerprint = fingerprintOf(mapping, request);
      const applicant = { fingerprint, waitMs: patienceMs };
      const hold = await groupLock.hold(mapping.targetId, applicant, call, async (held) => {
        const current = await currentOf(mapping, held.call);
        refuseWithoutApproval(current, request);
        await held.note({ claim: { fingerprint, operationId: null } });
        const answer = await pushHeld(current, group, request, held).catch(async (error: unknown) => {
          await letGo(held);
          throw error;
        });
        if (answer.operationId === null) await letGo(held);
        return answer;
      });
      if (hold.type === 'held') return hold.result;
      return replyOfRunning(mapping, hold.operation);
    },
  };

  /** As it stands now: people may have changed it, or stopped it, while this request waited for the group. */
  async function currentOf({ oktaGroupId, targetId }: PushMapping, call: Call): Promise<PushMapping> {
    const current = await pushMappings.get(oktaGroupId, call);
    if (current?.targetId !== targetId) throw noSuchMapping(oktaGroupId);
    return current;
  }

  function replyOfRunning(mapping: PushMapping, operation: Operation): PushReply {
    return replyOfOperation(mapping, operation, null, clock.now());
  }
}

/** @throws Fault `push_mapping_inactive`, `not_approved` */
function refuseWithoutApproval(mapping: PushMapping, { isDryRun, activates, planId }: PushRequest): void {
  const { oktaGroupId, targetName, status, approvedAtMs } = mapping;
  if (isDryRun) return;
  if (status === 'INACTIVE' && !activates) {
    throw new Fault('push_mapping_inactive', {
      detail: `The push mapping of ${targetName} is INACTIVE; nothing was written.`,
      fix: `Set it ACTIVE with PUT push-mappings/${oktaGroupId}/status, or ask for the plan with "dryRun": true.`,
    });
  }
  if (approvedAtMs === null && planId === null) {
    throw new Fault('not_approved', {
      detail: `The plan of the push mapping of ${targetName} has not been approved; nothing was written.`,
      fix: `Look at the plan with POST push-mappings/${oktaGroupId}/push and "dryRun": true, then set the mapping ACTIVE with its planId.`,
    });
  }
}

function warnOfSurvey(survey: Survey, { repin }: PushRequest, call: Pick<Call, 'warn'>): void {
  const { isSteady, members, people, sourceGroup } = survey;
  // By the login of today or the one that was matched.
  const names = [...members.values()].flatMap(({ id, login }) => [id, login, people.get(id)?.login ?? login]);
  const known = new Set(names.map((name) => name.toLowerCase()));
  const strangers = repin.filter((name) => !known.has(name.toLowerCase()));
  if (strangers.length > 0) {
    call.warn(
      `Nobody in the Okta group ${sourceGroup.name} has this id or login to be matched anew: ${strangers.join(', ')}.`,
    );
  }
  if (isSteady) return;
  call.warn('People came or went in Okta while the group was read: nobody is removed this time. Repeat the request.');
}

/** The same for the same request. */
function fingerprintOf({ oktaGroupId }: PushMapping, request: PushRequest): string {
  const { repin, ...others } = request;
  const sorted = [...repin].map((name) => name.toLowerCase()).sort();
  return createHash('sha256')
    .update(JSON.stringify(['push', oktaGroupId, others, sorted]))
    .digest('hex');
}

/** A claim without an operation means nothing once the lease is gone: that it stays is no harm. */
async function letGo(held: HeldGroup): Promise<void> {
  await held.note({ claim: null }).catch((error: unknown) => {
    if (!isFault(error)) throw error;
  });
}

import type { Call } from '../../call.ts';
import type { Clock } from '../../clock.ts';
import { type Fault, faultTable, isFault, toFault } from '../../errors.ts';
import type { ProtectionLists } from '../../groups/blockers.ts';
import type { GroupLock, HeldGroup } from '../../groups/groupLock.ts';
import type { GroupResolver } from '../../groups/resolve.ts';
import type { Queues } from '../../store/queues.ts';
import type { PushMapping } from '../mapping.ts';
import { reconcileQueue } from '../queues.ts';
import type { PushSource } from '../source.ts';
import type { PushMappingStore } from '../store/mappingStore.ts';
import {
  groupDeletion,
  isOfGroup,
  type PendingChange,
  type PushPending,
  type PutOff,
  wholeGroup,
} from '../store/pendingStore.ts';
import { type Execution, type Executor } from './execute.ts';
import type { MappingHealth } from './mappingHealth.ts';
import { backoffMs, readMappingMessage } from './messages.ts';
import type { NameFollower } from './nameFollower.ts';
import { openTarget } from './openTarget.ts';
import type { PendingSender } from './pendingSender.ts';
import { retriedLater, usersOf } from './summary.ts';
import type { Survey, Surveyor } from './survey.ts';

export interface PendingWorker {
  /**
   * Serves what is pending for the mapping that a message names. Tolerates messages that come twice, late or for nothing;
   * what is busy, throttled or not ready comes back later and is no failure (design §6.9).
   * @throws whatever is no Fault: a defect, which counts towards poison
   */
  run(message: unknown, call: Call): Promise<void>;
  /** For a message that was given up: its mapping is in ERROR with the cause. Never throws. */
  giveUp(message: unknown, call: Call): Promise<void>;
}

export interface PendingWorkerDependencies {
  readonly pushMappings: PushMappingStore;
  readonly pushPending: PushPending;
  readonly pushSource: PushSource;
  readonly pendingSender: PendingSender;
  readonly surveyor: Surveyor;
  readonly executor: Executor;
  readonly mappingHealth: MappingHealth;
  readonly nameFollower: NameFollower;
  readonly groups: GroupResolver;
  readonly groupLock: GroupLock;
  readonly protection: ProtectionLists;
  readonly queues: Pick<Queues, 'send'>;
  /** Whether this app may write at all (WRITE_MODE). */
  readonly mayWrite: boolean;
  readonly clock: Clock;
}

/** Another worker of the same group is often done within this. */
const patienceMs = 3_000;
/** What is pending comes back after so long when somebody else has the group. */
const busyMs = 5_000;
/** Served together: the rest gets a message of its own. */
const servedAtOnce = 500;
const firstWaitMs = 60_000;
const longestWaitMs = 3_600_000;
/** Who has no mailbox for so long is told of. */
const reportAfterMs = 24 * 3_600_000;
/** What a person has to mend is looked at again this often, beside each reconcile. */
const faultyMs = 30 * 60_000;

export function createPendingWorker(dependencies: PendingWorkerDependencies): PendingWorker {
  const { pushMappings, pushPending, pushSource, pendingSender, surveyor, executor, mappingHealth } = dependencies;
  const { nameFollower, groupLock, queues, mayWrite, clock } = dependencies;

  /** Whether the source says so too: asked when an event tells that the group is gone. */
  async function isGone({ oktaGroupId }: PushMapping, call: Call): Promise<boolean> {
    return (await pushSource.group(oktaGroupId, call)) === null;
  }

  async function serve(mapping: PushMapping, due: readonly PendingChange[], held: HeldGroup): Promise<void> {
    const { oktaGroupId } = mapping;
    const { call } = held;
    const tells = (id: string) => due.find(({ oktaUserId }) => oktaUserId === id);
    if (tells(groupDeletion) !== undefined && (await isGone(mapping, call))) {
      await mappingHealth.groupDeleted(oktaGroupId, call);
      await pushPending.removeAll(oktaGroupId, call);
      return;
    }
    // Somebody came or went, and the event does not say who.
    if (tells(wholeGroup)?.isMembership === true) {
      await queues.send(reconcileQueue, { oktaGroupId }, call, clock.now());
    }
    const people = due.filter(({ oktaUserId }) => !isOfGroup(oktaUserId));
    const group = await openTarget(mapping, dependencies, call);
    const pinged = people.filter(({ isMembership }) => isMembership).map(({ oktaUserId }) => oktaUserId);
    const ids = people.map(({ oktaUserId }) => oktaUserId);
    const survey = await surveyor.some(mapping, group, ids, new Set(pinged), call);
    const writes = mayWrite && !mapping.settings.reportOnly;
    await nameFollower.follow(survey, writes, call);
    if (!writes) {
      await pushPending.remove(due, call);
      return;
    }
    const limits = { maxRemovals: null, allowEmpty: false };
    const execution = await executor.execute(survey, held, limits, Number.POSITIVE_INFINITY);
    await settle(mapping, due, survey, execution, call.proving());
  }

  async function settle(
    mapping: PushMapping,
    due: readonly PendingChange[],
    survey: Survey,
    execution: Execution,
    call: Call,
  ): Promise<void> {
    const { oktaGroupId } = mapping;
    const { guard, fault, left } = execution;
    const later = retriedLater(survey, execution);
    const notCome = new Set([...usersOf(survey, left), ...heldBack(survey)]);
    // What the guard forbids is not pending: it is for a person to allow, and the truth is read again then.
    const served = due.filter(({ oktaUserId }) => !later.has(oktaUserId) && !notCome.has(oktaUserId));
    await pushPending.remove(served, call);
    const waiting = due.filter(({ oktaUserId }) => later.has(oktaUserId));
    await pushPending.putOff(waiting.map(putOff), call);
    for (const { oktaUserId, waitingSinceMs } of waiting) {
      if (waitingSinceMs === null || clock.now() - waitingSinceMs < reportAfterMs) continue;
      const waitingHours = Math.floor((clock.now() - waitingSinceMs) / 3_600_000);
      const { requestId } = call;
      call.log.warn({ event: 'push_member_not_ready', requestId, oktaGroupId, oktaUserId, waitingHours });
    }
    if (guard !== null) await mappingHealth.failed(oktaGroupId, guard, call);
    if (fault !== null) throw fault;
  }

  /** The longer somebody has waited, the longer until the next look. */
  function putOff(change: PendingChange): PutOff {
    const nowMs = clock.now();
    const waitingSinceMs = change.waitingSinceMs ?? nowMs;
    const waitMs = Math.max(firstWaitMs, Math.min(longestWaitMs, (nowMs - waitingSinceMs) / 2));
    return { ...change, untilMs: nowMs + waitMs, waitingSinceMs };
  }

  function putOffUntil(untilMs: number, changes: readonly PendingChange[], call: Call): Promise<void> {
    return pushPending.putOff(
      changes.map((change) => ({ ...change, untilMs })),
      call,
    );
  }

  async function listDue(oktaGroupId: string, call: Call): Promise<PendingChange[]> {
    return (await pushPending.list(oktaGroupId, call)).filter(({ dueAtMs }) => dueAtMs <= clock.now());
  }

  /** Puts what is left on its way: now, or when the first of it is due. */
  async function sendRest(oktaGroupId: string, call: Call): Promise<void> {
    const rows = await pushPending.list(oktaGroupId, call);
    if (rows.length === 0) return;
    const dueAtMs = Math.min(...rows.map((row) => row.dueAtMs));
    if (dueAtMs <= clock.now()) await pendingSender.send(oktaGroupId, call);
    else await pendingSender.sendAt(oktaGroupId, dueAtMs, call);
  }

  /** @param tried as they were read: what has come since has a message of its own, and may tell what stands in the way */
  async function failed(oktaGroupId: string, tried: readonly PendingChange[], fault: Fault, call: Call): Promise<void> {
    const { code, retryAfterSeconds } = fault;
    // Whoever has the group may be serving these very rows: they are left as they are. One message a group waits for
    // them, however many have found it busy.
    if (isFault(fault, 'group_busy')) return pendingSender.send(oktaGroupId, call, clock.now() + busyMs);
    let waitMs = faultyMs;
    if (faultTable[code].retryable) {
      const triedBefore = tried.length === 0 ? 0 : Math.min(...tried.map(({ attempts }) => attempts));
      call.log.warn({ event: 'push_put_off', requestId: call.requestId, oktaGroupId, code, triedBefore });
      waitMs = backoffMs(triedBefore, retryAfterSeconds);
    } else {
      await mappingHealth.failed(oktaGroupId, fault, call);
    }
    const untilMs = clock.now() + waitMs;
    await putOffUntil(untilMs, tried, call);
    // A message that is too early finds nothing to do.
    await pendingSender.sendAt(oktaGroupId, untilMs, call);
  }

  return {
    run: async (message, call) => {
      const named = readMappingMessage(message);
      const mapping = named === null ? null : await pushMappings.get(named.oktaGroupId, call);
      if (named === null) {
        call.log.error({ event: 'push_message_unreadable', requestId: call.requestId });
        return;
      }
      const { oktaGroupId } = named;
      // From now on a new event sends a message of its own: what it has stored by then may be read already or not.
      await pushPending.unmark(oktaGroupId, call);
      if (mapping === null || mapping.status === 'INACTIVE') {
        await pushPending.removeAll(oktaGroupId, call);
        return;
      }
      let tried: readonly PendingChange[] = [];
      try {
        tried = await listDue(oktaGroupId, call);
        if (tried.length === 0) return;
        await groupLock.hold(mapping.targetId, { waitMs: patienceMs }, call, async (held) => {
          // As it stands now: another worker may have served it while this one waited.
          const current = await pushMappings.get(oktaGroupId, held.call);
          tried = (await listDue(oktaGroupId, held.call)).slice(0, servedAtOnce);
          if (current === null || current.status === 'INACTIVE' || tried.length === 0) return;
          await serve(current, tried, held);
        });
        await sendRest(oktaGroupId, call.proving());
      } catch (error) {
        const fault = toFault(error);
        if (isFault(fault, 'internal_error')) {
          await mappingHealth.broken(oktaGroupId, call.proving());
          throw error;
        }
        await failed(oktaGroupId, tried, fault, call.proving());
      }
    },

    giveUp: async (message, call) => {
      const named = readMappingMessage(message);
      const oktaGroupId = named?.oktaGroupId ?? null;
      call.log.error({ event: 'push_message_poisoned', requestId: call.requestId, oktaGroupId });
      if (oktaGroupId === null) return;
      try {
        const mapping = await pushMappings.get(oktaGroupId, call);
        if (mapping !== null) await mappingHealth.failed(oktaGroupId, poisoned(mapping), call);
        // What broke the worker would break it again with every sweep.
        await putOffUntil(clock.now() + faultyMs, await listDue(oktaGroupId, call), call);
      } catch (error) {
        call.log.error({ event: 'push_error_not_stored', requestId: call.requestId, oktaGroupId }, error);
      }
    },
  };
}

/** Who was to be removed and was not, since people came and went meanwhile: is looked at again. */
function heldBack({ plan, isSteady, people }: Survey): string[] {
  if (isSteady) return [];
  const kept = new Set(plan.kept.flatMap(({ entraId, code }) => (code === 'held_back' ? [entraId.toLowerCase()] : [])));
  return [...people.values()].flatMap(({ oktaUserId, entraId }) =>
    entraId !== null && kept.has(entraId.toLowerCase()) ? [oktaUserId] : [],
  );
}

function poisoned({ defect }: PushMapping): Pick<Fault, 'code' | 'message' | 'fix'> {
  const trace = defect === null ? 'the host ended again and again while it worked' : `its last requestId is ${defect}`;
  return {
    code: 'internal_error',
    message: `The worker of this mapping failed again and again; ${trace}.`,
    fix: 'Look for the requestId or the oktaGroupId in the logs and report it; then push the mapping: a clean reconcile ends the ERROR.',
  };
}

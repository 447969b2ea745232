import type { Audit } from '../../audit/audit.ts';
import type { Call } from '../../call.ts';
import type { Clock } from '../../clock.ts';
import { isFault } from '../../errors.ts';
import type { OperationSender } from '../../operations/operationSender.ts';
import type { OperationStore } from '../../operations/operationStore.ts';
import type { ImmutableIdQuestion } from '../readImmutableId.ts';
import type { PlannedStep, RepairGoal } from '../repairPlan.ts';
import type { CheckedRepair, HeldUser, RepairEngine } from './engine.ts';
import type { Repair, RepairTurn } from './repair.ts';
import { repairRunning } from './repairEngine.ts';
import { changeAfter, warnOfAddresses } from './repairOperation.ts';
import { answerOfCheck, answerOfRepair, answerOfTurn, type RepairAnswer } from './repairAnswer.ts';

export interface ImmutableIdRepairer {
  /**
   * Makes the immutable ID of one user what it should be, or goes on with the repair that is under way. What will not
   * end within the request goes on by itself.
   * @throws Fault `member_not_found`, `immutable_id_unknown`, `immutable_id_required`, `address_in_use`, one for each
   *   blocker (shared/identity/repair/checkRepair.ts), `repair_running`, `user_busy`, `audit_unavailable`,
   *   `storage_unavailable`, upstream faults: nothing was written
   */
  repair(question: ImmutableIdQuestion, isDryRun: boolean, call: Call): Promise<RepairAnswer>;
}

export interface ImmutableIdRepairerDependencies {
  readonly repairEngine: RepairEngine;
  readonly operations: OperationStore;
  readonly operationSender: OperationSender;
  readonly audit: Audit;
  readonly clock: Clock;
}

/** For others who will be done soon. */
const patienceMs = 5_000;
/** When a worker takes over from a request that has gone silent: no request lives so long. */
const takeOverMs = 60_000;
/** When to ask for what somebody else is at. */
const lookAgainMs = 5_000;

export function createImmutableIdRepairer(dependencies: ImmutableIdRepairerDependencies): ImmutableIdRepairer {
  const { repairEngine, operations, operationSender, audit, clock } = dependencies;

  /** Whatever becomes of the request from then on, a worker comes. */
  async function startOperation({ userId, before, desired }: RepairGoal, call: Call): Promise<string> {
    const operation = await operations.create(
      {
        type: 'repairImmutableId',
        targetId: userId.toLowerCase(),
        targetName: before.userPrincipalName,
        requestId: call.requestId,
        isDryRun: false,
        fingerprint: JSON.stringify([userId, desired]),
        message: `The immutable ID of ${before.userPrincipalName} is being repaired.`,
      },
      call,
    );
    const { operationId } = operation;
    const dueAtMs = clock.now() + takeOverMs;
    await operations.update(operationId, { state: 'queued', dueAtMs }, call);
    await operationSender.enqueue({ operationId }, call, dueAtMs);
    return operationId;
  }

  /** Tells whoever asks for the operation; one that cannot be told finds out by itself. */
  async function storeTurn(operationId: string, turn: RepairTurn, call: Call): Promise<void> {
    try {
      await operations.update(operationId, changeAfter(turn), call);
      if (turn.type === 'waiting') await operationSender.enqueue({ operationId }, call, turn.untilMs);
    } catch (error) {
      if (!isFault(error)) throw error;
      call.log.warn({ event: 'repair_not_told', requestId: call.requestId, operationId, code: error.code });
    }
  }

  /** One turn; a fault in it is not the answer: the repair is under way, and goes on by itself. */
  async function takeTurn(repair: Repair, isOwn: boolean, held: HeldUser, call: Call): Promise<RepairAnswer> {
    try {
      const turn = await held.resume(repair.repairId);
      if (turn === null) return underWay(repair);
      warnOfAddresses(turn, call);
      if (isOwn) await storeTurn(repair.operationId, turn, call.proving());
      return answerOfTurn(turn, clock.now());
    } catch (error) {
      if (!isFault(error) || isFault(error, 'internal_error')) throw error;
      call.warn(error.message);
      // Of this turn nothing more is known.
      return { ...underWay(repair), changed: true };
    }
  }

  async function begin({ okta }: CheckedRepair, goal: RepairGoal, held: HeldUser, call: Call): Promise<RepairAnswer> {
    const operationId = await startOperation(goal, held.call);
    try {
      return await takeTurn(await held.begin(goal, { operationId, okta }), true, held, call);
    } catch (error) {
      if (isFault(error, 'repair_running')) {
        const { code, message, fix } = error;
        const ended = { state: 'failed', endedAtMs: clock.now(), code, message, fix } as const;
        await operations.update(operationId, ended, call.proving());
      }
      throw error;
    }
  }

  /** Of an open repair that wants the same. */
  async function join(repair: Repair, isDryRun: boolean, call: Call): Promise<RepairAnswer> {
    if (isDryRun) return { ...underWay(repair), changed: false };
    const operation = await operations.get(repair.operationId, call);
    const isOwn = operation?.type === 'repairImmutableId';
    return repairEngine.hold(repair.userId, patienceMs, call, (held) => takeTurn(repair, isOwn, held, call));
  }

  const underWay = (repair: Repair): RepairAnswer => answerOfRepair(repair, clock.now() + lookAgainMs, clock.now());

  /** The repair of this user that is under way towards the same; null: none. @throws Fault `repair_running` */
  async function findSame({ given }: ImmutableIdQuestion, user: string, call: Call): Promise<Repair | null> {
    const open = await repairEngine.findOpen(user, call);
    if (open === null || given === null || given.immutableId === open.record.desired) return open;
    throw repairRunning(open);
  }

  return {
    repair: async (question, isDryRun, call) => {
      const open = await findSame(question, question.user, call);
      if (open !== null) {
        warnOfOtherApp(question, open, call);
        return unlessBusy(() => join(open, isDryRun, call), question, open.userId, call);
      }
      const checked = await repairEngine.check(question, call);
      const { goal } = checked;
      if (goal === null || isDryRun) return answerOfCheck(checked);
      await audit.probe(call);
      const work = () => repairEngine.hold(goal.userId, patienceMs, call, (held) => begin(checked, goal, held, call));
      const answer = await unlessBusy(work, question, goal.userId, call);
      return { ...answer, plan: leftToOthers(question, checked), findings: checked.description.findings };
    },
  };

  /** Whoever is at this user for the same brings about what was asked for. */
  async function unlessBusy(
    work: () => Promise<RepairAnswer>,
    question: ImmutableIdQuestion,
    userId: string,
    call: Call,
  ): Promise<RepairAnswer> {
    try {
      return await work();
    } catch (error) {
      const open = isFault(error, 'user_busy') ? await findSame(question, userId, call) : null;
      if (open === null) throw error;
      return underWay(open);
    }
  }
}

/** What a repair takes care of is settled when it is begun. */
function warnOfOtherApp({ oktaAppId }: ImmutableIdQuestion, { okta }: Repair, call: Call): void {
  const appId = okta?.appId ?? null;
  if (oktaAppId === null || oktaAppId === appId) return;
  const begun = appId === null ? 'without Okta' : `with the app ${appId}`;
  call.warn(`The repair that is under way was begun ${begun}; nothing is done in the app ${oktaAppId} of Okta.`);
}

/** Without a look at Okta its steps are for whoever has one. */
function leftToOthers(
  { oktaAppId }: ImmutableIdQuestion,
  { description, okta }: CheckedRepair,
): readonly PlannedStep[] {
  if (oktaAppId === null || okta !== null) return [];
  return description.plan.filter(({ upstream }) => upstream === 'okta');
}

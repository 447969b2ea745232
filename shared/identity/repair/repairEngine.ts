import type { Clock } from '../../clock.ts';
import { Fault, isFault } from '../../errors.ts';
import type { Call } from '../../call.ts';
import type { GraphIdentityReads, IdentityUser } from '../../graph/identityReads.ts';
import type { ImmutableIdQuestion, ImmutableIdReader } from '../readImmutableId.ts';
import type { RepairGoal } from '../repairPlan.ts';
import { startRepair } from '../repairMachine.ts';
import { goalOf } from './checkRepair.ts';
import type { RepairEngine, RepairOwner } from './engine.ts';
import type { Repair, RepairSide } from './repair.ts';
import { openSession } from './repairSession.ts';
import type { NewRepair, RepairStore } from './repairStore.ts';
import { takeRepairTurn } from './repairTurn.ts';
import type { UserDriver } from './userDriver.ts';
import type { UserLock } from './userLock.ts';

export interface RepairEngineDependencies {
  readonly immutableIdReader: ImmutableIdReader;
  readonly identityReads: Pick<GraphIdentityReads, 'addressHolders'>;
  readonly repairs: RepairStore;
  readonly userLock: UserLock;
  readonly userDriver: UserDriver;
  /** null where Okta's API is not configured: its steps are then for a flow or a person. */
  readonly oktaSideOfRepair: RepairSide | null;
  readonly clock: Clock;
}

export function createRepairEngine(dependencies: RepairEngineDependencies): RepairEngine {
  const { immutableIdReader, identityReads, repairs, userLock, oktaSideOfRepair, clock } = dependencies;

  /** @throws Fault `address_in_use` where the user could not be moved to the temporary name */
  async function refuseTaken({ temporaryUpn, userId, before }: RepairGoal, call: Call): Promise<void> {
    const holders = temporaryUpn === null ? [] : await identityReads.addressHolders(temporaryUpn, call);
    const [holder] = holders.filter(({ id }) => id !== userId);
    if (holder === undefined) return;
    throw new Fault('address_in_use', {
      detail: `Nothing was written to ${before.userPrincipalName}: its user principal name would have to be ${temporaryUpn ?? ''} for a moment, which is an address of ${holder.userPrincipalName} (${holder.id}).`,
      fix: `Take the address from ${holder.userPrincipalName}, or give ${before.userPrincipalName} another one in a managed domain.`,
    });
  }

  /** Under the name before the last repair as well, from which a late write may have moved the user. */
  async function describe(question: ImmutableIdQuestion, last: Repair | null, call: Call) {
    try {
      return await immutableIdReader.describe(question, call);
    } catch (error) {
      if (!isFault(error, 'member_not_found') || last?.lookAgainAtMs == null) throw error;
      return immutableIdReader.describe({ ...question, user: last.userId }, call);
    }
  }

  return {
    findOpen: async (user, call) => {
      const found = await repairs.find(user, call);
      return found === null || found.repair.phase === 'ended' ? null : found.repair;
    },

    last: async (userId, call) => (await repairs.find(userId, call))?.repair ?? null,

    check: async (question, call) => {
      const last = (await repairs.find(question.user, call))?.repair ?? null;
      const description = await describe(question, last, call);
      const goal = homewardGoal(goalOf(description), description.facts.user, last, call);
      const { oktaAppId } = question;
      if (goal !== null) await refuseTaken(goal, call);
      const isAlone = goal === null || oktaAppId === null || oktaSideOfRepair === null;
      const okta = isAlone ? null : await oktaSideOfRepair.check(oktaAppId, description, call);
      return { description, goal, okta };
    },

    hold: (userId, waitMs, call, work) =>
      userLock.hold(userId, waitMs, call, (heldCall, lost) =>
        work({
          call: heldCall,
          lost,

          begin: async (goal, owner) => {
            const { type, stored } = await repairs.create(newRepair(goal, owner, clock.now()), heldCall);
            if (type === 'open') throw repairRunning(stored.repair);
            return stored.repair;
          },

          resume: async (repairId) => {
            const stored = await repairs.find(userId, heldCall);
            if (stored?.repair.repairId !== repairId) return null;
            const ofOperation = { ...heldCall, operationId: stored.repair.operationId };
            return takeRepairTurn(openSession(repairs, stored, lost, ofOperation), dependencies);
          },
        }),
      ),
  };
}

/**
 * Whom a late write of the last repair has moved to its temporary name is not at home there: a new repair takes the place of
 * the look that would see to it.
 */
function homewardGoal(
  goal: RepairGoal | null,
  { id, userPrincipalName, immutableId }: IdentityUser,
  last: Repair | null,
  call: Call,
): RepairGoal | null {
  if (last?.userId.toLowerCase() !== id.toLowerCase() || last.lookAgainAtMs === null) return goal;
  const { before, isFederated, temporaryUpn } = last.record;
  if (temporaryUpn?.toLowerCase() !== userPrincipalName.toLowerCase()) return goal;
  call.warn(
    `A late write of the last repair has moved ${before.userPrincipalName} to ${temporaryUpn}: a repair brings the user home.`,
  );
  const desired = goal === null ? immutableId : goal.desired;
  return { userId: id, desired, before: { ...before, immutableId }, isFederated, temporaryUpn };
}

export function repairRunning({ record, operationId }: Repair): Fault {
  const { before, desired } = record;
  return new Fault('repair_running', {
    detail: `A repair of ${before.userPrincipalName} is under way, towards the immutable ID ${desired ?? 'none'}; nothing else was begun.`,
    fix: `Wait until GET operations/${operationId} says done; then repeat the request.`,
  });
}

function newRepair(goal: RepairGoal, { operationId, okta }: RepairOwner, nowMs: number): NewRepair {
  return {
    userId: goal.userId,
    operationId,
    okta,
    phase: okta === null ? 'user' : 'before',
    record: startRepair(goal, nowMs),
    seen: null,
    oktaState: null,
    steps: [],
    refusal: null,
    attention: null,
    addresses: null,
    endedAtMs: null,
    lookAgainAtMs: null,
  };
}

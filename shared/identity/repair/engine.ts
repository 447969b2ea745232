import type { Call } from '../../call.ts';
import type { ImmutableIdDescription, ImmutableIdQuestion } from '../readImmutableId.ts';
import type { RepairGoal } from '../repairPlan.ts';
import type { OktaPart, Repair, RepairTurn } from './repair.ts';

/**
 * Repairs of single users, whoever asks for them: an action, a queue's worker, a batch. The order is always
 * `check`, `hold`, see to it that somebody resumes after a crash (a message in a queue), `begin`, `resume`.
 */
export interface RepairEngine {
  /** The repair that has not ended yet of the user with this object id, original or temporary user principal name. */
  findOpen(user: string, call: Call): Promise<Repair | null>;
  /** The last repair of this user, open or ended. @param userId object id */
  last(userId: string, call: Call): Promise<Repair | null>;
  /**
   * Everything that can be known before the first write; writes nothing.
   * @throws Fault `member_not_found`, `immutable_id_unknown`, `immutable_id_required`, `address_in_use`, one for each
   *   blocker, and faults of the upstreams
   */
  check(question: ImmutableIdQuestion, call: Call): Promise<CheckedRepair>;
  /**
   * Runs `work` while nobody else is at this user.
   * @param waitMs how long to wait for somebody else to be done
   * @throws Fault `user_busy`, `storage_unavailable`
   */
  hold<Result>(userId: string, waitMs: number, call: Call, work: (held: HeldUser) => Promise<Result>): Promise<Result>;
}

export interface CheckedRepair {
  readonly description: ImmutableIdDescription;
  /** null: the immutable ID is as desired already. */
  readonly goal: RepairGoal | null;
  /** Okta's side, where the question names an app. */
  readonly okta: OktaPart | null;
}

/** A user that nobody else repairs meanwhile. */
export interface HeldUser {
  /** Ends when the hold is lost. */
  readonly call: Call;
  readonly lost: AbortSignal;
  /**
   * Stores the end state, and writes nothing. The caller has a message queued before, that somebody resumes.
   * @throws Fault `repair_running` where the user has an open repair; storage faults
   */
  begin(goal: RepairGoal, owner: RepairOwner): Promise<Repair>;
  /**
   * Goes on with the user's last repair until it ends, or must wait for longer than some seconds or than the call has.
   * What has ended is looked at again: it is only ever brought home. null: it has none, or not this one.
   * @throws Fault `user_busy` when the hold was lost and somebody else goes on, `deadline_exceeded`, `storage_unavailable`
   */
  resume(repairId: string): Promise<RepairTurn | null>;
}

/** Whose work a repair is. */
export interface RepairOwner {
  readonly operationId: string;
  /** null: Okta's side is left alone. */
  readonly okta: OktaPart | null;
}

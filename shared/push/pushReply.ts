import type { MemberRow } from '../groups/membership/memberRows.ts';
import type { MappingStatus } from './mapping.ts';

/** A full reconcile that a person asks for. */
export interface PushRequest {
  readonly isDryRun: boolean;
  /** Only this plan may be carried out; null: whatever is found. */
  readonly planId: string | null;
  /** The caller's own limit for removals; null: the guard's. */
  readonly maxRemovals: number | null;
  readonly allowEmpty: boolean;
  /** Okta users, by id or login, whose match in Entra may be found anew. */
  readonly repin: readonly string[];
  /** Whether it makes an INACTIVE mapping ACTIVE: before anything is written, and once its plan has been found to hold. */
  readonly activates: boolean;
}

export const pushOutcomes = ['updated', 'unchanged', 'partial', 'failed', 'planned', 'running'] as const;
export type PushOutcome = (typeof pushOutcomes)[number];

/** What came of a push, or what would. The same keys whether it is done, planned or goes on as an operation. */
export interface PushReply {
  readonly ok: boolean;
  readonly outcome: PushOutcome;
  readonly changed: boolean;
  readonly message: string;
  readonly oktaGroupId: string;
  readonly targetId: string;
  /** Of the mapping, after this. */
  readonly status: MappingStatus;
  readonly planId: string | null;
  readonly operationId: string | null;
  readonly done: boolean;
  readonly retryAfterSeconds: number | null;
  readonly desiredCount: number;
  readonly actualCount: number;
  readonly plannedCount: number;
  readonly addedCount: number;
  readonly removedCount: number;
  readonly unchangedCount: number;
  readonly keptCount: number;
  readonly failedCount: number;
  /** Desired people who are nobody that can be added; a part of `failedCount`, as are those who wait. */
  readonly unresolvedCount: number;
  readonly waitingCount: number;
  readonly firstError: string | null;
  /** Drift: members that somebody else added, and members of the mapping's that somebody else removed. */
  readonly addedOutsideCount: number;
  readonly removedOutsideCount: number;
  readonly addedOutside: readonly string[];
  readonly removedOutside: readonly string[];
  /** What authority `exclusive` would remove beyond this plan. */
  readonly exclusiveWouldRemoveCount: number;
  readonly exclusiveWouldRemove: readonly string[];
  readonly results: readonly MemberRow[];
}

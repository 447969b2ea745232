import type { Call } from '../../call.ts';
import type { FaultCode } from '../../errors.ts';
import type { AddressChanges } from '../repairPlan.ts';
import type { ImmutableIdDescription } from '../readImmutableId.ts';
import type { SeenUser } from '../repairMachine.ts';
import type { RepairRecord } from '../repairRecord.ts';

/** A repair as it is stored, one a user: the last one that was begun. */
export interface Repair {
  readonly repairId: string;
  readonly userId: string;
  /** Of the operation that brings it to its end: its own, or a batch. */
  readonly operationId: string;
  /** Okta's side, where it is to be taken care of; null: it is left alone. */
  readonly okta: OktaPart | null;
  readonly phase: RepairPhase;
  readonly record: RepairRecord;
  /** The user as it was read last; null: not yet, or there is no such user. */
  readonly seen: SeenUser | null;
  /** What Okta's side has stored for itself, as JSON; null: nothing yet. */
  readonly oktaState: unknown;
  /** Every step that was taken, in order. */
  readonly steps: readonly RepairStepRow[];
  /** Why nothing of the user in Entra was to be written; null: no such reason. */
  readonly refusal: Refused | null;
  /** Why a person should look at it: one sentence; null: all in order. */
  readonly attention: string | null;
  /** What became of mail and addresses; null: not looked at yet. */
  readonly addresses: AddressChanges | null;
  readonly createdAtMs: number;
  readonly updatedAtMs: number;
  /** Of the end of all its phases. */
  readonly endedAtMs: number | null;
  /** When it is looked at once more, for what has landed late; null: never again. */
  readonly lookAgainAtMs: number | null;
}

export interface OktaPart {
  readonly appId: string;
  readonly oktaUserId: string;
  /** Whether "Deactivate Users" is this repair's to turn off and on; a batch does it once for all. */
  readonly togglesFeature: boolean;
}

/**
 * `before` Okta's side is made ready, nothing is written in Entra; `user` Entra's side; `after` Okta's side is brought
 * back, whatever came of the user; `ended`.
 */
export type RepairPhase = 'before' | 'user' | 'after' | 'ended';

/** One step as a reply shows it. */
export interface RepairStepRow {
  readonly step: RepairStepName;
  readonly outcome: RepairStepOutcome;
  /** The outcome where all is well, else why not. */
  readonly code: string;
  /** One sentence. */
  readonly message: string;
}

export const repairStepNames = [
  'turnOffDeactivateUsers',
  'unassignFromOkta',
  'setImmutableId',
  'moveUpn',
  'restoreUpn',
  'assignInOkta',
  'turnOnDeactivateUsers',
] as const;
export type RepairStepName = (typeof repairStepNames)[number];

/** `unknown` it was sent, and what came of it is not known; `not_sent` it was not carried out and is tried again. */
export const repairStepOutcomes = ['done', 'unchanged', 'refused', 'unknown', 'not_sent'] as const;
export type RepairStepOutcome = (typeof repairStepOutcomes)[number];

export interface Refused {
  readonly code: FaultCode;
  readonly message: string;
  readonly fix: string;
}

/** What came of one turn of a repair. */
export type RepairTurn =
  | { readonly type: 'ended'; readonly repair: Repair }
  /** Nothing can be done before `untilMs`: whoever owns it resumes it then. */
  | { readonly type: 'waiting'; readonly repair: Repair; readonly untilMs: number };

/**
 * Okta's side of a repair. `before` and `after` are called again after a crash, and after each
 * `wait`, until they say something else; what they need for that they store by `save` BEFORE they write.
 */
export interface RepairSide {
  /** What is known before anything is stored. @throws Fault where the user cannot be unassigned, as by a group */
  check(appId: string, description: ImmutableIdDescription, call: Call): Promise<OktaPart>;
  before(repair: Repair, part: OktaPart, save: SaveSide, call: Call): Promise<SideTurn>;
  /** Whatever came of the user, also after a refusal in `before`: brings Okta back to what was stored. Never refuses. */
  after(repair: Repair, part: OktaPart, save: SaveSide, call: Call): Promise<Exclude<SideTurn, { type: 'refused' }>>;
}

/** Stores the side's state, and adds rows of steps. @throws Fault `storage_unavailable`: then nothing may be written */
export type SaveSide = (state: unknown, ...steps: readonly RepairStepRow[]) => Promise<Repair>;

export type SideTurn =
  | { readonly type: 'done' }
  /** Lag, throttling, or somebody else at the app. @param attention why a person should look; null: all in order */
  | { readonly type: 'wait'; readonly untilMs: number; readonly attention: string | null }
  /** Nothing shall be written in Entra; `after` is called next. */
  | { readonly type: 'refused'; readonly refusal: Refused };

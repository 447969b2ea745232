import type { OktaAppUser } from '../../okta/apps.ts';
import type { AssignmentContent } from '../../okta/provisioning.ts';

/** What Okta's side of a repair stores before it writes. */
export interface AssignmentState {
  /** With what the user was assigned; null: not assigned, so that nothing is to be brought back. */
  readonly former: AssignmentContent | null;
  /** Whether this repair holds "Deactivate Users" off by itself, and not a batch for it. */
  readonly holdsFeature: boolean;
  /** Stored before it is sent; `answered` with what follows. */
  readonly unassignment: 'none' | 'sent' | 'answered';
  /** One was sent that never showed: it may still be carried out, after the user was assigned again. */
  readonly hasLostUnassignment: boolean;
  /** Everything is as it was, or as near to it as Okta lets it be. */
  readonly isBack: boolean;
  /** Since when it is tried to bring things back; null: not yet. */
  readonly backSinceMs: number | null;
  /** Refusals on the way back. */
  readonly refusals: number;
}

/** Pure. What a user that is found assigned, or not, is stored as before anything is written. */
export function stateOf(appUser: OktaAppUser | null): AssignmentState {
  return {
    former: appUser === null ? null : { userName: appUser.userName, profile: appUser.profile },
    holdsFeature: false,
    unassignment: 'none',
    hasLostUnassignment: false,
    isBack: false,
    backSinceMs: null,
    refusals: 0,
  };
}

/** Pure. Whether a group assigns the user, who then cannot be unassigned alone (okta.md §4). */
export function isByGroup(appUser: OktaAppUser | null): boolean {
  return appUser?.scope === 'GROUP';
}

/** Pure. To be stored before unassigning is sent. */
export function beforeUnassigning(state: AssignmentState): Partial<AssignmentState> {
  return { unassignment: 'sent', hasLostUnassignment: state.hasLostUnassignment || state.unassignment === 'sent' };
}

/** Pure. Whether the user is to be assigned: nobody is who was not unassigned by us. */
export function mustAssign({ former, unassignment }: AssignmentState, seen: OktaAppUser | null): boolean {
  return former !== null && unassignment !== 'none' && (seen === null || isByGroup(seen));
}

/** Pure. Whether unassigning was sent to somebody who is assigned still. */
export function mayLandLate({ unassignment }: AssignmentState, seen: OktaAppUser | null): boolean {
  return unassignment === 'sent' && seen !== null;
}

/** Pure. Of what a repair has stored for Okta's side; null: nothing. */
export function mayHaveUnassigned(stored: unknown): boolean {
  const state = stored as AssignmentState | null;
  return state !== null && state.unassignment !== 'none';
}

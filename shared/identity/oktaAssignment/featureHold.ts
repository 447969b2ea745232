import type { DeactivateUsers } from '../../okta/provisioning.ts';

/**
 * "Deactivate Users" of one app while users are unassigned for repairs, kept in the blob whose lease is the right to
 * turn it: what it was before the first of them, and who still needs it off.
 */
export interface FeatureNotes {
  /** As it was before the first holder, and will be after the last; null: nobody has turned it. */
  readonly original: DeactivateUsers | null;
  /** Whose users may be unassigned: a repair or a batch each. */
  readonly holders: readonly FeatureHolder[];
  /** Turning it off was sent, and no answer has been stored. */
  readonly isOffSent: boolean;
  /** Turning it off was sent once without an answer: it may still be carried out after everything else. */
  readonly hasLostOff: boolean;
  /** Until then, with no holders left, a late one is mended. */
  readonly watchUntilMs: number | null;
}

export interface FeatureHolder {
  readonly id: string;
  readonly type: 'repair' | 'batch';
  /** Object id of the user of a repair, operationId of a batch. */
  readonly owner: string;
  readonly sinceMs: number;
}

export const noFeatureNotes: FeatureNotes = {
  original: null,
  holders: [],
  isOffSent: false,
  hasLostOff: false,
  watchUntilMs: null,
};

/** The next single step; each is stored or proven by reading again, so that any of them may be taken twice. */
export type FeatureStep =
  | { readonly type: 'store'; readonly notes: FeatureNotes }
  | { readonly type: 'turn'; readonly to: DeactivateUsers; readonly notes: FeatureNotes | null }
  | { readonly type: 'done' };

/** What has landed late does so within this time. */
const watchMs = 60 * 60_000;

/**
 * Pure. Towards the feature being off for `holder`, who is stored before it is turned.
 * @param seen null: the app provisions nobody, and disables nobody
 */
export function stepToHold(notes: FeatureNotes, seen: DeactivateUsers | null, holder: FeatureHolder): FeatureStep {
  if (seen === null) return { type: 'done' };
  if (!notes.holders.some(({ id }) => id === holder.id)) {
    // What a watch is for has not landed yet, and the first one's original still counts.
    const isOpen = notes.holders.length > 0 || notes.watchUntilMs !== null;
    const original = isOpen ? notes.original : seen;
    return { type: 'store', notes: { ...notes, original, holders: [...notes.holders, holder] } };
  }
  if (seen === 'DISABLED') return { type: 'done' };
  // Somebody has turned it on meanwhile, or it was read too early: that is how it is to be left.
  if (notes.original === 'DISABLED') return { type: 'store', notes: { ...notes, original: 'ENABLED' } };
  return { type: 'turn', to: 'DISABLED', notes: offSent(notes) };
}

/** Pure. Towards `holderId` being gone; the last one leaves the feature as it was before it is forgotten. */
export function stepToLetGo(
  notes: FeatureNotes,
  seen: DeactivateUsers | null,
  holderId: string,
  nowMs: number,
): FeatureStep {
  const others = notes.holders.filter(({ id }) => id !== holderId);
  if (others.length === notes.holders.length) return { type: 'done' };
  if (others.length > 0) return { type: 'store', notes: { ...notes, holders: others } };
  if (isToBeTurnedOn(notes, seen)) return { type: 'turn', to: 'ENABLED', notes: null };
  const isOpen = notes.original === 'ENABLED' && (notes.hasLostOff || notes.isOffSent);
  const watched = { ...noFeatureNotes, original: notes.original, hasLostOff: true, watchUntilMs: nowMs + watchMs };
  return { type: 'store', notes: isOpen ? watched : noFeatureNotes };
}

/** Pure. With nobody left: what was turned off late is turned on again. */
export function stepOfWatch(notes: FeatureNotes, seen: DeactivateUsers | null, nowMs: number): FeatureStep {
  if (notes.watchUntilMs === null || notes.holders.length > 0) return { type: 'done' };
  if (isToBeTurnedOn(notes, seen)) return { type: 'turn', to: 'ENABLED', notes: null };
  return nowMs < notes.watchUntilMs ? { type: 'done' } : { type: 'store', notes: noFeatureNotes };
}

/** Pure. After turning it off was answered; what was lost before stays lost. */
export function afterOff(notes: FeatureNotes): FeatureNotes {
  return { ...notes, isOffSent: false };
}

function offSent(notes: FeatureNotes): FeatureNotes {
  return { ...notes, isOffSent: true, hasLostOff: notes.hasLostOff || notes.isOffSent };
}

function isToBeTurnedOn({ original }: FeatureNotes, seen: DeactivateUsers | null): boolean {
  return original === 'ENABLED' && seen === 'DISABLED';
}

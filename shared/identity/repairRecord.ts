/**
 * What is stored of a repair: before its first write, and again before each further one, so that whoever finds it
 * after a crash knows where to bring the user. docs/immutable-id.md has the states and the transitions.
 */
export interface RepairRecord {
  /** Object id of the user, by which it is addressed throughout (graph.md §2.3). */
  readonly userId: string;
  /** What the immutable ID shall be; null: none. */
  readonly desired: string | null;
  /** The user as it was before. */
  readonly before: UserImage;
  /** Whether the user principal name was in a federated domain; null: could not be told. */
  readonly isFederated: boolean | null;
  /** Where the user principal name can be moved meanwhile; null: nowhere. */
  readonly temporaryUpn: string | null;
  readonly startedAtMs: number;

  /** Entra refused the immutable ID at the user's own user principal name, and not for the value or for our rights. */
  readonly isDirectRefused: boolean;
  /** Since when the user principal name may be the temporary one; null: it is not, as far as answers tell. */
  readonly awaySinceMs: number | null;
  /** A move whose answer was lost may still be carried out. */
  readonly hasLostMove: boolean;
  /** Whether a move was ever sent. */
  readonly hasMoved: boolean;
  /** Whether any write was or may have been carried out. */
  readonly hasChanged: boolean;
  /** Why the immutable ID will not be written; from then on the user is only brought home. */
  readonly turnedBack: TurnedBack | null;
  readonly last: LastWrite | null;
  /** Attempts in a row of one step that were not accepted. */
  readonly tries: number;
  /** Since when that step has been refused. */
  readonly refusedSinceMs: number | null;
  /** Nothing is done before. */
  readonly notBeforeMs: number;
  /** Set at the end; a repair that has ended only ever brings the user home again. */
  readonly ended: RepairOutcome | null;
}

/** What a repair looks at again afterwards. */
export interface UserImage {
  readonly userPrincipalName: string;
  readonly immutableId: string | null;
  readonly mail: string | null;
  readonly mailNickname: string | null;
  readonly proxyAddresses: readonly string[];
}

export type RepairStep = 'setImmutableId' | 'moveUpn' | 'restoreUpn';

export interface LastWrite {
  readonly step: RepairStep;
  /** `sent`: stored before it was sent, and nothing since. */
  readonly answer: 'sent' | WriteAnswer['type'];
  readonly atMs: number;
  /** Of a refusal. */
  readonly why: Refusal | null;
  /** What Entra said, or what is known of why it did not. */
  readonly message: string;
}

/** What came of a write in Graph, in the words that matter here. */
export type WriteAnswer =
  | { readonly type: 'accepted' }
  /** It may or may not have been carried out, now or later. */
  | { readonly type: 'lost'; readonly message: string }
  /** It was surely not carried out. */
  | { readonly type: 'throttled'; readonly waitMs: number }
  | { readonly type: 'refused'; readonly why: Refusal; readonly message: string };

/**
 * `conflict` the value is another's, `invalid` Entra takes no such value, `forbidden` 403, `synced` the user is mastered
 * on-premises, `missing` no such user, `other` anything else, which in a federated domain is how Entra refuses the immutable ID (graph.md §2.2, inferred),
 * and elsewhere may be a replica that lags behind.
 */
export type Refusal = 'conflict' | 'invalid' | 'forbidden' | 'synced' | 'missing' | 'other';

/** `no_managed_domain` nowhere to move to, `unreachable` no answer for an hour, with the user where it was. */
export type TurnedBackReason = Refusal | 'no_managed_domain' | 'unreachable';

export interface TurnedBack {
  readonly step: RepairStep;
  readonly reason: TurnedBackReason;
  /** What Entra said. */
  readonly message: string;
}

/**
 * `unchanged` it was so already, `repaired` it is so now, `refused` nothing was changed, `rolled_back` the user is home
 * with the former value, `overtaken` somebody else has changed the user meanwhile, `gone` the user was deleted.
 */
export const repairOutcomes = ['unchanged', 'repaired', 'refused', 'rolled_back', 'overtaken', 'gone'] as const;
export type RepairOutcome = (typeof repairOutcomes)[number];

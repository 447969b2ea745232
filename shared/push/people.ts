import type { FaultCode } from '../errors.ts';

/** How an Okta user came to be matched with an object in Entra. */
export type MatchedBy = 'externalId' | 'userPrincipalName';

/** One member of a mapped Okta group, and who it is in Entra: pinned by ids once it is known (design §6.6). */
export interface PushPerson {
  readonly oktaUserId: string;
  /** Okta login when it was matched. */
  readonly login: string;
  /** Entra object id; null while nobody is matched. */
  readonly entraId: string | null;
  /** For people: an address. */
  readonly label: string;
  readonly matchedBy: MatchedBy | null;
  /** Why this person is not a member although desired; null: none known. */
  readonly problem: { readonly code: FaultCode; readonly message: string; readonly sinceMs: number } | null;
}

/**
 * A member that a mapping has added: together they are its managed set (design §2). It is written before the member is:
 * `adding` and `removing` are found after a crash, and whatever came of the write is then ours. `removed` is kept for a
 * while, since Graph may still show who is gone.
 */
export interface ManagedMember {
  /** Entra object id. */
  readonly entraId: string;
  /** Whom it is a member for; null, as `login`: for nobody, and was removed as one that the mapping had not added. */
  readonly oktaUserId: string | null;
  readonly login: string | null;
  readonly label: string;
  readonly state: 'adding' | 'added' | 'removing' | 'removed';
  readonly changedAtMs: number;
}

import type { Call } from '../call.ts';

/** A group at the source. */
export interface SourceGroup {
  readonly id: string;
  readonly name: string;
  /** ISO 8601; moves with every change of members; null where the source does not tell. */
  readonly membershipUpdatedAt: string | null;
}

/** Somebody at the source. */
export interface SourcePerson {
  /** Okta user id. */
  readonly id: string;
  readonly login: string;
  /** Okta's, in capitals. */
  readonly status: string;
}

/** Somebody's account in the Office 365 app. */
export interface SourceAccount {
  /** Entra object id in lower case; null for sign-in alone, and where the app knows the account by something else. */
  readonly externalId: string | null;
  readonly userPrincipalName: string | null;
}

/**
 * Who is to be a member: Okta's API today, others may follow (design §2). No method takes a failure for an absence: what
 * cannot be read is thrown, never an empty list.
 */
export interface PushSource {
  readonly isConfigured: boolean;
  /** null: the source itself says that there is none. */
  group(groupId: string, call: Call): Promise<SourceGroup | null>;
  /** Members with their states, a page at a time. @throws Fault `okta_object_not_found` where there is no such group */
  memberPages(groupId: string, call: Call): AsyncGenerator<readonly SourcePerson[], void, undefined>;
  /**
   * One person, by id, and whether it is a member of the group now; `person` is null where there is none. A group that
   * is not there has no members: whoever asks has read it before.
   */
  membership(
    groupId: string,
    userId: string,
    call: Call,
  ): Promise<{ readonly isMember: boolean; readonly person: SourcePerson | null }>;
  /** Somebody by id or whole login; null: the source says that there is none. */
  person(idOrLogin: string, call: Call): Promise<SourcePerson | null>;
  /**
   * Accounts in the app of these people, by Okta user id; who has none is left out. With nobody given only the app is
   * looked at.
   * @throws Fault `okta_object_not_found` or `invalid_request`, which names `oktaAppId`, where it is no app of that kind
   */
  accounts(appId: string, userIds: readonly string[], call: Call): Promise<ReadonlyMap<string, SourceAccount>>;
}

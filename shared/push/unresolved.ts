import type { FaultCode } from '../errors.ts';
import { isAboutSomebodyCertain } from '../groups/membership/membershipPlan.ts';
import type { Match } from './pushMatcher.ts';
import type { SourcePerson } from './source.ts';

/** A desired person who is nobody that can be added. */
export interface UnresolvedPerson {
  readonly oktaUserId: string;
  readonly login: string;
  readonly code: FaultCode;
  readonly message: string;
  /** Whether it is a matter of time: the mailbox is not there yet. */
  readonly isWaiting: boolean;
}

export function unresolvedPerson(person: SourcePerson, match: Exclude<Match, { type: 'matched' }>): UnresolvedPerson {
  const { code, message } = match;
  return { oktaUserId: person.id, login: person.login, code, message, isWaiting: isWaitingCode(code) };
}

export function isWaitingCode(code: FaultCode): boolean {
  return code === 'no_mailbox';
}

/** What desired people who are not resolved protect from removal. */
export interface Holds {
  /** Whether one of them may be any member, under another name. */
  readonly isAnyoneUnknown: boolean;
  /** Whether an object is one of them by what is known of it: whom it was for, and what it is called. */
  includes(object: { readonly oktaUserIds: readonly string[]; readonly names: readonly (string | null)[] }): boolean;
}

export function createHolds(unresolved: readonly Pick<UnresolvedPerson, 'oktaUserId' | 'login' | 'code'>[]): Holds {
  const oktaUserIds = new Set(unresolved.map(({ oktaUserId }) => oktaUserId));
  const logins = new Set(unresolved.map(({ login }) => login.toLowerCase()));
  return {
    isAnyoneUnknown: unresolved.some(({ code }) => !isWaitingCode(code) && !isAboutSomebodyCertain(code)),
    includes: (object) =>
      object.oktaUserIds.some((id) => oktaUserIds.has(id)) ||
      object.names.some((name) => name !== null && logins.has(name.toLowerCase())),
  };
}

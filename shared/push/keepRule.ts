import type { FaultCode } from '../errors.ts';
import { bearersOf, type Candidate, isManaged } from './candidate.ts';
import type { Authority } from './mapping.ts';
import type { Holds } from './unresolved.ts';

/** Whether a member may be removed at all, whatever the authority of the mapping. */
export type RemovalPermission = (member: {
  /** Entra object id. */
  readonly id: string;
  readonly names: readonly (string | null)[];
}) => 'yes' | 'never_remove' | 'protected';

/** Why somebody stays who is not desired. */
export interface KeepReason {
  /** null where the rules of the mapping say so. */
  readonly code: FaultCode | null;
  readonly message: string;
}

/** Why an object that nobody wants is not removed with an authority; null: it is. */
export type KeepRule = (candidate: Candidate, authority: Authority) => KeepReason | null;

/** Pure. @param given.scope Okta users who are looked at; null: all */
export function createKeepRule(given: {
  readonly scope: ReadonlySet<string> | null;
  readonly mayRemove: RemovalPermission;
  readonly holds: Holds;
}): KeepRule {
  const { scope, mayRemove, holds } = given;
  return (candidate, authority) => {
    const { key, row, shown, pins } = candidate;
    if (authority === 'additive') return keptBy('Is not removed: the authority of the mapping is "additive".');
    if (authority === 'managed' && !isManaged(row)) {
      return keptBy('Is not removed: the mapping has not added it, and its authority is "managed".');
    }
    if (scope !== null && pins.some(({ oktaUserId }) => !scope.has(oktaUserId))) {
      return keptBy('Is not removed: another Okta user of the group is the same object in Entra.');
    }
    const bearers = bearersOf(candidate);
    const permission = mayRemove({ id: shown?.id ?? key, names: bearers.names });
    if (permission === 'never_remove') return keptBy('Is not removed: it is listed in neverRemove of the mapping.');
    if (permission === 'protected') {
      return { code: 'protected_object', message: 'Is not removed: it is listed in PROTECTED_USERS.' };
    }
    if (holds.includes(bearers)) {
      return {
        code: 'held_back',
        message: 'Is not removed: it is who a desired person was, who cannot be resolved now.',
      };
    }
    if (holds.isAnyoneUnknown && !isManaged(row) && (shown?.type ?? 'user') === 'user') {
      const message = 'Is not removed while a desired person cannot be resolved: it might be this member.';
      return { code: 'held_back', message };
    }
    return null;
  };
}

function keptBy(message: string): KeepReason {
  return { code: null, message };
}

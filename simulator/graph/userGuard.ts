import type { User } from '../tenant/model.ts';
import type { GraphContext } from './context.ts';

/**
 * Refuses, by throwing, a change of a user for what the user is, before its values are looked at. `changed` names the
 * properties in the request's body; `deletedDateTime` stands for a deletion or a restore.
 */
export type UserGuard = (context: GraphContext, target: User, changed: readonly string[]) => void;

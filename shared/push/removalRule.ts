import type { Call } from '../call.ts';
import type { GraphUsers } from '../graph/users.ts';
import { createProtectedUsers, type ProtectedUsers } from '../groups/protectedUsers.ts';
import type { MappingSettings } from './mapping.ts';
import type { PushPlanInput } from './pushPlan.ts';

/** Who may be removed at all, for one call: neither whom the mapping nor whom PROTECTED_USERS lists, by whatever name. */
export async function removalRule(
  { neverRemove }: Pick<MappingSettings, 'neverRemove'>,
  dependencies: { protectedUsers: ProtectedUsers; graphUsers: GraphUsers },
  call: Call,
): Promise<PushPlanInput['mayRemove']> {
  const isProtected = await dependencies.protectedUsers.test(call);
  const isNeverRemoved = await createProtectedUsers(neverRemove, dependencies.graphUsers).test(call);
  return ({ id, names }) => {
    if (isNeverRemoved([id, ...names])) return 'never_remove';
    return isProtected([id, ...names]) ? 'protected' : 'yes';
  };
}

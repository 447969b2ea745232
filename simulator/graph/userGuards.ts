import { badRequest } from './errors.ts';
import { refuseRestricted, refuseSensitive, refuseWithoutPermission } from './sensitiveGuards.ts';
import type { UserGuard } from './userGuard.ts';

/** graph.md §2.2 */
const refuseSynced: UserGuard = ({ tenant }, target, changed) => {
  const written = changed.filter((name) => name !== 'deletedDateTime');
  if (target.onPremisesSyncEnabled && written.some((name) => !tenant.settings.syncedUserWrites.includes(name)))
    throw badRequest(
      'Unable to update the specified properties for on-premises mastered Directory Sync objects or objects currently undergoing migration.',
    );
};

/** In the order in which they speak: who may not comes before what may not. */
const guards: readonly UserGuard[] = [refuseWithoutPermission, refuseRestricted, refuseSensitive, refuseSynced];

export const guardUser: UserGuard = (context, target, changed) => {
  for (const guard of guards) guard(context, target, changed);
};

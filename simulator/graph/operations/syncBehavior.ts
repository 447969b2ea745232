import { group, type GraphOperation } from '../context.ts';
import { entity } from '../query.ts';
import { syncBehaviorPermissions } from './permissions.ts';

/** Who is the authority over a group: graph.md §2.4. */
export const getSyncBehavior: GraphOperation = {
  method: 'GET',
  path: 'groups/*/onPremisesSyncBehavior',
  permissions: syncBehaviorPermissions,
  options: [],
  run(context) {
    const { id, isCloudManaged } = group(context);
    return entity(`groups('${id}')/onPremisesSyncBehavior`, { id, isCloudManaged });
  },
};

import type { Call } from '../call.ts';
import { Fault, isFault } from '../errors.ts';
import { isGraphFault } from '../graph/errors.ts';
import type { TokenSource } from '../upstream/tokens.ts';
import { readPermission, switchPermission } from './byHand.ts';

export type Access = 'read' | 'switch';

export interface Refusals {
  /**
   * What to tell of an error: a missing permission and a refusal of apps altogether come with the same words, and the
   * token tells them apart (graph.md §4). Anything else as it is.
   * @param byHand how a person does it
   */
  told(error: unknown, access: Access, byHand: string, call: Call): Promise<unknown>;
}

const sufficient: Readonly<Record<Access, readonly string[]>> = {
  read: [readPermission, switchPermission],
  switch: [switchPermission],
};
const doing: Readonly<Record<Access, string>> = {
  read: 'read the settings of the synchronization from on-premises',
  switch: 'switch bypassDirSyncOverridesEnabled',
};

export function createRefusals(dependencies: { graphTokens: Pick<TokenSource, 'get'> }): Refusals {
  const { graphTokens } = dependencies;

  /** What the token that Graph has just refused may do; a token that cannot be had says nothing. */
  async function rolesOfApp(call: Call): Promise<readonly string[] | null> {
    try {
      return (await graphTokens.get(call)).claims.roles;
    } catch (error) {
      if (isFault(error)) return null;
      throw error;
    }
  }

  return {
    told: async (error, access, byHand, call) => {
      if (!isGraphFault(error, 'forbidden') || error.code !== 'graph_permission_missing') return error;
      const [least] = sufficient[access];
      const roles = await rolesOfApp(call);
      const common = { upstream: 'graph' as const, upstreamRequestId: error.upstreamRequestId, cause: error };
      if (roles !== null && !sufficient[access].some((role) => roles.includes(role))) {
        return new Fault('graph_permission_missing', {
          ...common,
          detail: `To ${doing[access]} the app needs ${least} (Microsoft Graph, application permission), which its token lacks.`,
          fix: `Grant it with admin consent. Microsoft documents it for signed-in administrators alone and may refuse the app all the same: then by hand.\n${byHand}`,
        });
      }
      return new Fault('dirsync_app_refused', {
        ...common,
        detail: `Microsoft does not let this app ${doing[access]}: that is documented for a signed-in administrator alone.`,
        fix: byHand,
      });
    },
  };
}

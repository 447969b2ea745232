import type { Call } from '../call.ts';
import type { GraphSynchronization, Organization, Synchronization } from '../graph/synchronization.ts';
import { lookByHand, type Tenant } from './byHand.ts';
import { type FeatureRow, featureRows, isBypassOn } from './features.ts';
import type { Refusals } from './refusals.ts';
import type { SwitchRecord } from './switchRecord.ts';
import type { SwitchRecords } from './switchRecords.ts';

/** How Graph answers. */
export { synchronizationForms } from '../graph/synchronization.ts';

export interface DirSync {
  readonly organization: Organization;
  readonly synchronization: Synchronization;
  readonly bypassesOverrides: boolean;
  readonly features: readonly FeatureRow[];
  /** null: none is remembered. */
  readonly lastSwitch: SwitchRecord | null;
}

export interface DirSyncReader {
  /** @throws Fault `graph_permission_missing`, `dirsync_app_refused`, storage faults, upstream faults */
  read(call: Call): Promise<DirSync>;
}

export function createDirSyncReader(dependencies: {
  synchronization: GraphSynchronization;
  switchRecords: SwitchRecords;
  refusals: Refusals;
  graphBaseUrl: string;
}): DirSyncReader {
  const { synchronization, switchRecords, refusals, graphBaseUrl } = dependencies;

  async function readSettings(tenant: Tenant, call: Call): Promise<Synchronization> {
    try {
      return await synchronization.read(call);
    } catch (error) {
      throw await refusals.told(error, 'read', lookByHand(tenant), call);
    }
  }

  return {
    read: async (call) => {
      const organization = await synchronization.organization(call);
      const settings = await readSettings({ tenantId: organization.id, graphBaseUrl }, call);
      return {
        organization,
        synchronization: settings,
        bypassesOverrides: isBypassOn(settings.features),
        features: featureRows(settings.features),
        lastSwitch: await switchRecords.latest(call),
      };
    },
  };
}

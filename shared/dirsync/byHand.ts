import { bypassFeature } from './features.ts';

/** Where a person does what an app may not. */
export interface Tenant {
  readonly tenantId: string;
  /** Of the cloud the tenant is in. */
  readonly graphBaseUrl: string;
}

export const readPermission = 'OnPremDirectorySynchronization.Read.All';
export const switchPermission = 'OnPremDirectorySynchronization.ReadWrite.All';

/** Pure. How a person looks at the settings of the synchronization; one step a line. */
export function lookByHand({ tenantId, graphBaseUrl }: Tenant): string {
  return [
    `Look by hand, in Graph Explorer as an administrator of the tenant ${tenantId} with consent to ${readPermission}:`,
    `GET ${graphBaseUrl}/v1.0/directory/onPremisesSynchronization/${tenantId}`,
  ].join('\n');
}

/**
 * Pure. The switch as Microsoft documents it, for a signed-in Global Administrator alone (graph.md §3); one step a line.
 * @param switchId under which the phones before it are remembered
 */
export function switchByHand({ tenantId, graphBaseUrl }: Tenant, enabled: boolean, switchId: string): string {
  const body = JSON.stringify({ features: { [bypassFeature]: enabled } });
  const toTouch = `GET dirsync/users?switchId=${switchId}&only=touch`;
  return [
    `Switch by hand, as a Global Administrator of the tenant ${tenantId} with consent to ${switchPermission}.`,
    `In Graph Explorer: PATCH ${graphBaseUrl}/v1.0/directory/onPremisesSynchronization/${tenantId} with the body ${body}; 204 is success.`,
    'Or in PowerShell:',
    `Connect-MgGraph -TenantId ${tenantId} -Scopes ${switchPermission}`,
    `Update-MgDirectoryOnPremiseSynchronization -OnPremisesDirectorySynchronizationId ${tenantId} -Features @{ BypassDirSyncOverridesEnabled = $${String(enabled)} }`,
    ...(enabled
      ? [
          'Then on the sync server: Start-ADSyncSyncCycle -PolicyType Initial',
          `The phones as they are now are remembered as switch ${switchId}: after that cycle ${toTouch} lists whom to touch, so that Okta pushes again.`,
        ]
      : []),
  ].join('\n');
}

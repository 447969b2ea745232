/** The features of v1.0 (graph.md §3) and what each means. Where the sources say nothing but its name, it says so. */
const meanings = new Map(
  Object.entries({
    allowOnPremUpdateOfOnPremisesObjectIdentifierEnabled:
      'Synchronization may link another on-premises object to a user that is linked to one already, which is blocked since July 2026 unless this is on.',
    blockCloudObjectTakeoverThroughHardMatchEnabled:
      'A user of the cloud is not taken over by an on-premises user with the same immutable ID.',
    blockSoftMatchEnabled: 'A user of the cloud is not taken over by an on-premises user with the same address.',
    bypassDirSyncOverridesEnabled:
      'Mobile phones that were edited in the cloud give way to those on-premises with the next cycle; while it is off, the edited ones stay.',
    cloudPasswordPolicyForPasswordSyncedUsersEnabled:
      'Users whose passwords are synced have the password expiry of the cloud.',
    concurrentCredentialUpdateEnabled: 'Credentials may be written by both sides at once.',
    concurrentOrgIdProvisioningEnabled: 'Accounts may be provisioned by several at once.',
    deviceWritebackEnabled: 'Devices of the cloud are written back to Active Directory.',
    directoryExtensionsEnabled: 'Chosen further attributes of Active Directory are synced as extensions.',
    fopeConflictResolutionEnabled: 'Conflicts with addresses of the former Forefront Online Protection are resolved.',
    groupWriteBackEnabled: 'Microsoft 365 groups are written back to Active Directory.',
    passwordSyncEnabled: 'Hashes of passwords are synced from Active Directory.',
    passwordWritebackEnabled: 'Not in use: password writeback is configured on the sync server.',
    quarantineUponProxyAddressesConflictEnabled:
      'An address that somebody else has is set aside, and the rest of the object is synced.',
    quarantineUponUpnConflictEnabled:
      'A user principal name that somebody else has is set aside, and the rest of the object is synced.',
    softMatchOnUpnEnabled:
      'An on-premises user takes over the user of the cloud with the same user principal name, where no address matches.',
    synchronizeUpnForManagedUsersEnabled:
      'Changes of the user principal name are synced for licensed users of managed domains too; once on it cannot be turned off.',
    unifiedGroupWritebackEnabled: 'Microsoft 365 groups are written back as distribution groups.',
    userForcePasswordChangeOnLogonEnabled:
      'That a password must be changed at the next sign-in is synced from Active Directory.',
    userWritebackEnabled: 'Users of the cloud are written back to Active Directory.',
  }),
);

export interface FeatureRow {
  readonly feature: string;
  /** null: Graph did not say. */
  readonly enabled: boolean | null;
  readonly meaning: string;
}

export const bypassFeature = 'bypassDirSyncOverridesEnabled';

/** Pure. All that are known, in the order of their names, then what only Graph knows. */
export function featureRows(features: ReadonlyMap<string, boolean>): FeatureRow[] {
  const unknown = [...features.keys()].filter((feature) => !meanings.has(feature)).sort();
  return [...meanings.keys(), ...unknown].map((feature) => ({
    feature,
    enabled: features.get(feature) ?? null,
    meaning: meanings.get(feature) ?? 'Not known to this app: newer than it, or of a preview.',
  }));
}

/** Pure. Off unless Graph says otherwise (graph.md §3). */
export function isBypassOn(features: ReadonlyMap<string, boolean>): boolean {
  return features.get(bypassFeature) ?? false;
}

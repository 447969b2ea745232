import type { OnPremisesSynchronization, OnPremisesValues, OverridableProperty, User } from './model.ts';

/** The features of v1.0 (graph.md §3). */
export const syncFeatures = [
  'allowOnPremUpdateOfOnPremisesObjectIdentifierEnabled',
  'blockCloudObjectTakeoverThroughHardMatchEnabled',
  'blockSoftMatchEnabled',
  'bypassDirSyncOverridesEnabled',
  'cloudPasswordPolicyForPasswordSyncedUsersEnabled',
  'concurrentCredentialUpdateEnabled',
  'concurrentOrgIdProvisioningEnabled',
  'deviceWritebackEnabled',
  'directoryExtensionsEnabled',
  'fopeConflictResolutionEnabled',
  'groupWriteBackEnabled',
  'passwordSyncEnabled',
  'passwordWritebackEnabled',
  'quarantineUponProxyAddressesConflictEnabled',
  'quarantineUponUpnConflictEnabled',
  'softMatchOnUpnEnabled',
  'synchronizeUpnForManagedUsersEnabled',
  'unifiedGroupWritebackEnabled',
  'userForcePasswordChangeOnLogonEnabled',
  'userWritebackEnabled',
] as const;

/** The example of graph.md §3. */
const enabledAtFirst: readonly string[] = [
  'quarantineUponProxyAddressesConflictEnabled',
  'quarantineUponUpnConflictEnabled',
  'softMatchOnUpnEnabled',
  'synchronizeUpnForManagedUsersEnabled',
];

export const newOnPremisesSynchronization = (): OnPremisesSynchronization => ({
  configuration: {
    accidentalDeletionPrevention: { synchronizationPreventionType: 'enabledForCount', alertThreshold: 500 },
  },
  features: Object.fromEntries(syncFeatures.map((name) => [name, enabledAtFirst.includes(name)])),
});

const overridable: readonly OverridableProperty[] = ['mobilePhone'];
const isSynced = (user: User): boolean => user.onPremisesSyncEnabled === true;

/**
 * The user as a write in the cloud leaves it: what is edited of a synced user is overridden from then on, or, while
 * overrides are bypassed, holds until the next cycle (graph.md §3).
 */
export function editedInCloud(before: User, after: User, isBypassed: boolean): User {
  const edited = overridable.filter((name) => before[name] !== after[name]);
  if (!isSynced(after) || edited.length === 0) return after;
  const former = Object.fromEntries(edited.map((name) => [name, before[name]]));
  return {
    ...after,
    onPremises: { ...former, ...after.onPremises },
    ...(isBypassed
      ? { isExportPending: true }
      : { dirSyncOverrides: [...new Set([...after.dirSyncOverrides, ...edited])] }),
  };
}

interface SyncChange {
  readonly id: string;
  readonly userPrincipalName: string;
  readonly property: string;
  readonly cloud: unknown;
  readonly onPremises: unknown;
}

export interface SyncCycle {
  readonly users: readonly User[];
  /** Values of the cloud that gave way. */
  readonly overwritten: readonly SyncChange[];
  /** Values of the cloud that stayed, because they are overrides. */
  readonly kept: readonly SyncChange[];
}

const isEqual = (a: unknown, b: unknown): boolean => JSON.stringify(a) === JSON.stringify(b);

function differences(user: User): SyncChange[] {
  const { id, userPrincipalName, onPremises } = user;
  return Object.entries(onPremises)
    .map(([property, value]) => ({
      id,
      userPrincipalName,
      property,
      cloud: user[property as keyof OnPremisesValues],
      onPremises: value,
    }))
    .filter((change) => !isEqual(change.cloud, change.onPremises));
}

/** One export from on-premises: of all, or (delta) of whom something has changed since the last: facts.syncCycle. */
export function syncCycle(
  users: readonly User[],
  { isInitial, isBypassed, now }: { isInitial: boolean; isBypassed: boolean; now: string },
): SyncCycle {
  const exported = users.filter((user) => isSynced(user) && (isInitial || user.isExportPending));
  const isKept = (user: User, { property }: SyncChange): boolean =>
    !isBypassed && (user.dirSyncOverrides as readonly string[]).includes(property);
  const of = (user: User, kept: boolean): SyncChange[] =>
    differences(user).filter((change) => isKept(user, change) === kept);
  return {
    overwritten: exported.flatMap((user) => of(user, false)),
    kept: exported.flatMap((user) => of(user, true)),
    users: exported.map((user) => ({
      ...user,
      ...Object.fromEntries(of(user, false).map(({ property, onPremises }) => [property, onPremises])),
      isExportPending: false,
      dirSyncOverrides: isBypassed ? [] : user.dirSyncOverrides,
      onPremisesLastSyncDateTime: now,
    })),
  };
}

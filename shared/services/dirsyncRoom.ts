import type { Call } from '../call.ts';
import type { Config } from '../config.ts';
import { createDirSyncUserLister } from '../dirsync/listUsers.ts';
import { createOktaPhones } from '../dirsync/oktaPhones.ts';
import { createPhoneTaker } from '../dirsync/phoneTaker.ts';
import { createDirSyncReader } from '../dirsync/readDirSync.ts';
import { createRefusals } from '../dirsync/refusals.ts';
import { createBypassSwitcher } from '../dirsync/setBypass.ts';
import { createSwitchCarrier } from '../dirsync/switchCarrier.ts';
import { createSwitchLock } from '../dirsync/switchLock.ts';
import { createSwitchRecords } from '../dirsync/switchRecords.ts';
import { createGraphSyncedUsers } from '../graph/syncedUsers.ts';
import { createGraphSynchronization } from '../graph/synchronization.ts';
import { createOktaSideReader } from '../identity/oktaSide.ts';
import { createOktaApps } from '../okta/apps.ts';
import { createOktaUsers } from '../okta/users.ts';
import { createLeases } from '../store/leases.ts';
import type { Ground } from './ground.ts';

export function openDirsyncRoom(config: Config, ground: Ground) {
  const { graph, okta, blobs, clock } = ground;
  const settled = {
    ...ground,
    graphBaseUrl: config.graph.baseUrl,
    synchronization: createGraphSynchronization(graph),
    syncedUsers: createGraphSyncedUsers(graph),
    switchRecords: createSwitchRecords({ blobs, clock, retentionDays: config.snapshotRetentionDays }),
    refusals: createRefusals(ground),
    switchLock: createSwitchLock({ ...ground, leases: createLeases(blobs, clock) }),
  };
  const oktaSide = createOktaSideReader({ oktaUsers: createOktaUsers(okta), oktaApps: createOktaApps(okta) });
  const compared = { ...settled, oktaPhones: createOktaPhones({ okta, oktaSide }) };
  return {
    dirSyncReader: createDirSyncReader(settled),
    bypassSwitcher: createBypassSwitcher({
      ...compared,
      phoneTaker: createPhoneTaker(settled),
      switchCarrier: createSwitchCarrier(settled),
    }),
    dirSyncUserLister: createDirSyncUserLister(compared),
    switchRetention: {
      name: 'switch retention',
      removeExpired: (call: Call) => settled.switchRecords.removeExpired(call),
    },
  };
}

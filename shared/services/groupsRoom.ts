import { createGroupCreator } from '../groups/creation/createGroup.ts';
import { createCreationEnd } from '../groups/creation/createGroupEnd.ts';
import { createExchangeGroupCreator } from '../groups/creation/createInExchange.ts';
import { createGraphGroupCreator } from '../groups/creation/createInGraph.ts';
import { createGroupDeleter } from '../groups/deletion/deleteGroup.ts';
import { createGroupSettings } from '../groups/update/groupSettings.ts';
import { createGroupLister } from '../groups/listGroups.ts';
import { createMemberWrites } from '../groups/membership/memberWrites.ts';
import { createMemberResolver } from '../groups/membership/members.ts';
import { createOwnerWriters } from '../groups/ownerWriters.ts';
import { createProtectedUsers } from '../groups/protectedUsers.ts';
import { createGroupReader } from '../groups/readGroup.ts';
import { createGroupRestorer } from '../groups/restore/restoreGroup.ts';
import { createExchangeReviver } from '../groups/restore/restoreGroupInExchange.ts';
import { createGraphReviver } from '../groups/restore/restoreGroupInGraph.ts';
import { createMemberRestorer } from '../groups/restore/restoreGroupMembers.ts';
import { createDeletedGroupLister } from '../groups/deletion/snapshotLister.ts';
import { createSnapshotTaker } from '../groups/deletion/snapshotTaker.ts';
import { createGroupUpdater } from '../groups/update/updateGroup.ts';
import { createExchangeUpdater } from '../groups/update/updateInExchange.ts';
import { createGraphUpdater } from '../groups/update/updateInGraph.ts';
import type { Ground } from './ground.ts';
import type { MembersRoom } from './membersRoom.ts';

export function openGroupsRoom(ground: Ground, members: MembersRoom) {
  const settled = {
    ...ground,
    ...members,
    groupSettings: createGroupSettings(ground),
    ownerWrites: createMemberWrites({ ...ground, memberWriters: createOwnerWriters(ground.graphLinks) }),
    creationEnd: createCreationEnd(members),
  };
  // Whom a list accepts mail from is no membership: people who are protected may be named there.
  const nobodyProtected = createProtectedUsers([], ground.graphUsers);
  const senderResolver = createMemberResolver({ ...ground, protectedUsers: nobodyProtected });
  return {
    groupReader: createGroupReader(settled),
    groupLister: createGroupLister(settled),
    groupCreator: createGroupCreator({
      inExchange: createExchangeGroupCreator(settled),
      inGraph: createGraphGroupCreator(settled),
    }),
    groupUpdater: createGroupUpdater({
      ...settled,
      exchangeUpdater: createExchangeUpdater({ ...settled, senderResolver }),
      graphUpdater: createGraphUpdater(settled),
    }),
    groupDeleter: createGroupDeleter({ ...settled, snapshotTaker: createSnapshotTaker(settled) }),
    groupRestorer: createGroupRestorer({
      ...settled,
      exchangeReviver: createExchangeReviver(settled),
      graphReviver: createGraphReviver(settled),
      memberRestorer: createMemberRestorer(settled),
    }),
    deletedGroupLister: createDeletedGroupLister(ground.snapshots),
  };
}

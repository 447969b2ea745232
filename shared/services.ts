import { createAudit } from './audit/audit.ts';
import { type AuditReader, createAuditReader } from './audit/auditReader.ts';
import { createAuditExpiry, createAuditRetention } from './audit/retention.ts';
import type { Clock } from './clock.ts';
import type { Config } from './config.ts';
import { type ConnectionTester, createConnectionTester } from './connection/testConnection.ts';
import { createExchange } from './exchange/client.ts';
import { createDistributionGroups } from './exchange/distributionGroups.ts';
import { createDynamicGroups } from './exchange/dynamicGroups.ts';
import { createGroupLookups } from './exchange/groupLookups.ts';
import { createExchangeMembers } from './exchange/members.ts';
import { createRecipients } from './exchange/recipients.ts';
import { createGraph } from './graph/client.ts';
import { createGraphDirectoryObjects } from './graph/directoryObjects.ts';
import { createGraphGroupLists } from './graph/groupLists.ts';
import { createGraphGroups } from './graph/groups.ts';
import { createGraphGroupWrites } from './graph/groupWrites.ts';
import { createGraphLinks } from './graph/links.ts';
import { createGraphUsers } from './graph/users.ts';
import { createEntraMembers } from './groups/entraMembers.ts';
import { createGroupCreator, type GroupCreator } from './groups/createGroup.ts';
import { createCreationEnd } from './groups/createGroupEnd.ts';
import { createExchangeGroupCreator } from './groups/createInExchange.ts';
import { createGraphGroupCreator } from './groups/createInGraph.ts';
import { createGroupDeleter, type GroupDeleter } from './groups/deleteGroup.ts';
import { createGroupUpdater, type GroupUpdater } from './groups/updateGroup.ts';
import { createExchangeUpdater } from './groups/updateInExchange.ts';
import { createGraphUpdater } from './groups/updateInGraph.ts';
import { createGroupSettings } from './groups/groupSettings.ts';
import { createGroupLister, type GroupLister } from './groups/listGroups.ts';
import { createMemberLister, type MemberLister } from './groups/listMembers.ts';
import { createMemberResolver } from './groups/members.ts';
import { createGroupLock } from './groups/groupLock.ts';
import { createMembership, type Membership } from './groups/membership.ts';
import { createMembershipOperations } from './groups/membershipOperation.ts';
import { createMemberTargets } from './groups/memberTargets.ts';
import { createMemberWriters } from './groups/memberWriters.ts';
import { createMembershipPlanner } from './groups/planMembership.ts';
import { createMembershipSetter, type MembershipSetter } from './groups/setMembers.ts';
import { createOwnerWriters } from './groups/ownerWriters.ts';
import { createProtectedUsers } from './groups/protectedUsers.ts';
import { createGroupReader, type GroupReader } from './groups/readGroup.ts';
import { createGroupResolver } from './groups/resolve.ts';
import { createGroupRestorer, type GroupRestorer } from './groups/restoreGroup.ts';
import { createExchangeReviver } from './groups/restoreGroupInExchange.ts';
import { createGraphReviver } from './groups/restoreGroupInGraph.ts';
import { createMemberRestorer } from './groups/restoreGroupMembers.ts';
import { createDeletedGroupLister, type DeletedGroupLister } from './groups/snapshotLister.ts';
import { createSnapshots, type Snapshots } from './groups/snapshots.ts';
import { createSnapshotTaker } from './groups/snapshotTaker.ts';
import { createMemberWrites } from './groups/memberWrites.ts';
import { createOperationRetention } from './operations/operationRetention.ts';
import { createOperations, type Operations } from './operations/operations.ts';
import { createOperationStore } from './operations/operationStore.ts';
import { createOperationWorker, type OperationWorker } from './operations/operationWorker.ts';
import { createSweeper, type Sweeper } from './operations/sweeper.ts';
import { createBlobs } from './store/blobs.ts';
import { createLeases } from './store/leases.ts';
import { createQueues } from './store/queues.ts';
import { createTables } from './store/tables.ts';
import { loadCredential } from './upstream/credentials.ts';
import { createTokenSource } from './upstream/tokens.ts';
import { createUpstream, type Upstream } from './upstream/upstream.ts';

/** What the functions call. */
export interface Services {
  readonly groupReader: GroupReader;
  readonly groupLister: GroupLister;
  readonly groupCreator: GroupCreator;
  readonly groupUpdater: GroupUpdater;
  readonly groupDeleter: GroupDeleter;
  readonly groupRestorer: GroupRestorer;
  readonly deletedGroupLister: DeletedGroupLister;
  /** For the sweep, which removes those that are too old. */
  readonly snapshots: Snapshots;
  readonly membership: Membership;
  readonly membershipSetter: MembershipSetter;
  readonly memberLister: MemberLister;
  readonly operations: Operations;
  readonly operationWorker: OperationWorker;
  readonly sweeper: Sweeper;
  readonly clock: Clock;
  readonly connectionTester: ConnectionTester;
  readonly auditReader: AuditReader;
}

export interface Outside {
  readonly fetch: typeof fetch;
  readonly clock: Clock;
  /** In [0, 1). */
  readonly random: () => number;
}

/** Wires everything once. Nothing is connected and no SDK loaded before it is needed. */
export function createServices(config: Config, outside: Outside): Services {
  const { clock } = outside;
  const connect = (name: 'graph' | 'exchange'): Upstream => {
    const { baseUrl, scope } = config[name];
    const tokens = createTokenSource(scope, () => loadCredential(config), clock);
    return createUpstream({ name, baseUrl, tokens, ...outside });
  };
  const graphUpstream = connect('graph');
  const exchangeUpstream = connect('exchange');

  const graph = createGraph(graphUpstream);
  const graphGroups = createGraphGroups(graph);
  const graphLinks = createGraphLinks(graph);
  const graphGroupWrites = createGraphGroupWrites(graph);
  const graphUsers = createGraphUsers(graph);
  const exchange = createExchange(exchangeUpstream, config.tenantId);
  const distributionGroups = createDistributionGroups(exchange);
  const dynamicGroups = createDynamicGroups(exchange);
  const recipients = createRecipients(exchange);
  const exchangeMembers = createExchangeMembers(exchange);
  const tables = createTables(config.storage);
  const audit = createAudit(tables, clock);
  const blobs = createBlobs(config.storage);
  const queues = createQueues(config.storage, clock);
  const operations = createOperationStore({ tables, blobs, clock });
  const leases = createLeases(blobs, clock);
  const snapshots = createSnapshots({ blobs, clock, retentionDays: config.snapshotRetentionDays });
  const groupLock = createGroupLock({ leases, blobs, operations, clock, random: outside.random });

  const { protectedGroups, managedGroups } = config;
  const protection = { protectedGroups, managedGroups };
  const protectedUsers = createProtectedUsers(config.protectedUsers, graphUsers);
  const groups = createGroupResolver({ distributionGroups, dynamicGroups, graphGroups, clock });
  const entraMembers = createEntraMembers({ directoryObjects: createGraphDirectoryObjects(graph), protectedUsers });
  const memberResolver = createMemberResolver({ recipients, graphUsers, protectedUsers });
  const memberWriters = createMemberWriters({ exchangeMembers, graphLinks });
  const memberWrites = createMemberWrites({ memberWriters, audit, clock });
  const memberTargets = createMemberTargets({ memberResolver, entraMembers });
  const membershipPlanner = createMembershipPlanner({ graphGroups, memberTargets, protectedUsers });
  const groupSettings = createGroupSettings({ distributionGroups, audit });
  const membership = createMembership({
    groups,
    graphGroups,
    groupLock,
    memberTargets,
    memberWrites,
    protection,
    clock,
  });
  const membershipOperations = createMembershipOperations({
    operations,
    groups,
    graphGroups,
    groupLock,
    membershipPlanner,
    memberWrites,
    protection,
    clock,
  });
  const operationWorker = createOperationWorker({ operations, queues, runners: [membershipOperations], clock });
  const ownerWrites = createMemberWrites({ memberWriters: createOwnerWriters(graphLinks), audit, clock });
  const creationEnd = createCreationEnd({ membership });
  return {
    groupReader: createGroupReader({ groups, recipients, graphGroups, protection }),
    groupLister: createGroupLister({
      graphGroupLists: createGraphGroupLists(graph),
      groupLookups: createGroupLookups(exchange),
      dynamicGroups,
      protection,
    }),
    groupCreator: createGroupCreator({
      inExchange: createExchangeGroupCreator({
        groups,
        distributionGroups,
        recipients,
        memberResolver,
        groupSettings,
        creationEnd,
        audit,
        clock,
        protection,
      }),
      inGraph: createGraphGroupCreator({
        graphGroups,
        graphGroupWrites,
        entraMembers,
        ownerWrites,
        creationEnd,
        audit,
        clock,
        protection,
      }),
    }),
    groupUpdater: createGroupUpdater({
      groups,
      graphGroups,
      exchangeUpdater: createExchangeUpdater({
        recipients,
        memberResolver,
        senderResolver: createMemberResolver({
          recipients,
          graphUsers,
          protectedUsers: createProtectedUsers([], graphUsers),
        }),
        protectedUsers,
        groupSettings,
      }),
      graphUpdater: createGraphUpdater({
        graphGroups,
        graphGroupWrites,
        ownerWrites,
        entraMembers,
        protectedUsers,
        audit,
      }),
      protection,
    }),
    groupDeleter: createGroupDeleter({
      groups,
      distributionGroups,
      graphGroups,
      graphGroupWrites,
      snapshotTaker: createSnapshotTaker({ snapshots, recipients, graphGroups, clock }),
      snapshots,
      groupLock,
      audit,
      protection,
    }),
    groupRestorer: createGroupRestorer({
      snapshots,
      exchangeReviver: createExchangeReviver({
        distributionGroups,
        recipients,
        memberResolver,
        groupSettings,
        audit,
        clock,
      }),
      graphReviver: createGraphReviver({ graphGroups, graphGroupWrites, entraMembers, ownerWrites, audit, clock }),
      memberRestorer: createMemberRestorer({ snapshots, membership, graphGroups }),
      distributionGroups,
      graphGroups,
      groupLock,
      protection,
      clock,
    }),
    deletedGroupLister: createDeletedGroupLister(snapshots),
    snapshots,
    membership,
    membershipSetter: createMembershipSetter({
      groups,
      groupLock,
      membershipPlanner,
      memberWrites,
      operations,
      membershipOperations,
      operationWorker,
      protection,
      clock,
    }),
    operations: createOperations({ operations, operationWorker, clock }),
    operationWorker,
    sweeper: createSweeper({
      operationWorker,
      retentions: [
        createOperationRetention({ operations, clock }, config.operationRetentionDays),
        {
          name: 'snapshot retention',
          removeExpired: async (call) => (await snapshots.removeExpired(call)).removedCount,
        },
        createAuditExpiry(
          { auditRetention: createAuditRetention({ tables, clock }), clock },
          config.auditRetentionDays,
        ),
      ],
    }),
    clock,
    memberLister: createMemberLister({ groups, graphGroups }),
    auditReader: createAuditReader({ tables, clock, retentionDays: config.auditRetentionDays }),
    connectionTester: createConnectionTester({
      graph,
      graphTokens: graphUpstream.tokens,
      exchange,
      exchangeTokens: exchangeUpstream.tokens,
      audit,
    }),
  };
}

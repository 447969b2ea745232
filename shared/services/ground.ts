import { createAudit } from '../audit/audit.ts';
import type { Clock } from '../clock.ts';
import type { Config } from '../config.ts';
import { createExchange } from '../exchange/client.ts';
import { createDistributionGroups } from '../exchange/distributionGroups.ts';
import { createDynamicGroups } from '../exchange/dynamicGroups.ts';
import { createGroupLookups } from '../exchange/groupLookups.ts';
import { createExchangeMembers } from '../exchange/members.ts';
import { createRecipients } from '../exchange/recipients.ts';
import { createGraph } from '../graph/client.ts';
import { createGraphDirectoryObjects } from '../graph/directoryObjects.ts';
import { createGraphGroupLists } from '../graph/groupLists.ts';
import { createGraphGroupWrites } from '../graph/groupWrites.ts';
import { createGraphGroups } from '../graph/groups.ts';
import { createGraphLinks } from '../graph/links.ts';
import { createGraphUsers } from '../graph/users.ts';
import { createGroupLock } from '../groups/groupLock.ts';
import { createProtectedUsers } from '../groups/protectedUsers.ts';
import { createSnapshots } from '../groups/deletion/snapshots.ts';
import { createOkta } from '../okta/client.ts';
import { assignmentScopes, type OktaScope, readScopes } from '../okta/scopes.ts';
import { createOktaTokens } from '../okta/tokens.ts';
import { createOperationSender } from '../operations/operationSender.ts';
import { createOperationStore } from '../operations/operationStore.ts';
import { createBlobs } from '../store/blobs.ts';
import { createLeases } from '../store/leases.ts';
import { createQueues } from '../store/queues.ts';
import { createTables } from '../store/tables.ts';
import { loadCredential } from '../upstream/credentials.ts';
import { createTokenSource } from '../upstream/tokens.ts';
import { type Upstream, createUpstream } from '../upstream/upstream.ts';

export interface Outside {
  readonly fetch: typeof fetch;
  readonly clock: Clock;
  /** In [0, 1). */
  readonly random: () => number;
}

/** What every room stands on: the upstreams, the stores, and who decides what may be written. */
export type Ground = ReturnType<typeof layGround>;

/** Nothing is connected and no SDK loaded before it is needed. */
export function layGround(config: Config, outside: Outside) {
  const { clock, random } = outside;
  const connect = (name: 'graph' | 'exchange'): Upstream => {
    const { baseUrl, scope } = config[name];
    const tokens = createTokenSource(scope, () => loadCredential(config), clock);
    return createUpstream({ name, baseUrl, tokens, ...outside });
  };
  const graphUpstream = connect('graph');
  const graph = createGraph(graphUpstream);
  const graphUsers = createGraphUsers(graph);
  const exchangeUpstream = connect('exchange');
  const exchange = createExchange(exchangeUpstream, config.tenantId);
  const oktaUpstream = connectOkta(config, readScopes, outside);
  const okta = createOkta(oktaUpstream);

  const tables = createTables(config.storage);
  const blobs = createBlobs(config.storage);
  const queues = createQueues(config.storage, clock);
  const operations = createOperationStore({ tables, blobs, clock });
  const leases = createLeases(blobs, clock);

  const { protectedGroups, managedGroups } = config;
  return {
    clock,
    random,
    graph,
    graphTokens: graphUpstream.tokens,
    graphUsers,
    graphGroups: createGraphGroups(graph),
    graphGroupLists: createGraphGroupLists(graph),
    graphGroupWrites: createGraphGroupWrites(graph),
    graphLinks: createGraphLinks(graph),
    directoryObjects: createGraphDirectoryObjects(graph),
    exchange,
    exchangeTokens: exchangeUpstream.tokens,
    distributionGroups: createDistributionGroups(exchange),
    dynamicGroups: createDynamicGroups(exchange),
    groupLookups: createGroupLookups(exchange),
    exchangeMembers: createExchangeMembers(exchange),
    recipients: createRecipients(exchange),
    okta,
    oktaAssignments: createOkta(connectOkta(config, assignmentScopes, outside)),
    oktaTokens: oktaUpstream?.tokens ?? null,
    tables,
    blobs,
    leases,
    queues,
    operationSender: createOperationSender({ queues }),
    audit: createAudit(tables, clock),
    operations,
    snapshots: createSnapshots({ blobs, clock, retentionDays: config.snapshotRetentionDays }),
    groupLock: createGroupLock({ leases, blobs, operations, clock, random }),
    protection: { protectedGroups, managedGroups },
    protectedUsers: createProtectedUsers(config.protectedUsers, graphUsers),
  };
}

/** null where Okta's API is not configured. */
function connectOkta({ okta }: Config, scopes: readonly OktaScope[], outside: Outside): Upstream | null {
  if (okta === null) return null;
  const tokens = createOktaTokens(okta, scopes, outside);
  return createUpstream({ name: 'okta', baseUrl: okta.orgUrl, tokens, ...outside });
}

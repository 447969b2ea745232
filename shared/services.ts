import { createAudit } from './audit/audit.ts';
import { type AuditReader, createAuditReader } from './audit/auditReader.ts';
import { type AuditRetention, createAuditRetention } from './audit/retention.ts';
import type { Clock } from './clock.ts';
import type { Config } from './config.ts';
import { type ConnectionTester, createConnectionTester } from './connection/testConnection.ts';
import { createExchange } from './exchange/client.ts';
import { createDistributionGroups } from './exchange/distributionGroups.ts';
import { createExchangeMembers } from './exchange/members.ts';
import { createRecipients } from './exchange/recipients.ts';
import { createGraph } from './graph/client.ts';
import { createGraphGroups } from './graph/groups.ts';
import { createGraphUsers } from './graph/users.ts';
import { createGroupCreator, type GroupCreator } from './groups/createGroup.ts';
import { createGroupDeleter, type GroupDeleter } from './groups/deleteGroup.ts';
import { createGroupSettings } from './groups/groupSettings.ts';
import { createMemberLister, type MemberLister } from './groups/listMembers.ts';
import { createMemberResolver } from './groups/members.ts';
import { createMembership, type Membership } from './groups/membership.ts';
import { createProtectedUsers } from './groups/protectedUsers.ts';
import { createGroupReader, type GroupReader } from './groups/readGroup.ts';
import { createGroupResolver } from './groups/resolve.ts';
import { createMemberWrites } from './groups/memberWrites.ts';
import { createTables } from './store/tables.ts';
import { loadCredential } from './upstream/credentials.ts';
import { createTokenSource } from './upstream/tokens.ts';
import { createUpstream, type Upstream } from './upstream/upstream.ts';

/** What the functions call. */
export interface Services {
  readonly groupReader: GroupReader;
  readonly groupCreator: GroupCreator;
  readonly groupDeleter: GroupDeleter;
  readonly membership: Membership;
  readonly memberLister: MemberLister;
  readonly connectionTester: ConnectionTester;
  readonly auditReader: AuditReader;
  readonly auditRetention: AuditRetention;
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
    const tokens = createTokenSource(scope, () => loadCredential(config));
    return createUpstream({ name, baseUrl, tokens, ...outside });
  };
  const graphUpstream = connect('graph');
  const exchangeUpstream = connect('exchange');

  const graph = createGraph(graphUpstream);
  const graphGroups = createGraphGroups(graph);
  const graphUsers = createGraphUsers(graph);
  const exchange = createExchange(exchangeUpstream, config.tenantId);
  const distributionGroups = createDistributionGroups(exchange);
  const recipients = createRecipients(exchange);
  const exchangeMembers = createExchangeMembers(exchange);
  const tables = createTables(config.storage);
  const audit = createAudit(tables, clock);

  const { protectedGroups, managedGroups } = config;
  const protection = { protectedGroups, managedGroups };
  const protectedUsers = createProtectedUsers(config.protectedUsers, graphUsers);
  const groups = createGroupResolver({ distributionGroups, graphGroups, clock });
  const memberResolver = createMemberResolver({ recipients, graphUsers, protectedUsers });
  const memberWrites = createMemberWrites({ exchangeMembers, graphGroups, audit, clock });
  const membership = createMembership({ groups, memberResolver, memberWrites, protection });
  return {
    groupReader: createGroupReader({ groups, recipients, graphGroups, protection }),
    groupCreator: createGroupCreator({
      groups,
      distributionGroups,
      recipients,
      memberResolver,
      membership,
      groupSettings: createGroupSettings({ distributionGroups, audit }),
      audit,
      clock,
      protection,
    }),
    groupDeleter: createGroupDeleter({ groups, distributionGroups, audit, protection }),
    membership,
    memberLister: createMemberLister({ groups, graphGroups }),
    auditReader: createAuditReader({ tables, clock, retentionDays: config.auditRetentionDays }),
    auditRetention: createAuditRetention({ tables, clock }),
    connectionTester: createConnectionTester({
      graph,
      graphTokens: graphUpstream.tokens,
      exchange,
      exchangeTokens: exchangeUpstream.tokens,
      audit,
    }),
  };
}

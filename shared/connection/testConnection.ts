import type { Audit } from '../audit/audit.ts';
import type { Call } from '../call.ts';
import type { Room } from '../config.ts';
import { type FaultCode, toFault } from '../errors.ts';
import { cmdlets, type Exchange } from '../exchange/client.ts';
import type { Graph } from '../graph/client.ts';
import type { Okta, OktaRequest } from '../okta/client.ts';
import { isOktaFault } from '../okta/errors.ts';
import { operationQueue } from '../operations/operationSender.ts';
import type { Blobs } from '../store/blobs.ts';
import type { Queues } from '../store/queues.ts';
import type { TokenSource } from '../upstream/tokens.ts';

/** One thing that must work, with its cause and fix when it does not. A fix of what is `ok` is a warning. */
export interface ConnectionCheck {
  readonly check: ConnectionCheckName;
  readonly ok: boolean;
  readonly code: FaultCode | null;
  readonly message: string;
  readonly fix: string | null;
}

export const connectionChecks = [
  'graphToken',
  'graphPermissions',
  'graphWritePermission',
  'usersPermissions',
  'dirsyncPermissions',
  'graphReachable',
  'exchangeToken',
  'exchangeCmdlets',
  'okta',
  'auditStore',
  'queueStore',
  'blobStore',
] as const;
export type ConnectionCheckName = (typeof connectionChecks)[number];

export interface ConnectionTester {
  /** Never throws for what it tests: every check is a row. */
  test(call: Call): Promise<readonly ConnectionCheck[]>;
}

export interface ConnectionTesterDependencies {
  readonly graph: Graph;
  readonly graphTokens: TokenSource;
  readonly exchange: Exchange;
  readonly exchangeTokens: TokenSource;
  readonly okta: Okta;
  /** null: Okta's API is not configured. */
  readonly oktaTokens: TokenSource | null;
  readonly audit: Audit;
  readonly queues: Pick<Queues, 'probe'>;
  readonly blobs: Pick<Blobs, 'list'>;
  readonly enabledRooms: ReadonlySet<Room>;
}

/** What something needs, and application permissions that each suffice for it, the least first. */
type Need = readonly [need: string, oneOf: readonly string[]];

/** graph.md §6. */
const graphPermissions: readonly Need[] = [
  ['read groups', ['Group.Read.All', 'Group.ReadWrite.All', 'Directory.Read.All', 'Directory.ReadWrite.All']],
  ['read users', ['User.Read.All', 'User.ReadWrite.All', 'Directory.Read.All', 'Directory.ReadWrite.All']],
  ['read the organization', ['Organization.Read.All', 'Directory.Read.All', 'Directory.ReadWrite.All']],
];

/** What writes security and Microsoft 365 groups, and what changes their members alone (graph.md §6). */
const groupWriteRoles: readonly string[] = ['Group.ReadWrite.All', 'Directory.ReadWrite.All'];
const memberWriteRole = 'GroupMember.ReadWrite.All';

/** Of what the room `users` reads (graph.md §4, §5), and of what it writes. */
const usersPermissions: readonly Need[] = [
  ['read domains', ['Domain.Read.All', 'Domain.ReadWrite.All', 'Directory.Read.All', 'Directory.ReadWrite.All']],
  [
    'read who holds directory roles',
    [
      'RoleManagement.Read.Directory',
      'RoleManagement.ReadWrite.Directory',
      'Directory.Read.All',
      'Directory.ReadWrite.All',
    ],
  ],
];

const userWriteRoles: readonly string[] = ['User.ReadWrite.All', 'Directory.ReadWrite.All'];

/** Of the room `dirsync`. Both are documented for signed-in administrators alone (graph.md §3). */
const synchronizationRead = 'OnPremDirectorySynchronization.Read.All';
const synchronizationWrite = 'OnPremDirectorySynchronization.ReadWrite.All';

/** Template ids of Exchange Administrator and Global Administrator (exchange.md §3, graph.md §4). */
const administratorRoles: readonly string[] = [
  '29232cdf-9323-42fd-ade2-1d097af3e4de',
  '62e90394-69f5-4237-9190-012177145e10',
];

/** One read for each scope and role that Okta's API is used with. */
const oktaReads: readonly OktaRequest[] = [
  { path: ['groups'], query: { limit: '1' }, scope: 'okta.groups.read', label: 'GET /groups' },
  { path: ['users'], query: { limit: '1' }, scope: 'okta.users.read', label: 'GET /users' },
  { path: ['apps'], query: { limit: '1' }, scope: 'okta.apps.read', label: 'GET /apps' },
];

/** null: all of it is there. */
function missingPermissions(needs: readonly Need[], roles: readonly string[]): Problem | null {
  const missing = needs.filter(([, oneOf]) => !oneOf.some((role) => roles.includes(role)));
  if (missing.length === 0) return null;
  const least = missing.map(([, [first]]) => first).join(', ');
  return {
    code: 'graph_permission_missing',
    message: `The token lacks what is needed to ${missing.map(([need]) => need).join(', ')}.`,
    fix: `Grant the application permissions ${least} (Microsoft Graph) with admin consent; tokens issued before live on for about an hour.`,
  };
}

/** The list of commands does not say which of their parameters a role has. */
const withoutAdministrator =
  'The token carries no administrator role of Exchange: mail-enabled security groups need the role "Security Group Creation and Membership", which this check cannot see.';

/** Without `code` a warning: what it is about may not be needed. */
interface Problem {
  readonly code: FaultCode | null;
  readonly message: string;
  readonly fix: string;
}

/** What a check says when all is well, or the problem it found. */
type CheckResult = string | Problem;

export function createConnectionTester(dependencies: ConnectionTesterDependencies): ConnectionTester {
  const { graph, graphTokens, exchange, exchangeTokens, okta, oktaTokens, audit, queues, blobs } = dependencies;
  const { enabledRooms } = dependencies;

  const checks: Readonly<Record<ConnectionCheckName, (call: Call) => Promise<CheckResult>>> = {
    graphToken: async (call) => {
      const { claims } = await graphTokens.get(call);
      return `Entra issues tokens for Graph to service principal ${claims.oid ?? 'unknown'}.`;
    },

    graphPermissions: async (call) => {
      const problem = missingPermissions(graphPermissions, (await graphTokens.get(call)).claims.roles);
      return problem ?? 'The token carries the Graph permissions this app needs.';
    },

    graphWritePermission: async (call) => {
      const { roles } = (await graphTokens.get(call)).claims;
      if (groupWriteRoles.some((role) => roles.includes(role))) {
        return 'The token carries the Graph permission that security and Microsoft 365 groups are written with.';
      }
      const missing = roles.includes(memberWriteRole)
        ? 'The members of security and Microsoft 365 groups can be changed; the groups themselves cannot be created, updated or deleted.'
        : 'Security and Microsoft 365 groups can be read only; distribution lists and mail-enabled security groups are written in Exchange and do not need it.';
      return {
        code: null,
        message: missing,
        fix: `If this app shall write such groups, grant Group.ReadWrite.All (Microsoft Graph, application permission; ${memberWriteRole} suffices for members alone) with admin consent.`,
      };
    },

    usersPermissions: async (call) => {
      if (!enabledRooms.has('users')) return 'The room users is not enabled.';
      const { roles } = (await graphTokens.get(call)).claims;
      const problem = missingPermissions(usersPermissions, roles);
      if (problem !== null) return problem;
      if (userWriteRoles.some((role) => roles.includes(role))) {
        return 'The token carries the Graph permissions that the room users needs.';
      }
      return {
        code: null,
        message: 'Users can be looked at only: neither immutable IDs nor sensitive attributes can be written.',
        fix: 'If this app shall write users, grant User.ReadWrite.All (Microsoft Graph, application permission; for attributes alone User-Phone.ReadWrite.All, User-Mail.ReadWrite.All or User.EnableDisableAccount.All may do) with admin consent.',
      };
    },

    dirsyncPermissions: async (call) => {
      if (!enabledRooms.has('dirsync')) return 'The room dirsync is not enabled.';
      const { roles } = (await graphTokens.get(call)).claims;
      if (roles.includes(synchronizationWrite)) {
        return 'The token carries the Graph permission of the room dirsync; Microsoft may let signed-in administrators alone switch all the same.';
      }
      const isRead = roles.includes(synchronizationRead);
      return {
        code: null,
        message: isRead
          ? 'The settings of the synchronization from on-premises can be read; they cannot be switched.'
          : 'The settings of the synchronization from on-premises can be neither read nor switched; both actions say how a Global Administrator does it by hand.',
        fix: `Grant ${isRead ? synchronizationWrite : `${synchronizationRead}, or to switch ${synchronizationWrite}`} (Microsoft Graph, application permission) with admin consent. Microsoft documents it for signed-in administrators alone and may refuse the app all the same.`,
      };
    },

    graphReachable: async (call) => {
      const { items } = await graph.page('/organization?$select=id,displayName', 'GET /organization', call);
      const [organization] = items;
      const name = typeof organization?.displayName === 'string' ? organization.displayName : 'an unnamed organization';
      return `Graph answers for ${name}.`;
    },

    exchangeToken: async (call) => {
      const { claims } = await exchangeTokens.get(call);
      return `Entra issues tokens for Exchange to service principal ${claims.oid ?? 'unknown'}.`;
    },

    exchangeCmdlets: async (call) => {
      const available = new Set((await exchange.availableCmdlets(call)).map((name) => name.toLowerCase()));
      const missing = cmdlets.filter((name) => !available.has(name.toLowerCase()));
      const { claims } = await exchangeTokens.get(call);
      const hasAdministrator = claims.directoryRoles.some((role) => administratorRoles.includes(role));
      if (missing.length === 0) {
        const known = 'Exchange allows every command this app uses.';
        return hasAdministrator ? known : `${known} ${withoutAdministrator}`;
      }
      return {
        code: 'exchange_forbidden',
        message: `Exchange does not allow: ${missing.join(', ')}.`,
        fix: 'Assign the service principal the Entra role Exchange Administrator, or a role group with "Distribution Groups", "Security Group Creation and Membership" and "View-Only Recipients"; wait some minutes.',
      };
    },

    okta: async (call) => {
      if (oktaTokens === null)
        return "Okta's API is not configured (not_configured); what needs it answers okta_api_required.";
      await oktaTokens.get(call);
      const problems = (await Promise.all(oktaReads.map((read) => oktaRefusal(read, call)))).filter(
        (problem) => problem !== null,
      );
      const [first] = problems;
      if (first === undefined) return 'Okta lets this app read groups, users and apps.';
      return {
        code: first.code,
        message: problems.map(({ message }) => message).join(' '),
        fix: [...new Set(problems.map(({ fix }) => fix))].join(' '),
      };
    },

    auditStore: async (call) => {
      await audit.probe(call);
      return 'The audit table can be opened.';
    },

    queueStore: async (call) => {
      await queues.probe(operationQueue, call);
      return 'The queue of operations can be opened.';
    },

    blobStore: async (call) => {
      await blobs.list({ prefix: 'probe/', after: null, limit: 1 }, call);
      return 'The container of snapshots and operations can be opened.';
    },
  };

  /** What Okta does not let us read; null where it does. */
  async function oktaRefusal(read: OktaRequest, call: Call): Promise<Problem | null> {
    try {
      await okta.pages(read, call).next();
      return null;
    } catch (error) {
      if (isOktaFault(error, 'forbidden')) return { code: error.code, message: error.message, fix: error.fix };
      throw error;
    }
  }

  async function run(check: ConnectionCheckName, call: Call): Promise<ConnectionCheck> {
    const result = await checks[check](call).catch((error: unknown): Problem => {
      const fault = toFault(error);
      if (fault.code === 'internal_error') call.log.error({ event: 'check_failed', check }, error);
      return { code: fault.code, message: fault.message, fix: fault.fix };
    });
    if (typeof result === 'string') return { check, ok: true, code: null, message: result, fix: null };
    return { check, ok: result.code === null, ...result };
  }

  return {
    test: async (call) => {
      // A grant given a minute ago shall be seen, not yesterday's token.
      graphTokens.forget();
      exchangeTokens.forget();
      oktaTokens?.forget();
      return Promise.all(connectionChecks.map((check) => run(check, call)));
    },
  };
}

import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import type { Audit } from '../shared/audit/audit.ts';
import { createConnectionTester } from '../shared/connection/testConnection.ts';
import { createExchange } from '../shared/exchange/client.ts';
import { createGraph } from '../shared/graph/client.ts';
import { createOkta } from '../shared/okta/client.ts';
import { createTokenSource } from '../shared/upstream/tokens.ts';
import { testCall, testUpstream } from './support/rooms.ts';
import { closedPort, startScriptedServer } from './support/scriptedServer.ts';
import { type Answer, type App, type JsonObject, rowsOf, startWorld, type World } from './support/world.ts';

let world: World;

beforeAll(async () => {
  world = await startWorld();
});
beforeEach(() => world.control.reset());
afterAll(() => world.close());

const testConnection = async (app: App): Promise<{ answer: Answer; checks: Record<string, JsonObject> }> => {
  const answer = await app.call('GET', 'connection');
  expect(answer.status).toBe(200);
  return { answer, checks: Object.fromEntries(rowsOf(answer, 'checks').map((row) => [String(row.check), row])) };
};
const createGroup = (app: App) =>
  app.call('POST', 'groups', {
    body: {
      kind: 'mailEnabledSecurity',
      displayName: 'Grant Check',
      alias: 'grant-check',
      primarySmtpAddress: 'grant-check@contoso.com',
      owners: ['amara.osei@contoso.com'],
    },
  });

interface Principal {
  appId: string;
  displayName: string;
  roles: { graph: string[]; exchange: string[] };
  directoryRoles: string[];
}
const principal = async (displayName: string): Promise<Principal> => {
  const { servicePrincipals } = await world.control.state();
  const found = (servicePrincipals as Principal[]).find((each) => each.displayName === displayName);
  if (found === undefined) throw new Error(`no service principal ${displayName}`);
  return found;
};
/** A new app has a new credential, and with it tokens of its own. */
const appAs = async (displayName: string): Promise<App> =>
  world.startApp({ AZURE_CLIENT_ID: (await principal(displayName)).appId });

describe('the connection test', () => {
  test('has one row a check, each with what it found', async () => {
    const { answer, checks } = await testConnection(await world.startApp());
    expect(answer.body).toMatchObject({ ok: true, failedCount: 0, firstError: null });
    expect(Object.keys(checks)).toEqual([
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
    ]);
    const { dirsyncPermissions, ...others } = checks;
    for (const row of Object.values(others)) expect(row).toMatchObject({ ok: true, code: null, fix: null });
    expect(dirsyncPermissions).toMatchObject({ ok: true, code: null });
    expect(checks.graphReachable?.message).toContain('Contoso');
    expect(await world.control.writes()).toEqual([]);
  });

  test('finds Graph or Exchange out of reach, each by its own row', async () => {
    const app = await world.startApp({ GRAPH_BASE_URL: `http://127.0.0.1:${await closedPort()}` });
    const { answer, checks } = await testConnection(app);
    expect(checks.graphReachable).toMatchObject({ ok: false, code: 'upstream_failed' });
    expect(checks.exchangeCmdlets).toMatchObject({ ok: true });
    expect(answer.body).toMatchObject({
      ok: false,
      failedCount: 1,
      firstError: expect.stringMatching(/^graphReachable: /),
      message: '1 of 12 checks failed.',
    });

    await world.control.fault({ upstream: 'exchange', fault: { kind: 'status', status: 502 }, times: 99 });
    const second = await testConnection(await world.startApp());
    expect(second.checks.exchangeCmdlets).toMatchObject({ ok: false, code: 'upstream_failed' });
    expect(second.checks.graphReachable).toMatchObject({ ok: true });
  });

  test('finds the audit store out of reach', async () => {
    const port = await closedPort();
    const AzureWebJobsStorage = `DefaultEndpointsProtocol=http;AccountName=a;AccountKey=a2V5;TableEndpoint=http://127.0.0.1:${port}/a;`;
    const { checks } = await testConnection(await world.startApp({ AzureWebJobsStorage }));
    expect(checks.auditStore).toMatchObject({ ok: false, code: 'audit_unavailable' });
    expect(checks.auditStore?.fix).toContain('Storage Table Data Contributor');
    expect(checks.exchangeCmdlets).toMatchObject({ ok: true });
  });

  test.each([
    ['queueStore', 'QueueEndpoint'],
    ['blobStore', 'BlobEndpoint'],
  ])('finds the store of long work and snapshots out of reach: %s', async (check, endpoint) => {
    const app = await world.startApp();
    const reachable = new RegExp(`${endpoint}=[^;]+;`);
    expect(app.storage).toMatch(reachable);
    const AzureWebJobsStorage = app.storage.replace(reachable, `${endpoint}=http://127.0.0.1:${await closedPort()}/a;`);
    const { answer, checks } = await testConnection(await world.startApp({ AzureWebJobsStorage }));
    expect(answer.body).toMatchObject({ ok: false, failedCount: 1 });
    expect(checks[check]).toMatchObject({ ok: false, code: 'storage_unavailable' });
    expect(checks[check]?.fix).toContain('Storage Queue Data Contributor');
  });

  test.each([
    ['neither', [], /can be read only/],
    ['members alone', ['GroupMember.ReadWrite.All'], /^The members of .* can be changed; the groups themselves cannot/],
  ])('warns where Graph groups cannot be written, which mail groups do not need: %s', async (_what, more, message) => {
    const { appId } = await principal('without-graph-roles');
    const graph = ['Group.Read.All', 'User.Read.All', 'Organization.Read.All', ...more];
    await world.control.tenant({ servicePrincipals: [{ appId, roles: { graph } }] });
    const app = await world.startApp({ AZURE_CLIENT_ID: appId, ENABLED_ROOMS: 'connection,groups' });
    const { answer, checks } = await testConnection(app);
    expect(checks.graphWritePermission).toMatchObject({
      ok: true,
      code: null,
      message: expect.stringMatching(message),
    });
    expect(checks.graphWritePermission?.fix).toContain('Group.ReadWrite.All');
    const told = 'Everything this app needs works. See also graphWritePermission.';
    expect(answer.body).toMatchObject({ ok: true, failedCount: 0, firstError: null, message: told });
  });

  test.each([
    [['Organization.Read.All'], 'graph_permission_missing', /read domains, read who holds directory roles/],
    [['RoleManagement.Read.Directory'], 'graph_permission_missing', /needed to read domains\./],
    [['Domain.Read.All', 'RoleManagement.Read.Directory'], null, /can be looked at only/],
    [['Directory.ReadWrite.All'], null, /^The token carries/],
  ])('says what the room users lacks with %s', async (graph, code, message) => {
    const { appId } = await principal('without-graph-roles');
    await world.control.tenant({ servicePrincipals: [{ appId, roles: { graph } }] });
    const { checks } = await testConnection(await appAs('without-graph-roles'));
    const isWhole = graph.includes('Directory.ReadWrite.All');
    expect(checks.usersPermissions).toMatchObject({
      ok: code === null,
      code,
      message: expect.stringMatching(message),
      fix: isWhole ? null : expect.stringContaining(code === null ? 'User.ReadWrite.All' : 'Domain.Read.All'),
    });
  });

  test.each([
    ['', /neither read nor switched/, 'OnPremDirectorySynchronization.Read.All, or to switch'],
    ['OnPremDirectorySynchronization.Read.All', /can be read; they cannot/, 'OnPremDirectorySynchronization.ReadWrite'],
    ['OnPremDirectorySynchronization.ReadWrite.All', /^The token carries/, null],
  ])('warns of what the room dirsync lacks with "%s"', async (granted, message, fix) => {
    const { appId, roles } = await principal('okta-m365-actions');
    await world.control.tenant({
      servicePrincipals: [
        { appId, roles: { ...roles, graph: [...roles.graph, ...granted.split(' ').filter(Boolean)] } },
      ],
    });
    const { answer, checks } = await testConnection(await world.startApp());
    expect(checks.dirsyncPermissions).toMatchObject({
      ok: true,
      code: null,
      message: expect.stringMatching(message),
      fix: fix === null ? null : expect.stringContaining(fix),
    });
    expect(answer.body).toMatchObject({ ok: true });
  });

  test('asks nothing for rooms that are not enabled', async () => {
    const { appId } = await principal('without-graph-roles');
    const { checks } = await testConnection(
      await world.startApp({ AZURE_CLIENT_ID: appId, ENABLED_ROOMS: 'connection' }),
    );
    for (const room of ['users', 'dirsync']) {
      const message = `The room ${room} is not enabled.`;
      expect(checks[`${room}Permissions`]).toMatchObject({ ok: true, message, fix: null });
    }
  });

  test('lists the commands that a role leaves out', async () => {
    const { checks } = await testConnection(await appAs('global-reader'));
    expect(checks.exchangeCmdlets).toMatchObject({ ok: false, code: 'exchange_forbidden' });
    expect(checks.exchangeCmdlets?.message).toContain('New-DistributionGroup');
    expect(checks.exchangeCmdlets?.message).not.toContain('Get-Recipient');
    expect(checks.exchangeCmdlets?.fix).toContain('Exchange Administrator');
  });

  test('asks Entra for a token each time, so that a new grant is seen', async () => {
    const app = await world.startApp();
    await testConnection(app);
    await world.control.clearCalls();
    await testConnection(app);
    const scopes = (await world.control.calls({ upstream: 'login', method: 'POST' })).map(
      ({ requestBody }) => String((requestBody as JsonObject).scope).split(' ')[0],
    );
    expect([...new Set(scopes)].sort()).toEqual([
      'https://graph.microsoft.com/.default',
      'https://outlook.office365.com/.default',
    ]);
  });
});

describe('a grant that is missing', () => {
  test('(Exchange.ManageAsApp) is named by the test and by the action, and seen once it is given', async () => {
    const app = await appAs('without-exchange-app-role');
    const { checks } = await testConnection(app);
    expect(checks.exchangeToken).toMatchObject({ ok: true });
    expect(checks.graphReachable).toMatchObject({ ok: true });
    const refused = await createGroup(app);
    expect(refused).toMatchObject({ status: 403, body: { code: 'exchange_app_role_missing', upstream: 'exchange' } });
    expect(checks.exchangeCmdlets).toMatchObject({ ok: false, code: 'exchange_app_role_missing' });
    for (const fix of [checks.exchangeCmdlets?.fix, refused.body?.fix]) {
      expect(fix).toContain('Exchange.ManageAsApp');
      expect(fix).toContain('dc50a0fb-09a3-484d-be87-e023b12c6440');
    }
    expect(await world.control.writes()).toEqual([]);

    const { appId } = await principal('without-exchange-app-role');
    await world.control.tenant({ servicePrincipals: [{ appId, roles: { exchange: ['Exchange.ManageAsApp'] } }] });
    expect((await testConnection(app)).answer.body).toMatchObject({ ok: true });
    expect((await createGroup(app)).status).toBe(201);
  });

  test('(a directory role) is named by the test and by the action, and seen once it is given', async () => {
    const app = await appAs('without-directory-role');
    const { checks } = await testConnection(app);
    const refused = await createGroup(app);
    expect(refused).toMatchObject({
      status: 403,
      body: { code: 'exchange_directory_role_missing', upstream: 'exchange' },
    });
    expect(checks.exchangeCmdlets).toMatchObject({ ok: false, code: 'exchange_directory_role_missing' });
    for (const fix of [checks.exchangeCmdlets?.fix, refused.body?.fix]) expect(fix).toContain('Exchange Administrator');
    expect(await world.control.writes()).toEqual([]);

    const { appId } = await principal('without-directory-role');
    const { directoryRoles } = await principal('okta-m365-actions');
    await world.control.tenant({ servicePrincipals: [{ appId, directoryRoles }] });
    expect((await testConnection(app)).answer.body).toMatchObject({ ok: true });
    expect((await createGroup(app)).status).toBe(201);
  });

  test('(for Exchange) is seen by the action itself, without a connection test between', async () => {
    const app = await appAs('without-directory-role');
    expect((await createGroup(app)).status).toBe(403);
    const { appId } = await principal('without-directory-role');
    const { directoryRoles } = await principal('okta-m365-actions');
    await world.control.tenant({ servicePrincipals: [{ appId, directoryRoles }] });
    expect((await createGroup(app)).status).toBe(201);
  });

  test('(consent to the app) is named by the test and by the action, and seen once it is given', async () => {
    await world.control.tenant({ settings: { tenantServicePrincipal: 'absent' } });
    const app = await world.startApp();
    const { checks } = await testConnection(app);
    const refused = await createGroup(app);
    expect(refused).toMatchObject({ status: 403, body: { code: 'service_principal_missing', upstream: 'entra' } });
    const asked = ['graphToken', 'graphPermissions', 'graphWritePermission', 'graphReachable', 'exchangeToken'];
    for (const name of [...asked, 'exchangeCmdlets']) {
      expect({ name, ...checks[name] }).toMatchObject({ name, ok: false, code: 'service_principal_missing' });
    }
    for (const fix of [checks.graphToken?.fix, refused.body?.fix])
      expect(fix).toMatch(/admin consent.*AZURE_TENANT_ID/);
    expect(await world.control.writes()).toEqual([]);

    await world.control.tenant({ settings: { tenantServicePrincipal: 'present' } });
    expect((await testConnection(app)).answer.body).toMatchObject({ ok: true });
    expect((await createGroup(app)).status).toBe(201);
  });

  test('(Graph permissions) is named one by one, and seen once it is given', async () => {
    const { appId } = await principal('without-graph-roles');
    const app = await world.startApp({ AZURE_CLIENT_ID: appId, ENABLED_ROOMS: 'connection,members' });
    const { checks } = await testConnection(app);
    expect(checks.graphToken).toMatchObject({ ok: true });
    expect(checks.graphPermissions).toMatchObject({ ok: false, code: 'graph_permission_missing' });
    expect(checks.graphPermissions?.fix).toMatch(/Group\.Read\.All.*User\.Read\.All.*Organization\.Read\.All/);
    expect(checks.graphReachable).toMatchObject({ ok: false, code: 'graph_permission_missing' });
    expect(checks.exchangeCmdlets).toMatchObject({ ok: true });
    const refused = await app.call('GET', 'groups/engineering%20access/members');
    expect(refused).toMatchObject({ status: 403, body: { code: 'graph_permission_missing', upstream: 'graph' } });
    expect(refused.body?.fix).toContain('Group.Read.All');

    const roles = { graph: ['Group.Read.All', 'User.Read.All'] };
    await world.control.tenant({ servicePrincipals: [{ appId, roles }] });
    const second = await testConnection(app);
    expect(second.checks.graphPermissions).toMatchObject({ ok: false, code: 'graph_permission_missing' });
    expect(second.checks.graphPermissions?.message).toContain('read the organization');
    expect(second.checks.graphPermissions?.message).not.toContain('read users');
    roles.graph.push('Organization.Read.All');
    await world.control.tenant({ servicePrincipals: [{ appId, roles }] });
    expect((await testConnection(app)).answer.body).toMatchObject({ ok: true });
  });

  test('(Graph permissions) is seen by the action itself, without a connection test between', async () => {
    const app = await appAs('without-graph-roles');
    const read = () => app.call('GET', 'groups/engineering%20access/members');
    expect((await read()).status).toBe(403);
    const { appId } = await principal('without-graph-roles');
    const { roles } = await principal('okta-m365-actions');
    await world.control.tenant({ servicePrincipals: [{ appId, roles }] });
    expect((await read()).status).toBe(200);
  });
});

describe('a connection test of its own', () => {
  const nothing = () => Promise.resolve();
  const checksWith = async (audit: Audit, organizations: object[]) => {
    const server = await startScriptedServer();
    server.script({ body: { value: organizations } });
    const opaque = createTokenSource('scope', () =>
      Promise.resolve({
        getToken: () => Promise.resolve({ token: 'no JWT', expiresOnTimestamp: Date.now() + 60_000 }),
      }),
    );
    const upstream = (name: 'graph' | 'exchange') => testUpstream(name, server.url, { tokens: opaque });
    const call = testCall();
    const checks = await createConnectionTester({
      graph: createGraph(upstream('graph')),
      graphTokens: opaque,
      exchange: createExchange(upstream('exchange'), 'tenant'),
      exchangeTokens: opaque,
      okta: createOkta(null),
      oktaTokens: null,
      audit,
      queues: { probe: nothing },
      blobs: { list: () => Promise.resolve([]) },
      enabledRooms: new Set(),
    }).test(call);
    call.end();
    await server.close();
    return { checks: Object.fromEntries(checks.map((row) => [row.check, row])), lines: call.lines };
  };
  const audit: Audit = {
    record: (_, __, write) => write().then(({ result }) => result),
    probe: () => Promise.resolve(),
  };

  test('makes do with a token that says nothing and an organization without a name', async () => {
    const { checks } = await checksWith(audit, [{}]);
    expect(checks.graphToken).toMatchObject({ ok: true, message: expect.stringContaining('unknown') });
    expect(checks.exchangeToken).toMatchObject({ ok: true, message: expect.stringContaining('unknown') });
    expect(checks.graphReachable).toMatchObject({ ok: true, message: expect.stringContaining('unnamed') });
    expect(checks.exchangeCmdlets).toMatchObject({ ok: false, code: 'exchange_forbidden' });
    expect((await checksWith(audit, [])).checks.graphReachable).toMatchObject({ ok: true });
  });

  test('logs a defect of ours, and says no more of it than any reply does', async () => {
    const defect = new TypeError('no property of undefined');
    const { checks, lines } = await checksWith({ ...audit, probe: () => Promise.reject(defect) }, []);
    expect(checks.auditStore).toMatchObject({ ok: false, code: 'internal_error' });
    expect(checks.auditStore?.message).not.toContain('undefined');
    expect(lines).toContainEqual({
      level: 'error',
      fields: { event: 'check_failed', check: 'auditStore' },
      cause: defect,
    });
  });
});

test('a grant made to a managed identity is said to take up to a day, for its tokens do', async () => {
  const { appId, roles } = await principal('without-exchange-app-role');
  const app = await world.startApp({ CREDENTIAL: 'managedIdentity', AZURE_CLIENT_ID: appId, AZURE_CLIENT_SECRET: '' });
  const { checks } = await testConnection(app);
  expect(checks.exchangeCmdlets).toMatchObject({ ok: false, code: 'exchange_app_role_missing' });
  expect(checks.exchangeCmdlets?.fix).toContain('for a managed identity up to a day');
  await world.control.tenant({
    servicePrincipals: [{ appId, roles: { ...roles, exchange: ['Exchange.ManageAsApp'] } }],
  });
  // Azure itself would hand out the old token again; so does MSAL, whose cache outlives the credential.
  expect((await testConnection(app)).checks.exchangeCmdlets).toMatchObject({ ok: false });
});

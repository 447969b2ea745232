import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { readConfig } from '../shared/config.ts';
import { loadCredential } from '../shared/upstream/credentials.ts';
import { createTokenSource } from '../shared/upstream/tokens.ts';
import { faultOf, testCall } from './support/rooms.ts';
import { closedPort } from './support/scriptedServer.ts';
import { type App, type JsonObject, rowsOf, startWorld, type World } from './support/world.ts';

type Settings = Record<string, string>;

let world: World;
const apps: App[] = [];

beforeAll(async () => {
  world = await startWorld();
});
beforeEach(() => world.control.reset());
afterAll(() => world.close());

/** A new app has a new credential: the identity library keeps tokens for each. */
const started = async (settings: Settings): Promise<App> => {
  const app = await world.startApp(settings);
  apps.push(app);
  return app;
};

const checksOf = async (app: App): Promise<Record<string, JsonObject>> => {
  const answer = await app.call('GET', 'connection');
  expect(answer.status).toBe(200);
  return Object.fromEntries(rowsOf(answer, 'checks').map((row) => [String(row.check), row]));
};

const createGroup = (app: App) =>
  app.call('POST', 'groups', {
    body: {
      kind: 'mailEnabledSecurity',
      displayName: 'Credential Check',
      alias: 'credential-check',
      primarySmtpAddress: 'credential-check@contoso.com',
      owners: ['amara.osei@contoso.com'],
    },
  });

const appIdOf = async (displayName: string): Promise<string> => {
  const { servicePrincipals } = await world.control.state();
  const found = (servicePrincipals as JsonObject[]).find((each) => each.displayName === displayName);
  return String(found?.appId);
};

describe('every way to be known to Entra', () => {
  test('a client secret is enough', async () => {
    const app = await started({});
    expect((await app.call('GET', 'connection')).body).toMatchObject({ ok: true, failedCount: 0 });
    const [call] = await world.control.calls({ upstream: 'login', method: 'POST' });
    expect(call?.requestBody).toMatchObject({ grant_type: 'client_credentials', client_id: world.simulator.clientId });
    expect(await world.control.calls({ upstream: 'identity' })).toEqual([]);
  });

  test.each([
    ['as it is', (pem: string) => pem],
    ['with its line ends written as \\n', (pem: string) => pem.replaceAll('\n', '\\n')],
  ])('a client certificate is enough, %s', async (_, written) => {
    const app = await started({
      CREDENTIAL: 'clientCertificate',
      AZURE_CLIENT_SECRET: '',
      AZURE_CLIENT_CERTIFICATE: written(world.simulator.clientCertificatePem),
    });
    expect((await app.call('GET', 'connection')).body).toMatchObject({ ok: true, failedCount: 0 });
    const [call] = await world.control.calls({ upstream: 'login', method: 'POST' });
    expect(call?.requestBody).toHaveProperty('client_assertion');
    expect(call?.requestBody).not.toHaveProperty('client_secret');
  });

  test('the system-assigned managed identity is enough, and is the default', async () => {
    const app = await started({ CREDENTIAL: '', AZURE_CLIENT_ID: '', AZURE_CLIENT_SECRET: '' });
    expect((await app.call('GET', 'connection')).body).toMatchObject({ ok: true, failedCount: 0 });
    const calls = await world.control.calls({ upstream: 'identity' });
    const resources = calls.map(({ path }) => new URL(path, 'http://identity').searchParams.get('resource'));
    expect([...new Set(resources)].sort()).toEqual(['https://graph.microsoft.com', 'https://outlook.office365.com']);
    expect(calls.some(({ path }) => path.includes('client_id='))).toBe(false);
    expect(await world.control.calls({ upstream: 'login' })).toEqual([]);
  });

  test('a user-assigned managed identity is named by its client id', async () => {
    const clientId = await appIdOf('recipient-administrator');
    const app = await started({ CREDENTIAL: 'managedIdentity', AZURE_CLIENT_ID: clientId, AZURE_CLIENT_SECRET: '' });
    const { graphToken, exchangeToken } = await checksOf(app);
    expect([graphToken?.ok, exchangeToken?.ok]).toEqual([true, true]);
    const calls = await world.control.calls({ upstream: 'identity' });
    expect(calls.length).toBeGreaterThan(0);
    expect(calls.filter(({ path }) => !path.includes(`client_id=${clientId}`))).toEqual([]);
  });
});

test.each(['clientSecret', 'clientCertificate', 'managedIdentity'] as const)(
  'a token endpoint that does not answer ends with the deadline of the call (%s)',
  async (type) => {
    const { urls, tenantId, clientId, clientSecret, clientCertificatePem } = world.simulator;
    const credential = {
      clientSecret: { type: 'clientSecret', clientId, clientSecret },
      clientCertificate: { type: 'clientCertificate', clientId, certificatePem: clientCertificatePem },
      managedIdentity: { type: 'managedIdentity', clientId: await appIdOf('without-graph-roles') },
    } as const;
    const result = readConfig({
      AZURE_TENANT_ID: tenantId,
      AZURE_CLIENT_ID: clientId,
      AUTHORITY_HOST: urls.login,
      AzureWebJobsStorage: 'x',
    });
    if (!result.ok) throw result.fault;
    const config = { ...result.config, credential: credential[type] };
    const tokens = createTokenSource(config.graph.scope, () => loadCredential(config));
    for (const upstream of ['login', 'identity'] as const) {
      await world.control.fault({ upstream, fault: { kind: 'slow', delayMs: 3_000 }, times: 9 });
    }
    const call = testCall({ times: { totalMs: 700, proofMs: 200 } });
    const startedAt = Date.now();
    expect(await faultOf(tokens.get(call))).toMatchObject({ code: 'deadline_exceeded', upstream: 'entra' });
    expect(Date.now() - startedAt).toBeLessThan(2_000);
    await world.control.clearFaults();
    call.end();
  },
);

interface Broken {
  settings: () => Settings | Promise<Settings>;
  code: string;
  said: RegExp;
  fix: RegExp;
  status: number;
}
const unknown = '99999999-9999-4999-8999-999999999999';
const broken: Record<string, Broken> = {
  'a wrong secret': {
    settings: () => ({ AZURE_CLIENT_SECRET: 'hush-wrong-secret' }),
    code: 'credential_rejected',
    said: /secret is wrong.*AADSTS7000215/,
    fix: /AZURE_CLIENT_SECRET/,
    status: 403,
  },
  'an expired secret': {
    settings: () => ({ AZURE_CLIENT_SECRET: `${world.simulator.clientSecret}-expired` }),
    code: 'credential_rejected',
    said: /expired.*AADSTS7000222/,
    fix: /new client secret/,
    status: 403,
  },
  'an app that Entra does not know': {
    settings: () => ({ AZURE_CLIENT_ID: unknown }),
    code: 'service_principal_missing',
    said: /does not know this application.*AADSTS700016/,
    fix: /AZURE_CLIENT_ID.*admin consent/,
    status: 403,
  },
  'a tenant that does not exist': {
    // MSAL drops what Entra says here: to it, this is the same as an authority that nobody answers for.
    settings: () => ({ AZURE_TENANT_ID: unknown }),
    code: 'credential_unavailable',
    said: /tenant/,
    fix: /AZURE_TENANT_ID/,
    status: 502,
  },
  'a certificate that is not registered': {
    settings: async () => ({
      CREDENTIAL: 'clientCertificate',
      AZURE_CLIENT_ID: await appIdOf('global-reader'),
      AZURE_CLIENT_CERTIFICATE: world.simulator.clientCertificatePem,
    }),
    code: 'credential_rejected',
    said: /AADSTS700027/,
    fix: /AADSTS|credential/,
    status: 403,
  },
  'an authority that nobody answers for': {
    settings: async () => ({ AUTHORITY_HOST: `https://localhost:${await closedPort()}` }),
    code: 'credential_unavailable',
    said: /No token|tenant/,
    fix: /can be reached/,
    status: 502,
  },
  'a managed identity that is not assigned': {
    settings: () => ({ CREDENTIAL: 'managedIdentity', AZURE_CLIENT_ID: unknown, AZURE_CLIENT_SECRET: '' }),
    code: 'credential_unavailable',
    said: /No token/,
    fix: /managed identity.*assigned/,
    status: 502,
  },
};

describe('what is wrong with a credential', () => {
  test.each(Object.entries(broken))('is named: %s', async (_, { settings, code, said, fix, status }) => {
    const app = await started(await settings());
    const { graphToken, graphPermissions, graphReachable, exchangeToken, exchangeCmdlets, auditStore } =
      await checksOf(app);
    for (const row of [graphToken, graphPermissions, graphReachable, exchangeToken, exchangeCmdlets]) {
      expect(row).toMatchObject({ ok: false, code });
      expect(row?.message).toMatch(said);
      expect(row?.fix).toMatch(fix);
    }
    expect(auditStore).toMatchObject({ ok: true });

    const answer = await createGroup(app);
    expect(answer).toMatchObject({ status, body: { code, upstream: 'entra' } });
    expect(answer.body?.detail).toMatch(said);
    expect(answer.body?.fix).toMatch(fix);
    expect(await world.control.calls({ upstream: 'exchange' })).toEqual([]);
    expect(await world.control.calls({ upstream: 'graph' })).toEqual([]);
  });

  test('is named when the identity endpoint fails', async () => {
    const clientId = await appIdOf('global-reader');
    await world.control.fault({ upstream: 'identity', fault: { kind: 'status', status: 401 }, times: 99 });
    const app = await started({ CREDENTIAL: 'managedIdentity', AZURE_CLIENT_ID: clientId, AZURE_CLIENT_SECRET: '' });
    const { graphToken } = await checksOf(app);
    expect(graphToken).toMatchObject({ ok: false, code: 'credential_unavailable' });
    await world.control.clearFaults();
    expect((await checksOf(app)).graphToken).toMatchObject({ ok: true });
  });

  test('is forgotten once it is mended in Entra, without a restart', async () => {
    const secret = 'the-secret-made-later';
    const app = await started({ AZURE_CLIENT_SECRET: secret });
    expect((await checksOf(app)).exchangeToken).toMatchObject({ ok: false, code: 'credential_rejected' });
    const clientSecrets = [{ value: secret, endDateTime: '2099-01-01T00:00:00Z' }];
    await world.control.tenant({ servicePrincipals: [{ appId: world.simulator.clientId, clientSecrets }] });
    expect((await app.call('GET', 'connection')).body).toMatchObject({ ok: true });
  });
});

test('no reply and no log line of all these calls holds a secret, a token or a key', () => {
  const { clientSecret, clientCertificatePem, identityHeader } = world.simulator;
  const key = /-----BEGIN PRIVATE KEY-----\s+(\S{40})/.exec(clientCertificatePem)?.[1] ?? 'no key in the PEM';
  expect(clientCertificatePem).toContain(key);
  const lines = apps.flatMap(({ host }) => host.logs).map(({ message }) => message);
  expect(lines.length).toBeGreaterThan(30);
  for (const secret of [clientSecret, 'hush-wrong-secret', 'the-secret-made-later', identityHeader, key, 'Bearer ey']) {
    expect(lines.filter((line) => line.includes(secret))).toEqual([]);
  }
  expect(lines.filter((line) => /\beyJ[\w-]+\.[\w-]+\./.test(line))).toEqual([]);
});

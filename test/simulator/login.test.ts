import { execFile, spawn } from 'node:child_process';
import { createHash, createPrivateKey, generateKeyPairSync, X509Certificate, type KeyObject } from 'node:crypto';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { request } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { decodeJwt, SignJWT } from 'jose';
import { Bench } from './harness.ts';

let bench: Bench;
let folder: string;

beforeAll(async () => {
  bench = await Bench.start();
  folder = await mkdtemp(join(tmpdir(), 'simulator-'));
  await writeFile(join(folder, 'ca.pem'), bench.sim.certificateAuthorityPem);
  await writeFile(join(folder, 'client.pem'), bench.sim.clientCertificatePem);
});

afterAll(async () => {
  await bench.sim.close();
  await rm(folder, { recursive: true });
});

/** What the real library says, in a process that trusts the CA as production trusts the public ones. */
async function withIdentityLibrary(expression: string): Promise<string> {
  const { tenantId, clientId, clientSecret, urls, identityHeader } = bench.sim;
  const program = `
    import { ClientSecretCredential, ClientCertificateCredential, ManagedIdentityCredential } from '@azure/identity';
    const tenantId = '${tenantId}', clientId = '${clientId}', secret = '${clientSecret}';
    const options = { authorityHost: '${urls.login}', disableInstanceDiscovery: true };
    const certificatePath = ${JSON.stringify(join(folder, 'client.pem'))};
    try { process.stdout.write((await (${expression})).token); } catch (error) { process.stdout.write('FAILED ' + error.message); }`;
  const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '-e', program], {
    env: {
      ...process.env,
      NODE_OPTIONS: '',
      NODE_EXTRA_CA_CERTS: join(folder, 'ca.pem'),
      IDENTITY_ENDPOINT: urls.identity,
      IDENTITY_HEADER: identityHeader,
    },
  });
  return stdout;
}

function postToken(
  form: Record<string, string>,
  tenant = bench.sim.tenantId,
): Promise<{ status: number; body: Record<string, unknown> }> {
  return new Promise((resolve, reject) => {
    const call = request(
      `${bench.sim.urls.login}/${tenant}/oauth2/v2.0/token`,
      {
        method: 'POST',
        ca: bench.sim.certificateAuthorityPem,
        headers: { 'content-type': 'application/x-www-form-urlencoded' },
      },
      (response) => {
        let text = '';
        response.on('data', (chunk: Buffer) => (text += chunk.toString()));
        response.on('end', () =>
          resolve({ status: response.statusCode ?? 0, body: JSON.parse(text) as Record<string, unknown> }),
        );
      },
    );
    call.on('error', reject);
    call.end(new URLSearchParams(form).toString());
  });
}

const form = (more: Record<string, string> = {}): Record<string, string> => ({
  grant_type: 'client_credentials',
  client_id: bench.sim.clientId,
  client_secret: bench.sim.clientSecret,
  scope: 'https://graph.microsoft.com/.default',
  ...more,
});

test('the real library gets a token with a client secret', async () => {
  const token = await withIdentityLibrary(
    "new ClientSecretCredential(tenantId, clientId, secret, options).getToken('https://graph.microsoft.com/.default')",
  );
  expect(decodeJwt(token)).toMatchObject({ aud: 'https://graph.microsoft.com', tid: bench.sim.tenantId });
});

test('the real library gets a token with a client certificate', async () => {
  const token = await withIdentityLibrary(
    "new ClientCertificateCredential(tenantId, clientId, { certificatePath }, options).getToken('https://outlook.office365.com/.default')",
  );
  expect(decodeJwt(token)).toMatchObject({ roles: ['Exchange.ManageAsApp'] });
});

test('the real library gets a token of the managed identity', async () => {
  const token = await withIdentityLibrary(
    "new ManagedIdentityCredential().getToken('https://outlook.office365.com/.default')",
  );
  const { iat = 0, exp = 0, ...claims } = decodeJwt(token);
  expect(claims).toMatchObject({ appid: bench.sim.clientId, wids: ['29232cdf-9323-42fd-ade2-1d097af3e4de'] });
  expect(exp - iat).toBe(86_400);
});

test('the real library reports a wrong secret with its AADSTS number', async () => {
  const said = await withIdentityLibrary(
    "new ClientSecretCredential(tenantId, clientId, 'wrong', options).getToken('https://graph.microsoft.com/.default')",
  );
  expect(said).toContain('AADSTS7000215');
});

test('a certificate that is not registered is refused with 700027', async () => {
  const { startSimulator } = await import('../../simulator/index.ts');
  const other = await startSimulator();
  await writeFile(join(folder, 'other.pem'), other.clientCertificatePem);
  await other.close();
  const said = await withIdentityLibrary(
    `new ClientCertificateCredential(tenantId, clientId, { certificatePath: ${JSON.stringify(join(folder, 'other.pem'))} }, options).getToken('https://graph.microsoft.com/.default')`,
  );
  expect(said).toContain('AADSTS700027');
});

test.each([
  ['a wrong secret', { client_secret: 'wrong' }, 401, 'invalid_client', 7000215],
  ['an unknown app', { client_id: 'f0000000-0000-4000-8000-000000000000' }, 400, 'unauthorized_client', 700016],
  ['a scope without /.default', { scope: 'https://graph.microsoft.com/User.Read' }, 400, 'invalid_scope', 70011],
  ['an unknown resource', { scope: 'https://example.com/.default' }, 400, 'invalid_resource', 500011],
])('%s is refused with its own AADSTS number', async (_what, more, status, error, number) => {
  const refused = await postToken(form(more));
  expect(refused).toMatchObject({ status, body: { error, error_codes: [number] } });
  expect(refused.body.error_description).toContain(`AADSTS${String(number)}: `);
});

/** A client assertion as RFC 7523 has it, with something changed. */
function assertion(more: { audience?: string; expires?: string; key?: KeyObject } = {}): Promise<string> {
  const { clientCertificatePem: pem, clientId, tenantId, urls } = bench.sim;
  const x5t = createHash('sha256').update(new X509Certificate(pem).raw).digest('base64url');
  return new SignJWT({})
    .setProtectedHeader({ alg: 'RS256', 'x5t#S256': x5t })
    .setIssuer(clientId)
    .setSubject(clientId)
    .setAudience(more.audience ?? `${urls.login}/${tenantId}/oauth2/v2.0/token`)
    .setExpirationTime(more.expires ?? '5m')
    .sign(more.key ?? createPrivateKey(pem));
}

test.each([
  ['as it should be', () => ({}), 200, undefined],
  ['for another audience', () => ({ audience: 'https://example.com' }), 401, [700027]],
  ['that is over', () => ({ expires: '-1m' }), 401, [700024]],
  [
    'signed by another key',
    () => ({ key: generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey }),
    401,
    [700027],
  ],
])('an assertion %s is answered as such', async (_what, more, status, error_codes) => {
  const given = form({
    client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
    client_assertion: await assertion(more()),
  });
  delete given.client_secret;
  const answered = await postToken(given);
  expect(answered.status).toBe(status);
  expect(answered.body.error_codes).toEqual(error_codes);
});

test('an expired secret is refused with 7000222', async () => {
  const refused = await postToken(form({ client_secret: `${bench.sim.clientSecret}-expired` }));
  expect(refused).toMatchObject({ status: 401, body: { error_codes: [7000222] } });
});

test('an unknown tenant is refused with 90002', async () => {
  const refused = await postToken(form(), 'f0000000-0000-4000-8000-000000000000');
  expect(refused).toMatchObject({ status: 400, body: { error: 'invalid_request', error_codes: [90002] } });
});

test('a tenant without the service principal issues a token without oid and roles, which Graph refuses', async () => {
  await bench.control('PUT', 'tenant', { settings: { tenantServicePrincipal: 'absent' } });
  const { access_token: token } = (await postToken(form())).body as unknown as { access_token: string };
  const claims = decodeJwt(token);
  expect(claims).not.toHaveProperty('oid');
  expect(claims).not.toHaveProperty('roles');
  const refused = await bench.graph('GET', '/organization', { token });
  expect(refused).toMatchObject({ status: 403, body: { error: { code: 'Authorization_IdentityNotFound' } } });
  await bench.control('POST', 'reset');
});

test('the identity endpoint refuses a wrong header, resource, version and client id', async () => {
  const ask = (query: Record<string, string>, header = bench.sim.identityHeader) =>
    bench.request(
      `${bench.sim.urls.identity}?${new URLSearchParams({ resource: 'https://graph.microsoft.com', 'api-version': '2019-08-01', ...query }).toString()}`,
      { headers: { 'x-identity-header': header } },
    );
  expect((await ask({}, 'wrong')).status).toBe(401);
  expect((await ask({ resource: 'https://example.com' })).status).toBe(400);
  expect((await ask({ 'api-version': '2017-09-01' })).status).toBe(400);
  expect((await ask({ client_id: 'f0000000-0000-4000-8000-000000000000' })).status).toBe(400);
});

test('the journal holds no credential', async () => {
  await postToken(form());
  await bench.token('graph');
  const calls = (await bench.control('GET', 'calls')).text;
  expect(calls).toContain('/oauth2/v2.0/token');
  expect(calls).not.toContain(bench.sim.clientSecret);
  expect(calls).not.toContain('eyJ');
});

test('as a process it prints one JSON line, writes the CA and ends on SIGTERM', async () => {
  const caFile = join(folder, 'process-ca.pem');
  const child = spawn(process.execPath, ['--import', 'tsx', 'simulator/main.ts', '--ca-file', caFile], {
    env: { ...process.env, NODE_OPTIONS: '' },
  });
  const line = await new Promise<string>((resolve) =>
    child.stdout.once('data', (chunk: Buffer) => resolve(chunk.toString())),
  );
  const ready = JSON.parse(line) as { urls: { control: string }; certificateAuthorityPem: string };
  expect(await readFile(caFile, 'utf8')).toBe(ready.certificateAuthorityPem);
  expect((await bench.request(`${ready.urls.control}/_sim/state`)).status).toBe(200);
  const ended = new Promise((resolve) => child.once('exit', (code) => resolve(code)));
  child.kill('SIGTERM');
  expect(await ended).toBe(0);
});

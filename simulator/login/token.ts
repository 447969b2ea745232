import { json, type Call, type Reply } from '../http/message.ts';
import { resourceOf } from '../tokens/issuer.ts';
import type { World } from '../world.ts';
import { checkAssertion, checkSecret, type Refusal } from './clientCredential.ts';
import { loginError } from './errors.ts';

const LIFETIME_MS = 3_599_000;
const ASSERTION_TYPE = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer';

const statusOf = (error: string): number => (error === 'invalid_client' ? 401 : 400);

function scopeOf(scope: string): { audience: string } | Refusal {
  const audience = /^(\S+?)\/\.default$/.exec(scope)?.[1];
  if (audience === undefined)
    return [
      'invalid_scope',
      70011,
      `The provided request must include a 'scope' input parameter. The provided value for the input parameter 'scope' is not valid. The scope ${scope} is not valid.`,
    ];
  if (!resourceOf(audience))
    return [
      'invalid_resource',
      500011,
      `The resource principal named ${audience} was not found in the tenant named Contoso. This can happen if the application has not been installed by the administrator of the tenant or consented to by any user in the tenant. You might have sent your authentication request to the wrong tenant.`,
    ];
  return { audience };
}

/** POST /{tenant}/oauth2/v2.0/token with the client credentials grant. */
export async function token(world: World, call: Call, tenantSegment: string, origin: string): Promise<Reply> {
  const nowMs = world.clock.now();
  const refuse = ([error, number, message]: Refusal, status = statusOf(error)): Reply =>
    loginError(status, error, number, message, nowMs);
  if (!call.headers['content-type']?.includes('application/x-www-form-urlencoded'))
    return refuse(['invalid_request', 900144, "The request body must contain the following parameter: 'grant_type'."]);
  const form = new URLSearchParams(call.body);
  for (const name of ['grant_type', 'client_id', 'scope'])
    if (!form.get(name))
      return refuse(['invalid_request', 900144, `The request body must contain the following parameter: '${name}'.`]);
  if (form.get('grant_type') !== 'client_credentials')
    return refuse([
      'unsupported_grant_type',
      70003,
      'The app requested an unsupported grant type; the simulator models client_credentials only.',
    ]);
  const clientId = form.get('client_id') ?? '';
  const principal = world.tenant.servicePrincipal(clientId);
  if (!principal)
    return refuse([
      'unauthorized_client',
      700016,
      `Application with identifier '${clientId}' was not found in the directory '${world.tenant.displayName}'. This can happen if the application has not been installed by the administrator of the tenant or consented to by any user in the tenant. You may have sent your authentication request to the wrong tenant.`,
    ]);
  const secret = form.get('client_secret');
  const assertion = form.get('client_assertion');
  let refusal: Refusal | null = [
    'invalid_client',
    7000216,
    "'client_assertion', 'client_secret' or 'request' is required for the 'client_credentials' grant type.",
  ];
  if (assertion !== null && form.get('client_assertion_type') === ASSERTION_TYPE)
    refusal = await checkAssertion(assertion, {
      clientId,
      audiences: [`${origin}/${tenantSegment}/oauth2/v2.0/token`, `${origin}/${world.tenant.id}/v2.0`],
      certificates: clientId === world.ids.clientId ? world.clientCertificates : [],
      nowMs,
    });
  else if (secret !== null) refusal = checkSecret(principal, secret, nowMs);
  if (refusal) return refuse(refusal);
  const scope = scopeOf(form.get('scope') ?? '');
  if (!('audience' in scope)) return refuse(scope);
  const resource = resourceOf(scope.audience) ?? 'graph';
  const issued = await world.issuer.issue(world.tenant, world.clock, {
    appId: principal.appId,
    audience: scope.audience,
    resource,
    lifetimeMs: LIFETIME_MS,
  });
  const seconds = Math.round((issued.expiresAtMs - nowMs) / 1000);
  return json(
    200,
    { token_type: 'Bearer', expires_in: seconds, ext_expires_in: seconds, access_token: issued.token },
    { 'cache-control': 'no-store, no-cache', pragma: 'no-cache' },
  );
}

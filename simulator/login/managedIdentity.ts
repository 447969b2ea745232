import { createHash, timingSafeEqual } from 'node:crypto';
import { json, type Handler, type Reply } from '../http/message.ts';
import { resourceOf } from '../tokens/issuer.ts';
import type { World } from '../world.ts';

const LIFETIME_MS = 86_400_000;
const API_VERSION = '2019-08-01';

const digest = (text: string): Buffer => createHash('sha256').update(text).digest();

const refuse = (statusCode: number, message: string): Reply => json(statusCode, { statusCode, message });

/** App Service's token service: IDENTITY_ENDPOINT and IDENTITY_HEADER. */
export function managedIdentityHandler(world: World, identityHeader: string): Handler {
  return async (call) => {
    if (call.method !== 'GET' || call.url.pathname !== '/msi/token') return refuse(404, 'Not Found');
    if (!timingSafeEqual(digest(call.headers['x-identity-header'] ?? ''), digest(identityHeader)))
      return refuse(401, 'The X-IDENTITY-HEADER header is missing or wrong.');
    const query = call.url.searchParams;
    const unknown = [...query.keys()].filter((key) => !['resource', 'api-version', 'client_id'].includes(key));
    if (unknown.length > 0) return refuse(400, `Unknown query parameter ${unknown.join(', ')}.`);
    if (query.get('api-version') !== API_VERSION) return refuse(400, 'The api-version is missing or not supported.');
    const audience = query.get('resource') ?? '';
    const resource = resourceOf(audience);
    if (!resource)
      return refuse(400, `AADSTS500011: The resource principal named ${audience} was not found in the tenant.`);
    const appId = (query.get('client_id') ?? world.ids.clientId).toLowerCase();
    if (!world.tenant.servicePrincipal(appId))
      return refuse(
        400,
        'No User Assigned or Delegated Managed Identity found for specified ClientId/ResourceId/PrincipalId.',
      );
    const issued = await world.issuer.issue(world.tenant, world.clock, {
      appId,
      audience,
      resource,
      lifetimeMs: LIFETIME_MS,
    });
    return json(200, {
      access_token: issued.token,
      expires_on: String(Math.floor(issued.expiresAtMs / 1000)),
      resource: audience,
      token_type: 'Bearer',
      client_id: appId,
    });
  };
}

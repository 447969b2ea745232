import { json, type Call, type Handler } from '../http/message.ts';
import type { World } from '../world.ts';
import { loginError } from './errors.ts';
import { token } from './token.ts';

function metadata(origin: string, tenantSegment: string, tenantId: string) {
  return {
    token_endpoint: `${origin}/${tenantSegment}/oauth2/v2.0/token`,
    token_endpoint_auth_methods_supported: ['client_secret_post', 'private_key_jwt', 'client_secret_basic'],
    jwks_uri: `${origin}/${tenantSegment}/discovery/v2.0/keys`,
    response_types_supported: ['code', 'id_token', 'code id_token', 'id_token token'],
    subject_types_supported: ['pairwise'],
    id_token_signing_alg_values_supported: ['RS256'],
    issuer: `${origin}/${tenantId}/v2.0`,
    authorization_endpoint: `${origin}/${tenantSegment}/oauth2/v2.0/authorize`,
    end_session_endpoint: `${origin}/${tenantSegment}/oauth2/v2.0/logout`,
    tenant_region_scope: 'EU',
  };
}

function discovery(origin: string, tenantSegment: string) {
  const host = new URL(origin).host;
  return {
    tenant_discovery_endpoint: `${origin}/${tenantSegment}/v2.0/.well-known/openid-configuration`,
    'api-version': '1.1',
    metadata: [{ preferred_network: host, preferred_cache: host, aliases: [host] }],
  };
}

/** The host in the request is the origin a client knows this server by. */
const originOf = (call: Call, scheme: 'http' | 'https'): string => `${scheme}://${call.headers.host ?? ''}`;

export function loginHandler(world: World): Handler {
  const isTenant = (segment: string): boolean =>
    segment.toLowerCase() === world.tenant.id ||
    world.tenant.domains.some(({ id, isVerified }) => isVerified && id === segment.toLowerCase());
  return (call) => {
    const origin = originOf(call, 'https');
    if (call.method === 'GET' && call.url.pathname === '/common/discovery/instance')
      return json(200, discovery(origin, world.tenant.id));
    const [, segment = '', rest] = /^\/([^/]+)\/(.+)$/.exec(call.url.pathname) ?? [];
    const known =
      (call.method === 'GET' && rest === 'v2.0/.well-known/openid-configuration') ||
      (call.method === 'POST' && rest === 'oauth2/v2.0/token');
    if (!known)
      return json(501, {
        error: 'not_implemented',
        error_description: `The simulator does not model ${call.method} ${call.url.pathname} of Entra.`,
      });
    if (!isTenant(segment))
      return loginError(
        400,
        'invalid_request',
        90002,
        `Tenant '${segment}' not found. Check to make sure you have the correct tenant ID and are signing into the correct cloud. Check with your subscription administrator, this may happen if there are no active subscriptions for the tenant.`,
        world.clock.now(),
      );
    return rest === 'oauth2/v2.0/token'
      ? token(world, call, segment, origin)
      : json(200, metadata(origin, segment, world.tenant.id));
  };
}

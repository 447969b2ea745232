import { decodeJwt, decodeProtectedHeader, jwtVerify, errors } from 'jose';
import { json, type Call, type Reply } from '../http/message.ts';
import { checkProof } from './dpop.ts';
import type { ServiceKey } from './keys.ts';
import type { Org } from './org.ts';
import type { Tokens } from './tokens.ts';

interface TokenContext {
  org: Org;
  tokens: Tokens;
  key: ServiceKey;
  call: Call;
  nowMs: number;
  freshToken: () => string;
}

/** Fixed (okta.md §4). */
const LIFETIME_SECONDS = 3_600;
const ASSERTION_TYPE = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer';
const DAY_MS = 86_400_000;

class OAuthError extends Error {
  readonly status: number;
  readonly error: string;
  readonly headers: Record<string, string>;

  constructor(status: number, error: string, description: string, headers: Record<string, string> = {}) {
    super(description);
    this.name = 'OAuthError';
    this.status = status;
    this.error = error;
    this.headers = headers;
  }
}

const invalidClient = (description: string): OAuthError => new OAuthError(401, 'invalid_client', description);

/** RFC 7523 as Okta checks it: this endpoint, this client, in time, once (facts.oktaTokenErrors). The client's id. */
async function clientOf({ org, tokens, key, call, nowMs }: TokenContext, form: URLSearchParams): Promise<string> {
  const assertion = form.get('client_assertion');
  if (assertion === null || form.get('client_assertion_type') !== ASSERTION_TYPE)
    throw invalidClient(
      'Client Credentials requests to the Org Authorization Server must use the private_key_jwt token_endpoint_auth_method.',
    );
  let clientId: string;
  try {
    clientId = decodeJwt(assertion).iss ?? '';
    if (decodeProtectedHeader(assertion).kid !== key.kid)
      throw invalidClient('The client_assertion JWT kid is invalid.');
    const { payload } = await jwtVerify(assertion, key.publicKey, {
      algorithms: ['RS256', 'RS384', 'RS512'],
      currentDate: new Date(nowMs),
      subject: clientId,
      requiredClaims: ['exp'],
    });
    if (payload.aud !== `http://${call.headers.host ?? ''}/oauth2/v1/token`)
      throw invalidClient('The audience claim for client_assertion must be the endpoint invoked for the request.');
    if (Number(payload.exp) * 1000 > nowMs + LIFETIME_SECONDS * 1000)
      throw invalidClient('The client_assertion token has an expiration too far into the future.');
    if (payload.jti !== undefined && !tokens.isNewAssertion(payload.jti))
      throw invalidClient('The client_assertion token must be unique.');
  } catch (error) {
    if (error instanceof OAuthError) throw error;
    if (error instanceof errors.JWTExpired) throw invalidClient('The client_assertion token is expired.');
    throw invalidClient('The client_assertion signature is invalid.');
  }
  if (!org.serviceApps.get(clientId)) throw invalidClient("Invalid value for 'client_id' parameter.");
  return clientId;
}

function scopesOf(form: URLSearchParams, granted: readonly string[]): string[] {
  const wanted = (form.get('scope') ?? '').split(' ').filter((scope) => scope !== '');
  if (wanted.length === 0)
    throw new OAuthError(
      400,
      'invalid_scope',
      "The authorization server resource does not have any configured default scopes, 'scope' must be provided.",
    );
  const missing = wanted.filter((scope) => !granted.includes(scope));
  if (missing.length > 0)
    throw new OAuthError(
      400,
      'invalid_scope',
      `One or more scopes are not configured for the authorization server resource: ${missing.join(' ')}.`,
    );
  return wanted;
}

/** The thumbprint that the token is bound to. The nonce comes with the refusal and lasts for a day. */
async function boundTo({ tokens, call, nowMs }: TokenContext): Promise<string> {
  const nonce = `nonce-${String(Math.floor(nowMs / DAY_MS))}`;
  const proof = await checkProof(call.headers.dpop, {
    method: 'POST',
    url: `http://${call.headers.host ?? ''}/oauth2/v1/token`,
    nowMs,
    isNew: (jti) => tokens.isNewProof(jti),
  });
  if (typeof proof === 'string') throw new OAuthError(400, 'invalid_dpop_proof', proof);
  if (proof.nonce !== nonce)
    throw new OAuthError(400, 'use_dpop_nonce', 'Authorization server requires nonce in DPoP proof.', {
      'dpop-nonce': nonce,
    });
  return proof.thumbprint;
}

async function issue(context: TokenContext): Promise<Reply> {
  const { org, tokens, call, nowMs, freshToken } = context;
  if (!call.headers['content-type']?.includes('application/x-www-form-urlencoded'))
    throw new OAuthError(400, 'invalid_request', 'The content type must be application/x-www-form-urlencoded.');
  const form = new URLSearchParams(call.body);
  if (form.get('grant_type') !== 'client_credentials')
    throw new OAuthError(400, 'unsupported_grant_type', 'The simulator models client_credentials only.');
  const clientId = await clientOf(context, form);
  const app = org.serviceApps.get(clientId);
  const scopes = scopesOf(form, app?.grantedScopes ?? []);
  const thumbprint = app?.dpopBound ? await boundTo(context) : null;
  const token = freshToken();
  tokens.add(token, { clientId, scopes, expiresAtMs: nowMs + LIFETIME_SECONDS * 1000, thumbprint });
  return json(
    200,
    {
      token_type: thumbprint === null ? 'Bearer' : 'DPoP',
      expires_in: LIFETIME_SECONDS,
      access_token: token,
      scope: scopes.join(' '),
    },
    { 'cache-control': 'no-cache, no-store', pragma: 'no-cache' },
  );
}

/** POST /oauth2/v1/token */
export async function tokenEndpoint(context: TokenContext): Promise<Reply> {
  try {
    return await issue(context);
  } catch (error) {
    if (!(error instanceof OAuthError)) throw error;
    return json(error.status, { error: error.error, error_description: error.message }, error.headers);
  }
}

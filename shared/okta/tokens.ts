import { randomUUID } from 'node:crypto';
import { abortable } from '../abort.ts';
import type { Call } from '../call.ts';
import type { Clock } from '../clock.ts';
import type { OktaCredential, OktaSettings } from '../config.ts';
import { Fault, isFault } from '../errors.ts';
import { bearerToken, type Token, type TokenClaims, type TokenSource } from '../upstream/tokens.ts';
import { createUpstream, type UpstreamOptions, type UpstreamResponse } from '../upstream/upstream.ts';
import { isObject, type OktaObject, readJson, textOf } from './answers.ts';
import { unreadableOktaAnswer } from './errors.ts';
import { signJwt } from './jwt.ts';
import { createProofs, type Proofs } from './proofs.ts';
import type { OktaScope } from './scopes.ts';
import { tokenFault } from './tokenFaults.ts';

type ServiceApp = Extract<OktaCredential, { type: 'serviceApp' }>;
type Outside = Pick<UpstreamOptions, 'fetch' | 'clock' | 'random'>;

/** Asked for anew this long before a token ends, so that none ends on its way. */
const expiryMarginMs = 5 * 60_000;
/** Okta takes an hour at most (okta.md §4); it is used at once. */
const assertionLifeSeconds = 300;
/** As it is; again with a proof where the app wants one; again with the nonce that Okta then asks for. */
const maxTries = 3;
const assertionType = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer';
const label = 'POST /oauth2/v1/token';

/**
 * Tokens for Okta's Management API: the API token as it is, or those that a service app gets for `scopes`.
 * @throws OktaFault `credential` or `scopeMissing` when Okta refuses, and the faults of Upstream.send
 */
export function createOktaTokens(settings: OktaSettings, scopes: readonly OktaScope[], outside: Outside): TokenSource {
  const { credential } = settings;
  return credential.type === 'apiToken'
    ? apiTokenSource(credential.token)
    : serviceAppTokens(settings.orgUrl, credential, scopes, outside);
}

interface Kept {
  readonly token: Token;
  readonly untilMs: number;
}

const noClaims: TokenClaims = { oid: null, appId: null, tenantId: null, roles: [], directoryRoles: [] };

function apiTokenSource(value: string): TokenSource {
  const token: Token = { value, claims: noClaims, authorize: () => ({ authorization: `SSWS ${value}` }) };
  return { get: () => Promise.resolve(token), forget: () => undefined };
}

function serviceAppTokens(
  orgUrl: string,
  app: ServiceApp,
  scopes: readonly OktaScope[],
  { fetch, clock, random }: Outside,
): TokenSource {
  const url = `${orgUrl}/oauth2/v1/token`;
  /** Null until Okta says that the app wants them; the default of new service apps (okta.md §4). */
  let proofs: Proofs | null = null;
  let nonce: string | null = null;
  let kept: Kept | null = null;
  let underWay: Promise<Kept> | null = null;

  // No token goes with a request for one; a proof is made for each attempt.
  const unsigned: Token = {
    value: '',
    claims: noClaims,
    authorize: (request) => (proofs === null ? {} : { dpop: proofs.for(request, { nonce }) }),
  };
  const tokens: TokenSource = { get: () => Promise.resolve(unsigned), forget: () => undefined };
  const endpoint = createUpstream({ name: 'okta', baseUrl: orgUrl, tokens, fetch, clock, random });

  const send = (call: Call): Promise<UpstreamResponse> =>
    endpoint.send(
      {
        method: 'POST',
        url,
        headers: { 'content-type': 'application/x-www-form-urlencoded' },
        body: () =>
          new URLSearchParams({
            grant_type: 'client_credentials',
            scope: scopes.join(' '),
            client_assertion_type: assertionType,
            // Once only: Okta refuses a `jti` that it has seen.
            client_assertion: assertion(app, url, clock),
          }).toString(),
        // Nothing is changed by asking twice.
        effect: 'read',
        label,
      },
      call,
    );

  /** Whether a refusal is mended by what it says: asked again then. */
  function learn(error: string | null, headers: Headers): boolean {
    const offered = headers.get('dpop-nonce');
    if (error === 'invalid_dpop_proof' && proofs === null) proofs = createProofs(clock);
    else if (error === 'use_dpop_nonce' && offered !== null && offered !== nonce) nonce = offered;
    else return false;
    return true;
  }

  async function ask(call: Call): Promise<Kept> {
    for (let attempt = 1; ; attempt += 1) {
      const answer = await send(call);
      const parsed = readJson(answer.text);
      const body = isObject(parsed) ? parsed : {};
      if (answer.status === 200) return read(answer, body);
      if (attempt === maxTries || !learn(textOf(body, 'error'), answer.headers)) throw tokenFault(answer, body, scopes);
    }
  }

  function read(answer: UpstreamResponse, body: OktaObject): Kept {
    const value = textOf(body, 'access_token');
    const lifeMs = Number(body.expires_in) * 1_000;
    if (value === null || !(lifeMs > 0)) throw unreadableOktaAnswer(label, answer);
    const claims: TokenClaims = { ...noClaims, appId: app.clientId };
    const isBound = textOf(body, 'token_type')?.toLowerCase() === 'dpop';
    const token = isBound && proofs !== null ? boundToken(value, claims, proofs) : bearerToken(value, claims);
    return { token, untilMs: clock.now() + lifeMs - Math.min(expiryMarginMs, lifeMs / 2) };
  }

  /** What was asked for before `forget` may lack the grant that it was called for: it is not kept. */
  async function begin(call: Call): Promise<Token> {
    const own = ask(call);
    underWay = own;
    try {
      const found = await own;
      if (underWay === own) kept = found;
      return found.token;
    } finally {
      if (underWay === own) underWay = null;
    }
  }

  /** One request for all who ask at once. Who began it may run out of time: then the others begin anew. */
  async function get(call: Call): Promise<Token> {
    if (kept !== null && clock.now() < kept.untilMs) return kept.token;
    if (underWay === null) return begin(call);
    const { signal } = call.deadline;
    try {
      return (await abortable(signal, underWay, 'no token came before the deadline')).token;
    } catch (error) {
      if (signal.aborted) throw tooLate(error);
      if (isFault(error, 'deadline_exceeded')) return get(call);
      throw error;
    }
  }

  return {
    get,
    forget: () => {
      kept = null;
      underWay = null;
    },
  };
}

function boundToken(value: string, claims: TokenClaims, proofs: Proofs): Token {
  return {
    value,
    claims,
    authorize: (request) => ({
      authorization: `DPoP ${value}`,
      dpop: proofs.for(request, { accessToken: value }),
    }),
  };
}

/** Who we are, signed with the app's key (RFC 7523 §2.2). */
function assertion({ clientId, privateKey, keyId }: ServiceApp, audience: string, clock: Clock): string {
  const iat = Math.floor(clock.now() / 1_000);
  const claims = {
    iss: clientId,
    sub: clientId,
    aud: audience,
    iat,
    exp: iat + assertionLifeSeconds,
    jti: randomUUID(),
  };
  return signJwt({ typ: 'JWT', ...(keyId !== null && { kid: keyId }) }, claims, privateKey);
}

function tooLate(cause: unknown): Fault {
  return new Fault('deadline_exceeded', {
    detail: 'No token of Okta came before the deadline; nothing was written.',
    fix: 'Repeat the request.',
    upstream: 'okta',
    cause,
  });
}

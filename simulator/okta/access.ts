import type { Call } from '../http/message.ts';
import type { Capability } from './roles.ts';
import { allows } from './roles.ts';
import { checkProof } from './dpop.ts';
import { accessDenied, invalidSession, invalidToken } from './errors.ts';
import type { Org } from './org.ts';
import type { Tokens } from './tokens.ts';

/** Who calls, and what that may do. */
export interface Caller {
  readonly id: string;
  readonly adminRoles: readonly string[];
  /** null: an API token, which scopes do not concern. */
  readonly scopes: readonly string[] | null;
}

interface AuthorizationContext {
  org: Org;
  tokens: Tokens;
  call: Call;
  nowMs: number;
}

/** facts.oktaChallenges */
const challenge = (error: string, description: string, more = ''): Record<string, string> => ({
  'www-authenticate': `Bearer realm="IdpMyAccountAPI", error="${error}", error_description="${description}"${more}`,
});

/** The caller by an API token (SSWS) or an access token of a service app. */
export async function callerOf({ org, tokens, call, nowMs }: AuthorizationContext): Promise<Caller> {
  const [, scheme = '', credential = ''] = /^(\S+) (\S+)$/.exec(call.headers.authorization ?? '') ?? [];
  if (call.headers.authorization === undefined) throw invalidSession();
  if (scheme === 'SSWS') {
    const found = [...org.apiTokens].find(({ value }) => value === credential);
    if (!found) throw invalidToken();
    return { id: found.id, adminRoles: found.adminRoles, scopes: null };
  }
  const token = scheme === 'Bearer' || scheme === 'DPoP' ? tokens.find(credential) : undefined;
  if (!token) throw invalidToken(challenge('invalid_token', 'The access token is invalid.'));
  if (token.expiresAtMs <= nowMs) throw invalidToken(challenge('invalid_token', 'The access token has expired.'));
  if ((token.thumbprint === null) !== (scheme === 'Bearer'))
    throw invalidToken(challenge('invalid_token', 'The access token is bound to a key, or is not, unlike the scheme.'));
  if (token.thumbprint !== null) {
    const proof = await checkProof(call.headers.dpop, {
      method: call.method,
      url: `http://${call.headers.host ?? ''}${call.url.pathname}`,
      nowMs,
      accessToken: credential,
      isNew: (jti) => tokens.isNewProof(jti),
    });
    if (typeof proof === 'string' || proof.thumbprint !== token.thumbprint)
      throw invalidToken(challenge('invalid_dpop_proof', 'The DPoP proof JWT is not valid.'));
  }
  const app = org.serviceApps.get(token.clientId);
  if (!app) throw invalidToken(challenge('invalid_token', 'The client is gone.'));
  return { id: app.id, adminRoles: app.adminRoles, scopes: token.scopes };
}

/** Scopes alone are not enough: the admin roles have to allow it too (okta.md §4). */
export function requireAccess(caller: Caller, scopes: readonly string[], capability: Capability): void {
  if (caller.scopes !== null && !scopes.every((scope) => caller.scopes?.some((held) => covers(held, scope))))
    throw accessDenied(
      challenge(
        'insufficient_scope',
        'The access token provided does not contain the required scopes.',
        `, scope="${scopes.join(' ')}"`,
      ),
    );
  if (!allows(caller.adminRoles, capability)) throw accessDenied();
}

/** `manage` holds `read`. */
const covers = (held: string, wanted: string): boolean =>
  held === wanted || held === wanted.replace(/\.read$/, '.manage');

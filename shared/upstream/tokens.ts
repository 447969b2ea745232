import type { AccessToken, TokenCredential } from '@azure/identity';
import { abortable } from '../abort.ts';
import type { Call } from '../call.ts';
import { type Clock, systemClock } from '../clock.ts';
import { Fault, isFault } from '../errors.ts';
import { redact } from './redact.ts';

/**
 * What an app-only token says of us. Microsoft asks to treat tokens as opaque (graph.md §6), so these are evidence for
 * a better message, never a permission check of our own.
 */
export interface TokenClaims {
  /** Object id of our service principal; absent when it does not exist in the tenant (graph.md §6). */
  readonly oid: string | null;
  readonly appId: string | null;
  readonly tenantId: string | null;
  /** Application permissions, like `Exchange.ManageAsApp` or `Group.Read.All`. */
  readonly roles: readonly string[];
  /** Template ids of directory roles (exchange.md §3). */
  readonly directoryRoles: readonly string[];
}

export interface Token {
  readonly value: string;
  readonly claims: TokenClaims;
  /** The headers by which one attempt of a request is made in our name. */
  authorize(request: RequestLine): Readonly<Record<string, string>>;
}

export interface RequestLine {
  readonly method: string;
  readonly url: string;
}

export interface TokenSource {
  get(call: Call): Promise<Token>;
  /** Forgets what is cached, so that a grant given a minute ago is seen (tokens live about an hour). */
  forget(): void;
}

/** Asked for anew this long before a token ends, so that none ends on its way. */
const expiryMarginMs = 5 * 60_000;

/**
 * Tokens for one upstream's scope; `loadCredential` is called when the first one is needed. A token is kept as it was
 * read: the identity library's own cache is asked only when a new one may be due, since each look into it costs more
 * than all else that is done for a call.
 */
export function createTokenSource(
  scope: string,
  loadCredential: () => Promise<TokenCredential>,
  clock: Clock = systemClock,
): TokenSource {
  let credential: Promise<TokenCredential> | null = null;
  let kept: { readonly token: Token; readonly untilMs: number } | null = null;

  /** The identity library does not hand the signal on: a hanging endpoint would outlast the deadline. */
  function requestToken(from: TokenCredential, call: Call): Promise<AccessToken | null> {
    const { signal } = call.deadline;
    return abortable(signal, from.getToken(scope, { abortSignal: signal }), 'no token came before the deadline');
  }

  return {
    get: async (call) => {
      if (kept !== null && clock.now() < kept.untilMs) return kept.token;
      const own = (credential ??= loadCredential());
      try {
        const accessToken = await requestToken(await own, call);
        if (accessToken === null) throw new Error('the credential gave no token');
        const claims = readClaims(accessToken.token);
        // Saves a call whose 401 would say less than the token does.
        if (claims.tenantId !== null && claims.oid === null) throw servicePrincipalMissing();
        const token = bearerToken(accessToken.token, claims);
        // What was asked for before `forget` may lack the grant that it was called for.
        if (credential === own) kept = { token, untilMs: keptUntilMs(accessToken) };
        return token;
      } catch (error) {
        credential = null;
        throw isFault(error) ? error : credentialFault(error, call);
      }
    },
    forget: () => {
      credential = null;
      kept = null;
    },
  };
}

export function bearerToken(value: string, claims: TokenClaims): Token {
  return { value, claims, authorize: () => ({ authorization: `Bearer ${value}` }) };
}

function keptUntilMs({ expiresOnTimestamp, refreshAfterTimestamp }: AccessToken): number {
  const untilMs = expiresOnTimestamp - expiryMarginMs;
  return refreshAfterTimestamp === undefined ? untilMs : Math.min(untilMs, refreshAfterTimestamp);
}

export function readClaims(token: string): TokenClaims {
  const claims = parsePayload(token);
  const text = (name: string) => {
    const value = claims[name];
    return typeof value === 'string' ? value : null;
  };
  const list = (name: string) => {
    const value = claims[name];
    return Array.isArray(value) ? value.filter((each): each is string => typeof each === 'string') : [];
  };
  return {
    oid: text('oid'),
    appId: text('appid') ?? text('azp'),
    tenantId: text('tid'),
    roles: list('roles'),
    directoryRoles: list('wids'),
  };
}

function parsePayload(token: string): Record<string, unknown> {
  try {
    const payload: unknown = JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString('utf8'));
    return typeof payload === 'object' && payload !== null ? (payload as Record<string, unknown>) : {};
  } catch {
    return {};
  }
}

interface EntraError {
  readonly pattern: RegExp;
  readonly code: 'service_principal_missing' | 'credential_rejected' | 'credential_unavailable';
  readonly detail: string;
  readonly fix: string;
}

/** Entra's own error numbers, the ones an administrator can act on. */
const entraErrors: readonly EntraError[] = [
  {
    pattern: /AADSTS(700016|7000229)\b/,
    code: 'service_principal_missing',
    detail: 'Entra does not know this application in the tenant.',
    fix: 'Check AZURE_CLIENT_ID and AZURE_TENANT_ID, then grant admin consent so that the service principal is created in the tenant.',
  },
  {
    // The library drops what Entra says to this: an unknown tenant looks like an authority that nobody answers for.
    pattern: /endpoints_resolution_error/,
    code: 'credential_unavailable',
    detail: 'Entra has no such tenant, or could not be reached.',
    fix: 'Check AZURE_TENANT_ID, CLOUD and AUTHORITY_HOST, and that Entra can be reached.',
  },
  {
    pattern: /AADSTS90002\b/,
    code: 'credential_rejected',
    detail: 'Entra does not know the tenant.',
    fix: 'Check AZURE_TENANT_ID and CLOUD.',
  },
  {
    pattern: /AADSTS7000222\b/,
    code: 'credential_rejected',
    detail: 'The client secret has expired.',
    fix: 'Create a new client secret, or better use a managed identity, and update the setting.',
  },
  {
    pattern: /AADSTS7000215\b/,
    code: 'credential_rejected',
    detail: 'The client secret is wrong.',
    fix: "Put the secret's value, not its id, into AZURE_CLIENT_SECRET.",
  },
  {
    pattern: /AADSTS\d+/,
    code: 'credential_rejected',
    detail: 'Entra refused the credential.',
    fix: 'Look the AADSTS number up in the Entra sign-in logs (Service principal sign-ins), or check the credential settings.',
  },
];

function credentialFault(error: unknown, call: Call): Fault {
  if (call.deadline.signal.aborted) {
    return new Fault('deadline_exceeded', {
      detail: 'No token came before the deadline; nothing was written.',
      fix: 'Repeat the request.',
      upstream: 'entra',
      cause: error,
    });
  }
  const text = error instanceof Error ? error.message : String(error);
  const known = entraErrors.find(({ pattern }) => pattern.test(text));
  if (known !== undefined) {
    const number = /AADSTS\d+/.exec(text)?.[0];
    return new Fault(known.code, {
      detail: number === undefined ? known.detail : `${known.detail} (${number})`,
      fix: known.fix,
      upstream: 'entra',
      cause: error,
    });
  }
  return new Fault('credential_unavailable', {
    detail: `No token could be had: ${redact(text)}`,
    fix: 'With a managed identity, check that it is assigned to the function app (and AZURE_CLIENT_ID for a user-assigned one); otherwise check that Entra can be reached.',
    upstream: 'entra',
    cause: error,
  });
}

/** A token without `oid` was issued for a tenant that has no service principal of ours (graph.md §6). */
function servicePrincipalMissing(): Fault {
  return new Fault('service_principal_missing', {
    detail: 'The token carries no object id: this app has no service principal in the tenant.',
    fix: 'Grant admin consent to the app in the tenant AZURE_TENANT_ID (this creates the service principal); right after consent wait a minute.',
    upstream: 'entra',
  });
}

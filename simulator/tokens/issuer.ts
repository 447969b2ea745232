import { generateKeyPair, randomUUID, type KeyObject } from 'node:crypto';
import { promisify } from 'node:util';
import { SignJWT, decodeJwt, errors, jwtVerify } from 'jose';
import type { Clock } from '../clock.ts';
import { tenantWideRoles } from '../tenant/privileges.ts';
import { exchangeAppId, graphAppId } from '../tenant/roles.ts';
import type { Tenant } from '../tenant/tenant.ts';

export type Resource = 'graph' | 'exchange';

/** The names a resource goes by, in a scope, in a `resource` parameter and in `aud`. */
const audiences: Record<Resource, readonly string[]> = {
  graph: ['https://graph.microsoft.com', graphAppId],
  exchange: ['https://outlook.office365.com', 'https://outlook.office.com', exchangeAppId],
};

export function resourceOf(identifier: string): Resource | null {
  const wanted = identifier.replace(/\/+$/, '').toLowerCase();
  if (audiences.graph.includes(wanted)) return 'graph';
  return audiences.exchange.includes(wanted) ? 'exchange' : null;
}

export interface AccessToken {
  appId: string;
  objectId: string | null;
  roles: readonly string[];
  directoryRoles: readonly string[];
}

export interface IssuedToken {
  token: string;
  expiresAtMs: number;
}

const strings = (value: unknown): string[] =>
  Array.isArray(value) ? value.filter((item): item is string => typeof item === 'string') : [];

export class TokenIssuer {
  readonly #privateKey: KeyObject;
  readonly #publicKey: KeyObject;

  private constructor(keys: { privateKey: KeyObject; publicKey: KeyObject }) {
    this.#privateKey = keys.privateKey;
    this.#publicKey = keys.publicKey;
  }

  static async create(): Promise<TokenIssuer> {
    return new TokenIssuer(await promisify(generateKeyPair)('rsa', { modulusLength: 2048 }));
  }

  async issue(
    tenant: Tenant,
    clock: Clock,
    wanted: { appId: string; audience: string; resource: Resource; lifetimeMs: number },
  ): Promise<IssuedToken> {
    const issuedAt = Math.floor(clock.now() / 1000);
    const expires = issuedAt + Math.floor(wanted.lifetimeMs / 1000);
    // Without a service principal in the tenant there is a token, but nobody in it (graph.md §6).
    const principal =
      tenant.settings.tenantServicePrincipal === 'present' ? tenant.servicePrincipal(wanted.appId) : undefined;
    const roles = principal?.roles[wanted.resource] ?? [];
    const token = await new SignJWT({
      tid: tenant.id,
      appid: wanted.appId,
      idtyp: 'app',
      ver: '1.0',
      // "app-only tokens can be issued without a roles claim" (graph.md §6)
      ...(roles.length > 0 ? { roles } : {}),
      ...(principal
        ? { oid: principal.id, sub: principal.id, wids: tenantWideRoles(tenant.view('entra'), principal) }
        : {}),
    })
      .setProtectedHeader({ alg: 'RS256', typ: 'JWT' })
      .setIssuer(`https://sts.windows.net/${tenant.id}/`)
      .setAudience(wanted.audience)
      .setIssuedAt(issuedAt)
      .setNotBefore(issuedAt)
      .setExpirationTime(expires)
      .setJti(randomUUID())
      .sign(this.#privateKey);
    return { token, expiresAtMs: expires * 1000 };
  }

  /** The token in an Authorization header, or why it is refused. */
  async verify(
    authorization: string | undefined,
    resource: Resource,
    tenant: Tenant,
    nowMs: number,
  ): Promise<AccessToken | 'missing' | 'expired' | 'wrongAudience' | 'invalid'> {
    const token = /^Bearer (\S+)$/i.exec(authorization ?? '')?.[1];
    if (token === undefined) return 'missing';
    try {
      const { payload } = await jwtVerify(token, this.#publicKey, {
        issuer: `https://sts.windows.net/${tenant.id}/`,
        currentDate: new Date(nowMs),
      });
      if (resourceOf(String(decodeJwt(token).aud)) !== resource) return 'wrongAudience';
      return {
        appId: String(payload.appid),
        objectId: typeof payload.oid === 'string' ? payload.oid : null,
        roles: strings(payload.roles),
        directoryRoles: strings(payload.wids),
      };
    } catch (error) {
      return error instanceof errors.JWTExpired ? 'expired' : 'invalid';
    }
  }
}

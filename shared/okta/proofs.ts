import { createHash, generateKeyPairSync, randomUUID } from 'node:crypto';
import type { Clock } from '../clock.ts';
import type { RequestLine } from '../upstream/tokens.ts';
import { signJwt } from './jwt.ts';

/** Makes DPoP proofs (RFC 9449): that we hold the key to which a token is bound. */
export interface Proofs {
  /** A proof may be used once. `accessToken` and `nonce` where the request has them. */
  for(request: RequestLine, bound?: { accessToken?: string; nonce?: string | null }): string;
}

/** With a key of its own, which lives as long as this process. */
export function createProofs(clock: Clock): Proofs {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const header = { typ: 'dpop+jwt', jwk: publicKey.export({ format: 'jwk' }) };
  return {
    for: ({ method, url }, { accessToken, nonce } = {}) => {
      const { origin, pathname } = new URL(url);
      const claims = {
        htm: method,
        htu: `${origin}${pathname}`,
        iat: Math.floor(clock.now() / 1_000),
        jti: randomUUID(),
        ...(typeof nonce === 'string' && { nonce }),
        ...(accessToken !== undefined && { ath: createHash('sha256').update(accessToken).digest('base64url') }),
      };
      return signJwt(header, claims, privateKey);
    },
  };
}

import { createHash } from 'node:crypto';
import { EmbeddedJWK, calculateJwkThumbprint, decodeProtectedHeader, jwtVerify } from 'jose';

export interface ProofExpectation {
  method: string;
  /** Without query. */
  url: string;
  nowMs: number;
  /** What the proof goes with, where it is not a request for a token. */
  accessToken?: string;
  /** A proof may be used once. */
  isNew: (jti: string) => boolean;
}

export interface Proof {
  /** Of the key that signed it. */
  thumbprint: string;
  nonce: unknown;
}

const FIVE_MINUTES = 300;

/** A DPoP proof by RFC 9449; or what is wrong with it (facts.oktaDpop). */
export async function checkProof(
  proof: string | undefined,
  { method, url, nowMs, accessToken, isNew }: ProofExpectation,
): Promise<Proof | string> {
  if (proof === undefined) return 'The DPoP proof JWT header is missing.';
  try {
    const { payload } = await jwtVerify(proof, EmbeddedJWK, {
      typ: 'dpop+jwt',
      currentDate: new Date(nowMs),
      maxTokenAge: FIVE_MINUTES,
    });
    if (payload.htm !== method || payload.htu !== url)
      return "The DPoP proof JWT's method or URL is not that of the request.";
    if (accessToken !== undefined && payload.ath !== createHash('sha256').update(accessToken).digest('base64url'))
      return "The DPoP proof JWT's ath is not that of the access token.";
    if (payload.jti === undefined || !isNew(payload.jti)) return 'The DPoP proof JWT has been used already.';
    const { jwk } = decodeProtectedHeader(proof);
    return jwk ? { thumbprint: await calculateJwkThumbprint(jwk), nonce: payload.nonce } : 'The jwk is missing.';
  } catch {
    return 'The DPoP proof JWT is not valid.';
  }
}

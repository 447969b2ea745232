import { createPrivateKey, type JsonWebKey, type KeyObject } from 'node:crypto';

/** A key that signs in our name; a KeyObject shows nothing of itself in a log. */
export interface PrivateKey {
  readonly key: KeyObject;
  /** Its `kid`; null where it has none of its own. */
  readonly keyId: string | null;
}

/** Okta's least (RFC 7518 §3.3 asks the same for RS256). */
const leastBits = 2_048;

/** A private RSA key from PEM or JWK text; null when it is none, or too short. */
export function readPrivateKey(text: string): PrivateKey | null {
  try {
    const { key, keyId } = text.trimStart().startsWith('{') ? keyOfJwk(text) : keyOfPem(text);
    const isFit = key.asymmetricKeyType === 'rsa' && (key.asymmetricKeyDetails?.modulusLength ?? 0) >= leastBits;
    return isFit ? { key, keyId } : null;
  } catch {
    return null;
  }
}

function keyOfJwk(text: string): PrivateKey {
  const jwk = JSON.parse(text) as JsonWebKey;
  return { key: createPrivateKey({ key: jwk, format: 'jwk' }), keyId: typeof jwk.kid === 'string' ? jwk.kid : null };
}

function keyOfPem(text: string): PrivateKey {
  // Portals and shells like to turn the line ends of a PEM into the two characters \n.
  return { key: createPrivateKey(text.replaceAll('\\n', '\n')), keyId: null };
}

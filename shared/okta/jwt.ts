import { type KeyObject, sign } from 'node:crypto';

/** A signed JWT in its compact form: RS256 with an RSA key, ES256 with one of P-256. */
export function signJwt(header: object, claims: object, key: KeyObject): string {
  const alg = key.asymmetricKeyType === 'rsa' ? 'RS256' : 'ES256';
  const content = `${encode({ alg, ...header })}.${encode(claims)}`;
  // JWS wants the two numbers of an elliptic signature side by side (RFC 7518 §3.4); RSA knows no such choice.
  const signature = sign('sha256', Buffer.from(content), { key, dsaEncoding: 'ieee-p1363' });
  return `${content}.${signature.toString('base64url')}`;
}

function encode(part: object): string {
  return Buffer.from(JSON.stringify(part)).toString('base64url');
}

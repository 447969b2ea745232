import { X509Certificate, createHash } from 'node:crypto';
import { compactVerify, decodeJwt, decodeProtectedHeader } from 'jose';
import type { ServicePrincipal } from '../tenant/model.ts';

/** What is wrong with a credential: OAuth code, AADSTS number and text. */
export type Refusal = readonly [error: string, number: number, message: string];

export function checkSecret(principal: ServicePrincipal, secret: string, nowMs: number): Refusal | null {
  const known = principal.clientSecrets.find(({ value }) => value === secret);
  if (!known)
    return [
      'invalid_client',
      7000215,
      `Invalid client secret provided. Ensure the secret being sent in the request is the client secret value, not the client secret ID, for a secret added to app '${principal.appId}'.`,
    ];
  if (Date.parse(known.endDateTime) <= nowMs)
    return [
      'invalid_client',
      7000222,
      `The provided client secret keys for app '${principal.appId}' are expired. Visit the Azure portal to create new keys for your app.`,
    ];
  return null;
}

const thumbprint = (certificate: X509Certificate, algorithm: 'sha1' | 'sha256'): string =>
  createHash(algorithm).update(certificate.raw).digest('base64url');

/** RFC 7523 as Entra checks it: signed by a registered certificate, for this endpoint, and in time. */
export async function checkAssertion(
  assertion: string,
  expected: { clientId: string; audiences: readonly string[]; certificates: readonly string[]; nowMs: number },
): Promise<Refusal | null> {
  const bad = (reason: string): Refusal => [
    'invalid_client',
    700027,
    `The certificate with identifier used to sign the client assertion is not valid. ${reason}`,
  ];
  try {
    const header = decodeProtectedHeader(assertion);
    const certificate = expected.certificates
      .map((pem) => new X509Certificate(pem))
      .find((each) =>
        header['x5t#S256'] === undefined
          ? header.x5t === thumbprint(each, 'sha1')
          : header['x5t#S256'] === thumbprint(each, 'sha256'),
      );
    if (!certificate) return bad('The key was not found.');
    await compactVerify(assertion, certificate.publicKey, { algorithms: ['RS256', 'PS256'] });
    const { aud, exp, iss, sub } = decodeJwt(assertion);
    if (!expected.audiences.includes(String(aud))) return bad('The audience is not this token endpoint.');
    if (iss !== expected.clientId || sub !== expected.clientId) return bad('Issuer and subject must be the client id.');
    if (exp === undefined || exp * 1000 <= expected.nowMs)
      return ['invalid_client', 700024, 'Client assertion is not within its valid time range.'];
    return null;
  } catch {
    return bad('The signature could not be verified.');
  }
}

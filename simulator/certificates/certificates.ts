// The library's own dependency injection needs it, and needs it first.
import 'reflect-metadata';
import { webcrypto } from 'node:crypto';
import * as x509 from '@peculiar/x509';

x509.cryptoProvider.set(webcrypto);

export interface CertificateAuthority {
  certificatePem: string;
  keyPem: string;
}

export interface IssuedCertificate {
  certificatePem: string;
  keyPem: string;
}

const dayMs = 86_400_000;
const authorityName = 'CN=Simulated Certificate Authority';
const elliptic = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' } as const;
const rsa = {
  name: 'RSASSA-PKCS1-v1_5',
  hash: 'SHA-256',
  publicExponent: new Uint8Array([1, 0, 1]),
  modulusLength: 2048,
} as const;

/** A certificate is valid from a day ago, so that clocks that differ a little do not matter. */
const validity = () => ({ notBefore: new Date(Date.now() - dayMs), notAfter: new Date(Date.now() + 365 * dayMs) });

export async function createCertificateAuthority(): Promise<CertificateAuthority> {
  const keys = await webcrypto.subtle.generateKey(elliptic, true, ['sign', 'verify']);
  const certificate = await x509.X509CertificateGenerator.createSelfSigned({
    name: authorityName,
    keys,
    signingAlgorithm: elliptic,
    ...validity(),
    extensions: [
      new x509.BasicConstraintsExtension(true, undefined, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign, true),
      await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
    ],
  });
  return { certificatePem: `${certificate.toString('pem')}\n`, keyPem: await pemOf(keys.privateKey) };
}

/** For an HTTPS server on loopback: localhost and 127.0.0.1. */
export async function issueServerCertificate(authority: CertificateAuthority): Promise<IssuedCertificate> {
  const keys = await webcrypto.subtle.generateKey(elliptic, true, ['sign', 'verify']);
  return issue(authority, 'CN=localhost', keys, [
    new x509.SubjectAlternativeNameExtension([
      { type: 'dns', value: 'localhost' },
      { type: 'ip', value: '127.0.0.1' },
    ]),
    new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage.serverAuth]),
  ]);
}

/** An application's credential: RSA, since client assertions are signed RS256 or PS256. */
export async function issueClientCertificate(
  authority: CertificateAuthority,
  subject: string,
): Promise<IssuedCertificate> {
  const keys = await webcrypto.subtle.generateKey(rsa, true, ['sign', 'verify']);
  return issue(authority, `CN=${subject}`, keys, [
    new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage.clientAuth]),
  ]);
}

async function issue(
  authority: CertificateAuthority,
  subject: string,
  keys: webcrypto.CryptoKeyPair,
  extensions: x509.Extension[],
): Promise<IssuedCertificate> {
  const issuer = new x509.X509Certificate(authority.certificatePem);
  const signingKey = await webcrypto.subtle.importKey(
    'pkcs8',
    x509.PemConverter.decodeFirst(authority.keyPem),
    elliptic,
    false,
    ['sign'],
  );
  const certificate = await x509.X509CertificateGenerator.create({
    subject,
    issuer: issuer.subject,
    publicKey: keys.publicKey,
    signingKey,
    signingAlgorithm: elliptic,
    ...validity(),
    extensions: [
      new x509.BasicConstraintsExtension(false, undefined, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature | x509.KeyUsageFlags.keyEncipherment, true),
      await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
      await x509.AuthorityKeyIdentifierExtension.create(issuer),
      ...extensions,
    ],
  });
  return { certificatePem: `${certificate.toString('pem')}\n`, keyPem: await pemOf(keys.privateKey) };
}

async function pemOf(privateKey: webcrypto.CryptoKey): Promise<string> {
  const pkcs8 = await webcrypto.subtle.exportKey('pkcs8', privateKey);
  return `${x509.PemConverter.encode(pkcs8, 'PRIVATE KEY')}\n`;
}

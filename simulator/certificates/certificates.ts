import {
  createHash,
  createPrivateKey,
  createPublicKey,
  generateKeyPair,
  randomBytes,
  sign,
  type KeyObject,
} from 'node:crypto';
import { promisify } from 'node:util';
import * as der from './der.ts';

const generate = promisify(generateKeyPair);

export interface CertificateAuthority {
  certificatePem: string;
  keyPem: string;
}

export interface IssuedCertificate {
  certificatePem: string;
  keyPem: string;
}

const OID = {
  commonName: '2.5.4.3',
  ecdsaWithSha256: '1.2.840.10045.4.3.2',
  basicConstraints: '2.5.29.19',
  keyUsage: '2.5.29.15',
  subjectAltName: '2.5.29.17',
  subjectKeyIdentifier: '2.5.29.14',
  authorityKeyIdentifier: '2.5.29.35',
  extKeyUsage: '2.5.29.37',
  serverAuth: '1.3.6.1.5.5.7.3.1',
  clientAuth: '1.3.6.1.5.5.7.3.2',
} as const;

const DAY_MS = 86_400_000;
const AUTHORITY_NAME = 'Simulated Certificate Authority';

const nameOf = (commonName: string): Buffer =>
  der.sequence(der.set(der.sequence(der.objectIdentifier(OID.commonName), der.utf8String(commonName))));

const extension = (id: string, value: Buffer, critical = false): Buffer =>
  der.sequence(der.objectIdentifier(id), ...(critical ? [der.boolean(true)] : []), der.octetString(value));

const toPem = (content: Buffer): string =>
  `-----BEGIN CERTIFICATE-----\n${content.toString('base64').replace(/(.{64})(?=.)/g, '$1\n')}\n-----END CERTIFICATE-----\n`;

const spkiOf = (key: KeyObject): Buffer => key.export({ type: 'spki', format: 'der' });
const keyIdentifier = (key: KeyObject): Buffer => createHash('sha1').update(spkiOf(key)).digest();

const pemOf = (privateKey: KeyObject): string => privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();

function certificate(fields: {
  subject: string;
  publicKey: KeyObject;
  signingKey: KeyObject;
  authorityKey: KeyObject;
  extensions: Buffer[];
}): string {
  const now = Date.now();
  const algorithm = der.sequence(der.objectIdentifier(OID.ecdsaWithSha256));
  // A positive serial number without a leading zero byte.
  const serial = randomBytes(16);
  serial[0] = ((serial[0] ?? 0) & 0x7f) | 0x40;
  const body = der.sequence(
    der.explicit(0, der.integer(2)),
    der.integer(serial),
    algorithm,
    nameOf(AUTHORITY_NAME),
    der.sequence(der.time(new Date(now - DAY_MS)), der.time(new Date(now + 365 * DAY_MS))),
    nameOf(fields.subject),
    spkiOf(fields.publicKey),
    der.explicit(
      3,
      der.sequence(
        ...fields.extensions,
        extension(OID.subjectKeyIdentifier, der.octetString(keyIdentifier(fields.publicKey))),
        extension(OID.authorityKeyIdentifier, der.sequence(der.implicit(0, keyIdentifier(fields.authorityKey)))),
      ),
    ),
  );
  const signature = sign('sha256', body, fields.signingKey);
  return toPem(der.sequence(body, algorithm, der.bitString(signature)));
}

export async function createCertificateAuthority(): Promise<CertificateAuthority> {
  const { privateKey, publicKey } = await generate('ec', { namedCurve: 'P-256' });
  const certificatePem = certificate({
    subject: AUTHORITY_NAME,
    publicKey,
    signingKey: privateKey,
    authorityKey: publicKey,
    extensions: [
      extension(OID.basicConstraints, der.sequence(der.boolean(true)), true),
      // keyCertSign and cRLSign, bits 5 and 6
      extension(OID.keyUsage, der.bitString(Buffer.from([0b0000_0110]), 1), true),
    ],
  });
  return { certificatePem, keyPem: pemOf(privateKey) };
}

function issue(
  authority: CertificateAuthority,
  subject: string,
  key: { privateKey: KeyObject; publicKey: KeyObject },
  extensions: Buffer[],
): IssuedCertificate {
  const signingKey = createPrivateKey(authority.keyPem);
  const certificatePem = certificate({
    subject,
    publicKey: key.publicKey,
    signingKey,
    authorityKey: createPublicKey(signingKey),
    extensions: [
      extension(OID.basicConstraints, der.sequence(), true),
      // digitalSignature and keyEncipherment, bits 0 and 2
      extension(OID.keyUsage, der.bitString(Buffer.from([0b1010_0000]), 5), true),
      ...extensions,
    ],
  });
  return { certificatePem, keyPem: pemOf(key.privateKey) };
}

/** For an HTTPS server on loopback: localhost and 127.0.0.1. */
export async function issueServerCertificate(authority: CertificateAuthority): Promise<IssuedCertificate> {
  const names = der.sequence(der.implicit(2, Buffer.from('localhost')), der.implicit(7, Buffer.from([127, 0, 0, 1])));
  return issue(authority, 'localhost', await generate('ec', { namedCurve: 'P-256' }), [
    extension(OID.subjectAltName, names),
    extension(OID.extKeyUsage, der.sequence(der.objectIdentifier(OID.serverAuth))),
  ]);
}

/** An application's credential: RSA, since client assertions are signed RS256 or PS256. */
export async function issueClientCertificate(
  authority: CertificateAuthority,
  subject: string,
): Promise<IssuedCertificate> {
  return issue(authority, subject, await generate('rsa', { modulusLength: 2048 }), [
    extension(OID.extKeyUsage, der.sequence(der.objectIdentifier(OID.clientAuth))),
  ]);
}

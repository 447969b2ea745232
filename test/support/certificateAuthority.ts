import { X509Certificate } from 'node:crypto';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { type CertificateAuthority, createCertificateAuthority } from '../../simulator/index.ts';

export interface CertificateAuthorityFiles {
  certificateFile: string;
  keyFile: string;
}

const folder = new URL('../../.cache/ca/', import.meta.url);
const files: CertificateAuthorityFiles = {
  certificateFile: fileURLToPath(new URL('certificate.pem', folder)),
  keyFile: fileURLToPath(new URL('key.pem', folder)),
};
const day = 86_400_000;

/** Makes the authority, unless the one of an earlier run is good for another day. */
export async function provideCertificateAuthority(): Promise<CertificateAuthorityFiles> {
  if (!(await isStillGood())) {
    const authority = await createCertificateAuthority();
    await mkdir(folder, { recursive: true });
    await writeFile(files.keyFile, authority.keyPem, { mode: 0o600 });
    await writeFile(files.certificateFile, authority.certificatePem);
  }
  return files;
}

async function isStillGood(): Promise<boolean> {
  try {
    const { certificatePem, keyPem } = await readCertificateAuthority(files);
    return keyPem !== '' && Date.parse(new X509Certificate(certificatePem).validTo) > Date.now() + day;
  } catch {
    // None yet, or half of one.
    return false;
  }
}

export async function readCertificateAuthority(from: CertificateAuthorityFiles): Promise<CertificateAuthority> {
  return {
    certificatePem: await readFile(from.certificateFile, 'utf8'),
    keyPem: await readFile(from.keyFile, 'utf8'),
  };
}

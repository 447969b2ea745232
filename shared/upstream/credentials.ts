import type { TokenCredential } from '@azure/identity';
import type { Config } from '../config.ts';

/**
 * The tenant's credential from the real identity library. Loaded here and nowhere else, on first need: it is the
 * heaviest thing at a cold start (functions.md §5).
 *
 * Instance discovery is off for hosts that are not Microsoft's: Entra's public instance list does not know them.
 */
export async function loadCredential(config: Config): Promise<TokenCredential> {
  const identity = await import('@azure/identity');
  const { credential, tenantId, authorityHost } = config;
  const isPublicAuthority = /\.(microsoftonline\.(com|us)|chinacloudapi\.cn)$/.test(new URL(authorityHost).hostname);
  const options = { authorityHost, disableInstanceDiscovery: !isPublicAuthority };
  switch (credential.type) {
    case 'managedIdentity':
      return credential.clientId === null
        ? new identity.ManagedIdentityCredential()
        : new identity.ManagedIdentityCredential({ clientId: credential.clientId });
    case 'clientSecret':
      return new identity.ClientSecretCredential(tenantId, credential.clientId, credential.clientSecret, options);
    case 'clientCertificate': {
      const certificate = { certificate: credential.certificatePem };
      return new identity.ClientCertificateCredential(tenantId, credential.clientId, certificate, options);
    }
  }
}

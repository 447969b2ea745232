import { redact } from '../upstream/redact.ts';
import type { UpstreamResponse } from '../upstream/upstream.ts';
import { type OktaObject, textOf } from './answers.ts';
import { OktaFault } from './errors.ts';
import type { OktaScope } from './scopes.ts';

interface TokenErrorRule {
  readonly text: RegExp;
  readonly fix: string;
}

/** First match wins, over Okta's `error` and its description. */
const tokenErrorRules: readonly TokenErrorRule[] = [
  {
    text: /dpop/i,
    fix: 'Repeat the request; if it stays, clear "Require Demonstrating Proof of Possession (DPoP) header in token requests" in the General tab of the service app.',
  },
  {
    text: /\bkid\b|signature/i,
    fix: 'Add the public key that belongs to OKTA_PRIVATE_KEY to the service app (General, Client Credentials, Public key / Private key), and set OKTA_KEY_ID to its key id where OKTA_PRIVATE_KEY is a PEM.',
  },
  {
    text: /expir|issue/i,
    fix: 'Check the clock of this machine: the assertion that it signed is out of its time for Okta.',
  },
  { text: /audience/i, fix: 'Set OKTA_ORG_URL to the address by which the org names itself.' },
  {
    text: /client_id|issuer|client/i,
    fix: 'Check OKTA_CLIENT_ID and OKTA_ORG_URL, and that the service app is active and uses "Public key / Private key".',
  },
];
const otherFix = 'Read the message of Okta; if it does not help, give its request id to Okta support.';

/** The fault for an answer of the token endpoint that is no token. */
export function tokenFault(
  { status, requestId }: Pick<UpstreamResponse, 'status' | 'requestId'>,
  body: OktaObject,
  scopes: readonly OktaScope[],
): OktaFault {
  const error = textOf(body, 'error');
  const description = textOf(body, 'error_description') ?? '';
  const said = error === null ? `HTTP ${status} without a readable body` : `${error}: ${description}`;
  const common = { detail: `Okta gave no token: ${redact(said)}`, upstreamRequestId: requestId };
  if (error === 'invalid_scope' || error === 'consent_required') {
    const named = scopes.filter((scope) => description.includes(scope));
    const missing = named.length === 0 ? scopes : named;
    const fix = `Grant the service app ${missing.join(', ')} (its tab Okta API Scopes).`;
    return new OktaFault('scopeMissing', error, 'okta_forbidden', { ...common, fix });
  }
  const fix = tokenErrorRules.find(({ text }) => text.test(said))?.fix ?? otherFix;
  return new OktaFault('credential', error, 'okta_credential_rejected', { ...common, fix });
}

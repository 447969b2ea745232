import { Fault } from '../../errors.ts';

export const challengeHeader = 'x-okta-verification-challenge';

/** What a random value in a header looks like. It is sent back as it came, so nothing else is. */
const wellFormed = /^[\w.~+/=-]{1,256}$/;

/**
 * The answer to Okta's one-time challenge. It proves no more than that this app is reached, so no secret is asked for:
 * whether Okta sends it with the challenge is not known (okta.md §7).
 * @throws Fault `invalid_request`
 */
export function answerChallenge(challenge: string | null): { readonly verification: string } {
  if (challenge !== null && wellFormed.test(challenge)) return { verification: challenge };
  const message = challenge === null ? 'is missing' : 'is no challenge of Okta';
  throw new Fault('invalid_request', {
    detail: `The header "${challengeHeader}" ${message}.`,
    fix: 'Verify the event hook in Okta, which sends it; for a look by hand send up to 256 letters and digits.',
  });
}

import type { Endpoint } from '../../shared/action/endpoint.ts';
import { answerChallenge, challengeHeader } from '../../shared/push/hooks/challenge.ts';

export const verifyEventHook: Endpoint = {
  name: 'verifyEventHook',
  room: 'push',
  method: 'GET',
  route: 'okta/events',
  summary: 'Answer the challenge with which Okta verifies its event hook',
  authLevel: 'anonymous',
  bodyLimitBytes: 0,
  times: { totalMs: 2_500, proofMs: 0 },
  run: (request) => {
    const body = answerChallenge(request.header(challengeHeader));
    return Promise.resolve({ status: 200, outcome: 'verified', body: { ...body } });
  },
};

import { json, type Handler } from './http/message.ts';

/** The Okta org is not modelled yet: no silent success. */
export const oktaHandler: Handler = (call) =>
  json(501, {
    errorCode: 'E0000060',
    errorSummary: `Unsupported operation. The simulator does not model ${call.method} ${call.url.pathname} of Okta.`,
    errorLink: 'E0000060',
    errorId: call.requestId,
    errorCauses: [],
  });

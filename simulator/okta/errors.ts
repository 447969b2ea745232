import { json, type Call, type Reply } from '../http/message.ts';

/** Okta's error envelope (okta.md §4); beyond the codes there, facts.oktaErrorWords. */
export class OktaError extends Error {
  readonly status: number;
  readonly code: string;
  readonly causes: readonly string[];
  readonly headers: Record<string, string>;

  constructor(
    status: number,
    code: string,
    summary: string,
    { causes = [], headers = {} }: { causes?: readonly string[]; headers?: Record<string, string> } = {},
  ) {
    super(summary);
    this.name = 'OktaError';
    this.status = status;
    this.code = code;
    this.causes = causes;
    this.headers = headers;
  }
}

export const validationFailed = (what: string, ...causes: string[]): OktaError =>
  new OktaError(400, 'E0000001', `Api validation failed: ${what}`, { causes });
export const malformedBody = (): OktaError => new OktaError(400, 'E0000003', 'The request body was not well-formed.');
export const invalidSession = (): OktaError => new OktaError(403, 'E0000005', 'Invalid session');
export const accessDenied = (headers: Record<string, string> = {}): OktaError =>
  new OktaError(403, 'E0000006', 'You do not have permission to perform the requested action', { headers });
export const notFound = (ref: string, kind: string): OktaError =>
  new OktaError(404, 'E0000007', `Not found: Resource not found: ${ref} (${kind})`);
export const invalidToken = (headers: Record<string, string> = {}): OktaError =>
  new OktaError(401, 'E0000011', 'Invalid token provided', { headers });
export const wrongMethod = (): OktaError =>
  new OktaError(405, 'E0000022', 'The endpoint does not support the provided HTTP method');
export const invalidSearch = (): OktaError => new OktaError(400, 'E0000031', 'Invalid search criteria.');
export const wrongUserStatus = (): OktaError =>
  new OktaError(403, 'E0000038', "This operation is not allowed in the user's current status.");
export const tooManyRequests = (headers: Record<string, string>): OktaError =>
  new OktaError(429, 'E0000047', 'API call exceeded rate limit due to too many requests.', { headers });
export const notModelled = (what: string): OktaError =>
  new OktaError(501, 'E0000060', `Unsupported operation. The simulator does not model ${what} of Okta.`);

export function oktaErrorReply(error: OktaError, call: Call): Reply {
  return json(
    error.status,
    {
      errorCode: error.code,
      errorSummary: error.message,
      errorLink: error.code,
      errorId: `oae${call.requestId.replaceAll('-', '').slice(0, 22)}`,
      errorCauses: error.causes.map((errorSummary) => ({ errorSummary })),
    },
    error.headers,
  );
}

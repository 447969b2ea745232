import { json, type Call, type Reply } from '../http/message.ts';

/** One entry of `error.details` (graph.md §8). */
export interface ErrorDetail {
  readonly code: string;
  readonly message: string;
  readonly target: string;
}

/** Codes and words of graph.md §1.4. */
export class GraphError extends Error {
  readonly status: number;
  readonly code: string;
  readonly headers: Record<string, string>;
  readonly details: readonly ErrorDetail[];

  constructor(
    status: number,
    code: string,
    message: string,
    headers: Record<string, string> = {},
    details: readonly ErrorDetail[] = [],
  ) {
    super(message);
    this.name = 'GraphError';
    this.status = status;
    this.code = code;
    this.headers = headers;
    this.details = details;
  }
}

export const badRequest = (message: string, details: readonly ErrorDetail[] = []): GraphError =>
  new GraphError(400, 'Request_BadRequest', message, {}, details);
export const unsupportedQuery = (message: string): GraphError =>
  new GraphError(400, 'Request_UnsupportedQuery', message);
export const unknownProperty = (property: string, type: string, clause: string): GraphError =>
  new GraphError(400, 'BadRequest', `${clause}: Could not find a property named '${property}' on type '${type}'.`);
export const notModelled = (what: string): GraphError =>
  new GraphError(501, 'NotImplemented', `The simulator does not model ${what}.`);
export const denied = (more = ''): GraphError =>
  new GraphError(403, 'Authorization_RequestDenied', `Insufficient privileges to complete the operation.${more}`);
export const notFound = (id: string): GraphError =>
  new GraphError(
    404,
    'Request_ResourceNotFound',
    `Resource '${id}' does not exist or one of its queried reference-property objects are not present.`,
  );

export function graphErrorReply(error: GraphError, call: Call, nowMs: number): Reply {
  return json(
    error.status,
    {
      error: {
        code: error.code,
        message: error.message,
        ...(error.details.length > 0 ? { details: error.details } : {}),
        innerError: {
          // Without a zone, as Graph sends it (graph.md §7.3).
          date: new Date(nowMs).toISOString().slice(0, 19),
          'request-id': call.requestId,
          'client-request-id': call.headers['client-request-id'] ?? call.requestId,
        },
      },
    },
    error.headers,
  );
}

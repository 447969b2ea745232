import { randomUUID } from 'node:crypto';
import { json, type Reply } from '../http/message.ts';

/** Error bodies of the Entra token endpoint: an OAuth 2.0 code, with the AADSTS number that says what is really wrong. */
export function loginError(status: number, error: string, number: number, message: string, nowMs: number): Reply {
  const [traceId, correlationId] = [randomUUID(), randomUUID()];
  const timestamp = new Date(nowMs)
    .toISOString()
    .replace('T', ' ')
    .replace(/\.\d+Z/, 'Z');
  return json(status, {
    error,
    error_description: `AADSTS${String(number)}: ${message} Trace ID: ${traceId} Correlation ID: ${correlationId} Timestamp: ${timestamp}`,
    error_codes: [number],
    timestamp,
    trace_id: traceId,
    correlation_id: correlationId,
    error_uri: `https://login.microsoftonline.com/error?code=${String(number)}`,
  });
}

import { Fault } from '../errors.ts';
import { redact } from '../upstream/redact.ts';

/** @param meaning what the failure means for this request, as the end of a sentence */
export function auditUnavailable(work: 'written' | 'read' | 'cleared', meaning: string, cause: unknown): Fault {
  const said = cause instanceof Error ? redact(cause.message) : 'no answer';
  return new Fault('audit_unavailable', {
    detail: `The audit table cannot be ${work} (${said}); ${meaning}.`,
    fix: 'Check AzureWebJobsStorage and that the identity has the role Storage Table Data Contributor; then repeat the request.',
    upstream: 'storage',
    cause,
  });
}

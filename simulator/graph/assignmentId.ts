import { createHash } from 'node:crypto';

/** An id that stays the same for the same grant. */
export const assignmentId = (...parts: string[]): string =>
  createHash('sha256').update(parts.join()).digest('base64url').slice(0, 43);

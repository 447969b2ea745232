import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import type { IncomingMessage } from 'node:http';

export interface Keys {
  functionKey: string;
  masterKey: string;
}

export function newKey(): string {
  return randomBytes(40).toString('base64url');
}

/** Whether the caller may invoke at this level (AuthenticationLevelHandler.cs of the Functions host). */
export function isAuthorized(authLevel: unknown, presented: string | undefined, keys: Keys): boolean {
  const level = String(authLevel).toLowerCase();
  if (level === 'anonymous') return true;
  if (presented === undefined) return false;
  return (level === 'function' && sameSecret(presented, keys.functionKey)) || sameSecret(presented, keys.masterKey);
}

/** The header wins: a wrong one is not saved by a right `?code=`. */
export function presentedKey(request: IncomingMessage, query: URLSearchParams): string | undefined {
  return request.headersDistinct['x-functions-key']?.[0] ?? query.get('code') ?? undefined;
}

function sameSecret(a: string, b: string): boolean {
  const hash = (text: string) => createHash('sha256').update(text).digest();
  return timingSafeEqual(hash(a), hash(b));
}

import { Fault } from '../errors.ts';
import { type OktaObject, textOf } from './answers.ts';

/**
 * A text without which an object is of no use. Never left out or made up: who is missing from a list of members may
 * be removed.
 */
export function required(object: OktaObject, name: string, what: string): string {
  const value = textOf(object, name);
  if (value !== null) return value;
  throw new Fault('upstream_failed', {
    detail: `Okta answered with ${what} that has no ${name}.`,
    fix: 'Repeat the request later; if it stays, look for a proxy between the function app and Okta.',
    upstream: 'okta',
  });
}

import type { Random } from '../random.ts';

export type IdPrefix = '00u' | '00g' | '0oa' | '0ua' | '0pr' | 'gPm' | 'who';

const alphabet = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';
const LENGTH = 20;

/** 20 characters that begin with the kind, as Okta's: the same for the same guid. */
export function oktaId(prefix: IdPrefix, guid: string): string {
  let rest = BigInt(`0x${guid.replaceAll('-', '')}`);
  let id: string = prefix;
  while (id.length < LENGTH) {
    id += alphabet[Number(rest % 62n)] ?? '';
    rest /= 62n;
  }
  return id;
}

/** The id that belongs to a name. */
export const namedId = (random: Random, prefix: IdPrefix, name: string): string =>
  oktaId(prefix, random.guid(`okta:${prefix}:${name}`));

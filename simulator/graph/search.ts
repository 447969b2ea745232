import { GraphError, notModelled } from './errors.ts';
import type { EntityType } from './properties.ts';

const clause = /^\s*"(\w+):([^"]+)"\s*$/;
/** Searched by the beginnings of their words; the rest by its beginning (facts.search). */
const tokenized = ['displayName', 'description'];

const wordsOf = (text: string): string[] =>
  text
    .replace(/(\p{Ll})(\p{Lu})/gu, '$1 $2')
    .toLowerCase()
    .split(/[^\p{L}\p{N}]+/u)
    .filter((word) => word !== '');

/** $search="displayName:text" over one property. */
export function parseSearch<T>(text: string, type: EntityType<T>): (object: T) => boolean {
  if (/"\s*(AND|OR)\s*"/.test(text)) throw notModelled('AND and OR in $search');
  const [, property = '', wanted = ''] = clause.exec(text) ?? [];
  const read = type.searchable?.includes(property) ? type.properties[property] : undefined;
  if (!read)
    throw new GraphError(400, 'BadRequest', `Invalid search clause: '${text}' is not of the form "property:value".`);
  const words = wordsOf(wanted);
  return (object) => {
    const value = read(object);
    if (typeof value !== 'string') return false;
    if (!tokenized.includes(property)) return value.toLowerCase().startsWith(wanted.trim().toLowerCase());
    const present = wordsOf(value);
    return words.length > 0 && words.every((word) => present.some((each) => each.startsWith(word)));
  };
}

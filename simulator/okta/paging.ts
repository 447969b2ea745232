import { json, type Call, type Reply } from '../http/message.ts';
import type { Positioned } from '../tenant/store.ts';
import { validationFailed } from './errors.ts';

export const originOf = (call: Call): string => `http://${call.headers.host ?? ''}`;

export interface PageSize {
  readonly byDefault: number;
  readonly most: number;
}

function limitOf(call: Call, { byDefault, most }: PageSize): number {
  const given = call.url.searchParams.get('limit');
  if (given === null) return byDefault;
  const limit = Number(given);
  if (!Number.isInteger(limit) || limit < 1 || limit > most)
    throw validationFailed('limit', `limit: must be between 1 and ${String(most)}`);
  return limit;
}

/** facts.oktaCursor */
function positionOf(call: Call): number {
  const after = call.url.searchParams.get('after');
  if (after === null) return -1;
  const position = /^after:(\d+)$/.exec(Buffer.from(after, 'base64url').toString())?.[1];
  if (position === undefined) throw validationFailed('after', 'after: The cursor is not valid.');
  return Number(position);
}

const link = (href: string, relation: string): string => `<${href}>; rel="${relation}"`;

/** One page as a bare list, with `self` and, where there is more, `next` in the Link header (okta.md §4). */
export function page<T>(
  call: Call,
  size: PageSize,
  after: (position: number) => Iterable<Positioned<T>>,
  row: (object: T) => unknown,
): Reply {
  const limit = limitOf(call, size);
  const self = `${originOf(call)}${call.target}`;
  const found: Positioned<T>[] = [];
  let isLast = true;
  for (const entry of after(positionOf(call))) {
    isLast = found.length < limit;
    if (!isLast) break;
    found.push(entry);
  }
  const next = new URL(self);
  next.searchParams.set('after', Buffer.from(`after:${String(found.at(-1)?.position)}`).toString('base64url'));
  next.searchParams.set('limit', String(limit));
  const links = [link(self, 'self'), ...(isLast ? [] : [link(next.href, 'next')])];
  return json(
    200,
    found.map(({ object }) => row(object)),
    { link: links.join(', ') },
  );
}

export function* where<T>(entries: Iterable<Positioned<T>>, test: (object: T) => boolean): Generator<Positioned<T>> {
  for (const entry of entries) if (test(entry.object)) yield entry;
}

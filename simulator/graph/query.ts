import { json, type Call, type Reply } from '../http/message.ts';
import { GraphError, notModelled, unknownProperty, unsupportedQuery } from './errors.ts';
import { parseFilter } from './filter.ts';
import type { EntityType } from './properties.ts';

const DEFAULT_PAGE = 100;
const MAX_PAGE = 999;
/** OData options that Graph has and the simulator does not. */
const unmodelled = ['$expand', '$search', '$orderby', '$format', '$skip', '$apply', '$compute'];

/** Every option is either understood or refused: an ignored one would be a silent success. */
export function checkOptions(call: Call, allowed: readonly string[]): void {
  for (const name of call.url.searchParams.keys()) {
    if (allowed.includes(name)) continue;
    if (unmodelled.includes(name)) throw notModelled(`the query option ${name} here`);
    throw new GraphError(400, 'BadRequest', `The query parameter '${name}' is not supported.`);
  }
}

export function selected(call: Call): string[] | null {
  const select = call.url.searchParams.get('$select');
  return select === null
    ? null
    : select
        .split(',')
        .map((name) => name.trim())
        .filter((name) => name !== '');
}

export function checkSelect<T>(names: readonly string[], types: readonly EntityType<T>[], typeName: string): void {
  for (const name of names) {
    if (types.some((type) => Object.hasOwn(type.properties, name))) continue;
    if (types.some((type) => type.notModelled.includes(name))) throw notModelled(`the property ${name} of ${typeName}`);
    throw unknownProperty(name, typeName, 'Parsing OData Select and Expand failed');
  }
}

export function render<T>(object: T, type: EntityType<T>, select: readonly string[] | null): Record<string, unknown> {
  const names = select === null ? type.byDefault : ['id', ...select.filter((name) => name !== 'id')];
  return Object.fromEntries(
    names.flatMap((name) => {
      const read = type.properties[name];
      // Graph always adds the key only where it was selected.
      if (!read || (name === 'id' && select !== null && !select.includes('id'))) return [];
      return [[name, read(object)]];
    }),
  );
}

export const isEventual = (call: Call): boolean => call.headers.consistencylevel?.toLowerCase() === 'eventual';

export function filtered<T>(call: Call, objects: readonly T[], type: EntityType<T>): T[] {
  const text = call.url.searchParams.get('$filter');
  if (text === null) return [...objects];
  const filter = parseFilter(text, type);
  if (filter.isAdvanced && !(isEventual(call) && call.url.searchParams.get('$count') === 'true'))
    throw unsupportedQuery('Unsupported Query.');
  return objects.filter((object) => filter.matches(object));
}

function pageSize(call: Call): number {
  const top = call.url.searchParams.get('$top');
  if (top === null) return DEFAULT_PAGE;
  const size = Number(top);
  if (!Number.isInteger(size) || size < 1 || size > MAX_PAGE)
    throw unsupportedQuery(`Invalid page size specified: '${top}'. Must be between 1 and 999 inclusive.`);
  return size;
}

function offsetOf(call: Call): number {
  const skipToken = call.url.searchParams.get('$skiptoken');
  if (skipToken === null) return 0;
  const offset = /^page:(\d+)$/.exec(Buffer.from(skipToken, 'base64url').toString())?.[1];
  if (offset === undefined)
    throw new GraphError(
      400,
      'Directory_ExpiredPageToken',
      'The specified page token value has expired and can no longer be included in your request.',
    );
  return Number(offset);
}

/** A collection answer: one page, the link to the next on this very server, and the count where it was asked for. */
export function page(call: Call, context: string, all: readonly Record<string, unknown>[]): Reply {
  const wantsCount = call.url.searchParams.get('$count') === 'true';
  if (wantsCount && !isEventual(call)) throw unsupportedQuery('Unsupported Query.');
  const [size, offset] = [pageSize(call), offsetOf(call)];
  const origin = `http://${call.headers.host ?? ''}`;
  const next = new URL(call.url.pathname + call.url.search, origin);
  next.searchParams.set('$skiptoken', Buffer.from(`page:${String(offset + size)}`).toString('base64url'));
  return json(200, {
    '@odata.context': `https://graph.microsoft.com/v1.0/$metadata#${context}`,
    ...(wantsCount ? { '@odata.count': all.length } : {}),
    ...(offset + size < all.length ? { '@odata.nextLink': next.href } : {}),
    value: all.slice(offset, offset + size),
  });
}

export const entity = (context: string, object: Record<string, unknown>, status = 200): Reply =>
  json(status, { '@odata.context': `https://graph.microsoft.com/v1.0/$metadata#${context}/$entity`, ...object });

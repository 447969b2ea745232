import { json, type Call, type Reply } from '../http/message.ts';
import type { Positioned } from '../tenant/store.ts';
import { GraphError, notModelled, unknownProperty, unsupportedQuery } from './errors.ts';
import { parseFilter } from './filter.ts';
import { sizeOf, where, type Listing } from './listing.ts';
import type { EntityType } from './properties.ts';
import { parseSearch } from './search.ts';

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

/** What $filter and $search leave of a collection. */
export function filtered<T>(call: Call, listing: Listing<T>, type: EntityType<T>): Listing<T> {
  const { searchParams } = call.url;
  const [text, search] = [searchParams.get('$filter'), searchParams.get('$search')];
  const tests: ((object: T) => boolean)[] = [];
  if (text !== null) {
    const filter = parseFilter(text, type);
    if (filter.isAdvanced && !(isEventual(call) && searchParams.get('$count') === 'true'))
      throw unsupportedQuery('Unsupported Query.');
    tests.push((object) => filter.matches(object));
  }
  if (search !== null) {
    // graph.md §1.4
    if (!isEventual(call))
      throw unsupportedQuery(
        "Request with $search query parameter only works through MSGraph with a special request header: 'ConsistencyLevel: eventual'",
      );
    tests.push(parseSearch(search, type));
  }
  return tests.length === 0 ? listing : where(listing, (object) => tests.every((test) => test(object)));
}

function pageSize(call: Call): number {
  const top = call.url.searchParams.get('$top');
  if (top === null) return DEFAULT_PAGE;
  const size = Number(top);
  if (!Number.isInteger(size) || size < 1 || size > MAX_PAGE)
    throw unsupportedQuery(`Invalid page size specified: '${top}'. Must be between 1 and 999 inclusive.`);
  return size;
}

/** The position of the object after which to go on: facts.keysetPaging. */
function positionOf(call: Call): number {
  const skipToken = call.url.searchParams.get('$skiptoken');
  if (skipToken === null) return -1;
  const position = /^after:(\d+)$/.exec(Buffer.from(skipToken, 'base64url').toString())?.[1];
  if (position === undefined)
    throw new GraphError(
      400,
      'Directory_ExpiredPageToken',
      'The specified page token value has expired and can no longer be included in your request.',
    );
  return Number(position);
}

function taken<T>(listing: Listing<T>, position: number, size: number): { entries: Positioned<T>[]; isLast: boolean } {
  const entries: Positioned<T>[] = [];
  for (const entry of listing.after(position)) {
    if (entries.length === size) return { entries, isLast: false };
    entries.push(entry);
  }
  return { entries, isLast: true };
}

/** A collection answer: one page, the link to the next on this very server, and the count where it was asked for. */
export function page<T>(
  call: Call,
  context: string,
  listing: Listing<T>,
  row: (object: T) => Record<string, unknown>,
): Reply {
  const wantsCount = call.url.searchParams.get('$count') === 'true';
  if (wantsCount && !isEventual(call)) throw unsupportedQuery('Unsupported Query.');
  const { entries, isLast } = taken(listing, positionOf(call), pageSize(call));
  const next = new URL(call.url.pathname + call.url.search, `http://${call.headers.host ?? ''}`);
  const token = `after:${String(entries.at(-1)?.position)}`;
  next.searchParams.set('$skiptoken', Buffer.from(token).toString('base64url'));
  return json(200, {
    '@odata.context': `https://graph.microsoft.com/v1.0/$metadata#${context}`,
    ...(wantsCount ? { '@odata.count': sizeOf(listing) } : {}),
    ...(isLast ? {} : { '@odata.nextLink': next.href }),
    value: entries.map(({ object }) => row(object)),
  });
}

export const entity = (context: string, object: Record<string, unknown>, status = 200): Reply =>
  json(status, { '@odata.context': `https://graph.microsoft.com/v1.0/$metadata#${context}/$entity`, ...object });

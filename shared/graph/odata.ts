/** A string literal in an OData filter: quotes are doubled. The whole query value is percent-encoded by `withQuery`. */
export function odataLiteral(value: string): string {
  return `'${value.replaceAll("'", "''")}'`;
}

/**
 * Appends query options. The Graph SDK encodes nothing: a raw `+` arrives as a space and a `#` cuts the URL off
 * (graph.md §7.3), so every value is encoded here.
 */
export function withQuery(path: string, options: Readonly<Record<string, string | number | undefined>>): string {
  const query = Object.entries(options)
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) => `${name}=${encodeURIComponent(String(value))}`);
  return query.length === 0 ? path : `${path}?${query.join('&')}`;
}

/** One path segment that comes from outside: a UPN may hold `#` and `'`. */
export function segment(value: string): string {
  return encodeURIComponent(value);
}

/** `$count` and `$search` are advanced queries, which want this header on every page (graph.md §9). */
export function headersFor(path: string): Readonly<Record<string, string>> {
  return /(\$|%24)(count|search)\b/i.test(path) ? { ConsistencyLevel: 'eventual' } : {};
}

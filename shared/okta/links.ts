/**
 * The address of the next page in a `Link` header (RFC 8288); null where there is none. Okta sends one header a
 * relation, which arrive as one text separated by commas; addresses may hold commas of their own.
 */
export function nextLink(header: string | null): string | null {
  for (const [, address = '', parameters = ''] of (header ?? '').matchAll(/<([^>]*)>((?:\s*;\s*[^;,<]*)*)/g)) {
    const relations = /;\s*rel\s*=\s*"?([^";]*)/i.exec(parameters)?.[1] ?? '';
    if (relations.toLowerCase().split(/\s+/).includes('next')) return address;
  }
  return null;
}

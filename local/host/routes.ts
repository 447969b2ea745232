/**
 * Route templates as ASP.NET Core reads them, as far as this app needs: literals, `{name}`, and `{*rest}` at the end.
 * Anything else is refused at start rather than matched differently from Azure.
 */
type Segment = { literal: string } | { parameter: string } | { rest: string };

export interface Route {
  segments: readonly Segment[];
}

export function parseRoute(template: string): Route {
  const parts = template.split('/').filter((part) => part !== '');
  return { segments: parts.map((part, index) => parseSegment(part, template, index === parts.length - 1)) };
}

function parseSegment(part: string, template: string, isLast: boolean): Segment {
  const name = /^\{(\*?)([a-z_]\w*)\}$/i.exec(part);
  if (name?.[2] && !name[1]) return { parameter: name[2] };
  if (name?.[2] && isLast) return { rest: name[2] };
  if (/[{}*?]/.test(part)) {
    throw new Error(`The local host does not know the route segment "${part}" of "${template}".`);
  }
  return { literal: part };
}

/** The parameters when the path fits. `path` is still percent-encoded and has no leading slash. */
export function matchRoute(route: Route, path: string): Record<string, string> | undefined {
  const parts = path.split('/').map(decodePathSegment);
  if (parts.at(-1) === '') parts.pop();
  const params: Record<string, string> = {};
  for (const [index, segment] of route.segments.entries()) {
    if ('rest' in segment) {
      params[segment.rest] = parts.slice(index).join('/');
      return params;
    }
    const part = parts[index];
    if (part === undefined || part === '') return undefined;
    if ('parameter' in segment) params[segment.parameter] = part;
    else if (part.toLowerCase() !== segment.literal.toLowerCase()) return undefined;
  }
  return parts.length === route.segments.length ? params : undefined;
}

/** Literals before parameters before a rest, from left to right: ASP.NET Core's RoutePrecedence. */
export function comparePrecedence(a: Route, b: Route): number {
  const length = Math.max(a.segments.length, b.segments.length);
  for (let index = 0; index < length; index++) {
    const difference = weight(a.segments[index]) - weight(b.segments[index]);
    if (difference !== 0) return difference;
  }
  return 0;
}

function weight(segment: Segment | undefined): number {
  if (!segment) return 0;
  if ('literal' in segment) return 1;
  return 'parameter' in segment ? 2 : 3;
}

/**
 * Decodes once, as Kestrel does before routing: an encoded slash stays `%2F`, and what is no valid UTF-8 stays as it
 * was sent (aspnetcore, UrlDecoder.cs).
 */
function decodePathSegment(segment: string): string {
  return segment.replace(/(?:%[0-9a-f]{2})+/gi, (run) => run.split(/(%2f)/i).map(decodeOrKeep).join(''));
}

function decodeOrKeep(text: string): string {
  if (/^%2f$/i.test(text)) return text;
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

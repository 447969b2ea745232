import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Nullable, RpcHttpCookie, RpcHttpData, RpcTypedData } from './coreTypes.ts';

/**
 * HTTP to what crosses the wire between host and worker, and back. The Node.js worker asks for nullable dictionaries
 * and raw bytes (its getWorkerCapabilities.ts); the host fills them in GrpcMessageConversionExtensions.cs.
 */
export function toRpcHttp(
  request: IncomingMessage,
  url: URL,
  params: Record<string, string>,
  body: Uint8Array | undefined,
): RpcTypedData {
  const http: RpcHttpData = {
    method: request.method ?? 'GET',
    url: url.href,
    nullableHeaders: toNullable(
      Object.entries(request.headersDistinct).map(([name, values]) => [name, (values ?? []).join(',')]),
    ),
    nullableParams: toNullable(Object.entries(params)),
    nullableQuery: toNullable(joinRepeated(url.searchParams)),
  };
  if (body) http.body = { bytes: body };
  return { http };
}

function toNullable(entries: Iterable<[string, string]>): Record<string, Nullable<string>> {
  return Object.fromEntries(Array.from(entries, ([name, value]) => [name, { value }]));
}

/** ASP.NET Core's query is case-insensitive by key, and the host joins what is repeated. */
function joinRepeated(query: URLSearchParams): Iterable<[string, string]> {
  const joined = new Map<string, [string, string]>();
  for (const [name, value] of query) {
    const entry = joined.get(name.toLowerCase());
    if (entry) entry[1] += `,${value}`;
    else joined.set(name.toLowerCase(), [name, value]);
  }
  return joined.values();
}

/**
 * Reads the body, or nothing when its length isn't announced: the host looks at `ContentLength > 0` alone, so that a
 * chunked body arrives empty. Undefined is also the answer to a body above the limit, marked by `tooLarge`.
 */
export async function readBody(
  request: IncomingMessage,
  limit: number,
): Promise<{ tooLarge: boolean; body?: Uint8Array }> {
  const announced = Number(request.headers['content-length'] ?? 0);
  if (announced > limit) return { tooLarge: true };
  if (announced === 0) {
    request.resume();
    return { tooLarge: false };
  }
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return { tooLarge: false, body: Buffer.concat(chunks) };
}

/** A function that returns nothing gives 200 and no body (functions.md §2). */
export function sendRpcHttp(response: ServerResponse, data: RpcTypedData | null | undefined): void {
  const http = data?.http;
  response.statusCode = Number(http?.statusCode ?? 200);
  for (const [name, value] of Object.entries(http?.headers ?? {})) {
    if (!ownedByHost.has(name.toLowerCase())) response.setHeader(name, value);
  }
  for (const cookie of http?.cookies ?? []) response.appendHeader('set-cookie', toSetCookie(cookie));
  response.end(http?.body?.bytes);
}

export function sendEmpty(response: ServerResponse, status: number): void {
  response.writeHead(status, { 'content-length': 0 }).end();
}

// Framing is decided by who writes to the socket.
const ownedByHost = new Set(['content-length', 'transfer-encoding', 'connection']);

function toSetCookie(cookie: RpcHttpCookie): string {
  const seconds = cookie.expires?.value?.seconds;
  const attributes = [
    `${cookie.name}=${encodeURIComponent(cookie.value)}`,
    seconds && `expires=${new Date(seconds * 1000).toUTCString()}`,
    typeof cookie.maxAge?.value === 'number' && `max-age=${cookie.maxAge.value}`,
    cookie.domain?.value && `domain=${cookie.domain.value}`,
    `path=${cookie.path?.value ?? '/'}`,
    cookie.secure?.value && 'secure',
    cookie.sameSite && cookie.sameSite !== 'none' && `samesite=${cookie.sameSite.replace('explicitNone', 'none')}`,
    cookie.httpOnly?.value && 'httponly',
  ];
  return attributes.filter((attribute) => typeof attribute === 'string').join('; ');
}

import type { HttpRequest } from '@azure/functions';
import { Fault } from '../errors.ts';

/**
 * The JSON body of a request, size-checked while it is read.
 * @throws Fault `body_too_large`, `unsupported_media_type`, `invalid_json`
 */
export async function readJsonBody(request: HttpRequest, limitBytes: number): Promise<unknown> {
  const bytes = await readBytes(request, limitBytes);
  const contentType = request.headers.get('content-type');
  if (bytes.length > 0 || contentType !== null) refuseOtherTypes(contentType);
  return parseJson(bytes, request);
}

/**
 * The same, whatever type the sender gives it.
 * @throws Fault `body_too_large`, `invalid_json`
 */
export async function readJsonOfAnyType(request: HttpRequest, limitBytes: number): Promise<unknown> {
  return parseJson(await readBytes(request, limitBytes), request);
}

function parseJson(bytes: Buffer, request: HttpRequest): unknown {
  if (bytes.length === 0) throw emptyBody(request);
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes)) as unknown;
  } catch (error) {
    const said = error instanceof Error ? error.message : 'not readable';
    throw new Fault('invalid_json', {
      detail: `The body cannot be parsed: ${said}.`,
      fix: 'Send one JSON object in UTF-8.',
      cause: error,
    });
  }
}

async function readBytes(request: HttpRequest, limitBytes: number): Promise<Buffer> {
  if (Number(request.headers.get('content-length') ?? 0) > limitBytes) throw tooLarge(limitBytes);
  const chunks: Uint8Array[] = [];
  let size = 0;
  if (request.body !== null) {
    for await (const chunk of request.body as unknown as AsyncIterable<Uint8Array>) {
      size += chunk.length;
      if (size > limitBytes) throw tooLarge(limitBytes);
      chunks.push(chunk);
    }
  }
  return Buffer.concat(chunks);
}

function refuseOtherTypes(contentType: string | null): void {
  if (contentType !== null && /^application\/(json|[\w.+-]+\+json)\s*(;\s*charset="?utf-?8"?\s*)?$/i.test(contentType))
    return;
  throw new Fault('unsupported_media_type', {
    detail: `The body came as ${contentType === null ? 'no stated type' : `"${contentType.slice(0, 100)}"`}.`,
    fix: 'Send JSON with the header "content-type: application/json".',
  });
}

function tooLarge(limitBytes: number): Fault {
  return new Fault('body_too_large', {
    detail: `The body is larger than ${limitBytes} bytes.`,
    fix: 'Send less in one request, such as fewer members.',
  });
}

/** The Functions host drops chunked bodies without Content-Length (functions.md §2): say so, or nobody finds out. */
function emptyBody(request: HttpRequest): Fault {
  const isChunked = request.headers.get('transfer-encoding')?.toLowerCase().includes('chunked') === true;
  return new Fault('invalid_json', {
    detail: isChunked ? 'The body came in chunks, which the Functions host drops.' : 'The body is empty.',
    fix: isChunked ? 'Send the body with a Content-Length header.' : 'Send one JSON object in UTF-8.',
  });
}

import { isObject, parseJson, type JsonObject } from '../http/json.ts';
import { json, type Call, type Reply } from '../http/message.ts';
import { readable } from '../http/journal.ts';
import type { World } from '../world.ts';
import { accessOf, type Access } from './access.ts';
import { malformed } from './errors.ts';
import { cmdletNameIn, invoke } from './invoke.ts';
import { refusal } from './limits.ts';
import type { Pages } from './paging.ts';

const MAX_PARTS = 10;

interface Part {
  id: string;
  url: URL;
  headers: Record<string, string>;
  body: unknown;
  cmdlet: string | null;
}

function headersOf(value: unknown): Record<string, string> {
  if (value === undefined) return {};
  if (!isObject(value)) throw malformed("The property 'headers' of a batch request is not an object.");
  return Object.fromEntries(Object.entries(value).map(([name, item]) => [name.toLowerCase(), String(item)]));
}

function partOf(value: unknown, origin: string): Part {
  if (!isObject(value)) throw malformed('A batch request is not an object.');
  const { id, method, url, headers, body } = value;
  if (typeof id !== 'string' || id === '') throw malformed("A batch request has no 'id'.");
  if (method !== 'POST') throw malformed('A batch request must be a POST of InvokeCommand.');
  if (typeof url !== 'string') throw malformed("A batch request has no 'url'.");
  const target = new URL(url, origin);
  // facts.batchForeignHost
  if (target.origin !== origin || !target.pathname.endsWith('/InvokeCommand'))
    throw malformed(`The url '${url}' of a batch request is not InvokeCommand of this service.`);
  return { id, url: target, headers: headersOf(headers), body, cmdlet: cmdletNameIn(body) };
}

function partsOf(call: Call, origin: string): Part[] {
  const body = parseJson(call.body);
  const requests = isObject(body) ? body.requests : undefined;
  if (!Array.isArray(requests)) throw malformed("The request body has no 'requests'.");
  // exchange.md §1.6: nobody sends more; that more are refused is facts.batchLimit
  if (requests.length > MAX_PARTS) throw malformed(`A batch may hold at most ${String(MAX_PARTS)} requests.`);
  const parts = requests.map((request) => partOf(request, origin));
  if (new Set(parts.map(({ id }) => id.toLowerCase())).size < parts.length)
    throw malformed("The 'id' of a batch request is not unique.");
  return parts;
}

/** Which parts a batchParts fault makes fail. */
function failing(call: Call, parts: readonly Part[]): Set<Part> {
  const fault = call.batchFault;
  if (!fault) return new Set();
  const { cmdlet, indexes, count } = fault;
  const chosen = parts
    .filter((part) => cmdlet === undefined || part.cmdlet?.toLowerCase() === cmdlet.toLowerCase())
    .filter((_part, index) => indexes === undefined || indexes.includes(index));
  return new Set(count === undefined ? chosen : chosen.slice(0, count));
}

/** An item's error often has nothing to tell it by but the id (exchange.md §1.6). */
function bodyOf(reply: Reply): unknown {
  const text = reply.body.toString();
  const parsed = parseJson(text);
  if (parsed === undefined) return text === '' ? null : text;
  const error = isObject(parsed) ? parsed.error : undefined;
  if (isObject(error) && Array.isArray(error.details))
    error.details = error.details.map((detail: unknown) => (isObject(detail) ? { ...detail, target: '' } : detail));
  return parsed;
}

const failureOf = (fault: NonNullable<Call['batchFault']>): Reply =>
  json(fault.status ?? 503, {
    error: fault.error ?? { code: 'ServiceUnavailable', message: 'The service is temporarily unavailable.' },
  });

async function answerPart(
  world: World,
  pages: Pages,
  call: Call,
  part: Part,
  outer: Access,
  fails: boolean,
): Promise<Reply> {
  if (fails && call.batchFault && !call.batchFault.commit) return failureOf(call.batchFault);
  const { authorization } = part.headers;
  // facts.batchPartAuthorization
  const access =
    authorization === undefined
      ? outer
      : accessOf(await world.issuer.verify(authorization, 'exchange', world.tenant, call.heardAtMs));
  if (access === 'unauthenticated') return json(401, {});
  if (access === 'none') return { status: 403, headers: {}, body: '' };
  const refused = refusal(world, part.cmdlet === null ? [] : [part.cmdlet]);
  if (refused) return refused;
  // The whole batch is routed by the outer anchor (exchange.md §1.6).
  const anchor = call.headers['x-anchormailbox'];
  const headers = anchor === undefined ? part.headers : { ...part.headers, 'x-anchormailbox': anchor };
  const reply = invoke(world, pages, { ...part, headers, access, inBatch: true, stale: call.stale });
  return fails && call.batchFault ? failureOf(call.batchFault) : reply;
}

/** POST …/$batch: every part on its own, one answer. */
export async function batch(world: World, pages: Pages, call: Call, origin: string, access: Access): Promise<Reply> {
  const parts = partsOf(call, origin);
  const failed = failing(call, parts);
  const responses: JsonObject[] = [];
  for (const part of parts) {
    const row = world.journal.add({
      upstream: 'exchange',
      method: 'POST',
      path: part.url.pathname + part.url.search,
      cmdlet: part.cmdlet,
      status: null,
      requestBody: readable(JSON.stringify(part.body ?? null)),
      responseBody: null,
      at: call.row.at,
      requestId: call.requestId,
      fault: failed.has(part) ? 'batchParts' : null,
    });
    const reply = await answerPart(world, pages, call, part, access, failed.has(part));
    row.status = reply.status;
    row.responseBody = readable(reply.body);
    const wait = reply.headers['retry-after'];
    const headers = wait === undefined ? {} : { 'Retry-After': wait };
    responses.push({ id: part.id, status: reply.status, headers, body: bodyOf(reply) });
  }
  // Nothing is promised about the order (exchange.md §1.6; facts.batchOrder).
  return json(200, { responses: world.random.shuffle(responses) });
}

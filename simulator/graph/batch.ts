import { parseJson, type JsonObject } from '../http/json.ts';
import { readable } from '../http/journal.ts';
import { json, type Call, type Reply } from '../http/message.ts';
import type { AccessToken } from '../tokens/issuer.ts';
import type { World } from '../world.ts';
import { isSerial, partsOf, refused, same, type BatchPart } from './batchParts.ts';
import { dispatch } from './dispatch.ts';
import { GraphError, graphErrorReply } from './errors.ts';

/** Which parts a batchParts fault makes fail. */
function failing(call: Call, parts: readonly BatchPart[]): Set<BatchPart> {
  const fault = call.batchFault;
  if (!fault) return new Set();
  const { method, path, indexes, count } = fault;
  const chosen = parts
    .filter((part) => method === undefined || same(part.method, method))
    .filter((part) => path === undefined || part.url.includes(path))
    .filter((_part, index) => indexes === undefined || indexes.includes(index));
  return new Set(count === undefined ? chosen : chosen.slice(0, count));
}

const failureOf = (fault: NonNullable<Call['batchFault']>): Reply =>
  json(fault.status ?? 503, {
    error: fault.error ?? { code: 'ServiceUnavailable', message: 'The service is temporarily unavailable.' },
  });

class Run {
  readonly #world: World;
  readonly #call: Call;
  readonly #caller: AccessToken;
  readonly #failing: ReadonlySet<BatchPart>;
  readonly #statuses = new Map<string, number>();

  constructor(world: World, call: Call, caller: AccessToken, fails: ReadonlySet<BatchPart>) {
    this.#world = world;
    this.#call = call;
    this.#caller = caller;
    this.#failing = fails;
  }

  answer(part: BatchPart): JsonObject {
    const body = part.body === undefined ? '' : JSON.stringify(part.body);
    const row = this.#world.journal.add({
      upstream: 'graph',
      method: part.method,
      path: `/v1.0${part.url}`,
      cmdlet: null,
      status: null,
      requestBody: readable(body),
      responseBody: null,
      at: this.#call.row.at,
      requestId: this.#call.requestId,
      fault: this.#failing.has(part) ? 'batchParts' : null,
    });
    const url = new URL(`/v1.0${part.url}`, 'http://simulator');
    const { host } = this.#call.headers;
    const call: Call = {
      ...this.#call,
      method: part.method,
      target: url.pathname + url.search,
      url,
      headers: { ...part.headers, ...(host === undefined ? {} : { host }) },
      body,
      row,
      batchFault: null,
    };
    const reply = this.#reply(part, call);
    row.status = reply.status;
    row.responseBody = readable(reply.body);
    this.#statuses.set(part.id.toLowerCase(), reply.status);
    return itemOf(this.#world, part.id, reply);
  }

  #reply(part: BatchPart, call: Call): Reply {
    const now = this.#world.clock.now();
    const broken = part.dependsOn.some((id) => (this.#statuses.get(id.toLowerCase()) ?? 0) >= 400);
    if (broken)
      return graphErrorReply(new GraphError(424, 'FailedDependency', 'A request it depends on failed.'), call, now);
    const fault = this.#failing.has(part) ? this.#call.batchFault : null;
    if (fault && !fault.commit) return failureOf(fault);
    const reply =
      part.body !== undefined && part.headers['content-type'] === undefined
        ? graphErrorReply(refused('A request with a body needs a Content-Type header.'), call, now)
        : dispatch(this.#world, call, this.#caller);
    return fault ? failureOf(fault) : reply;
  }
}

/** What has no content is said in one of three ways (graph.md §7.3; facts.graphBatchItems). */
function emptyItem(world: World, id: string, status: number): JsonObject {
  const turn = world.random.rotate('emptyBatchItem', 3);
  if (turn === 0) return { id, status };
  return turn === 1
    ? { id, status, headers: { 'Cache-Control': 'no-cache' }, body: null }
    : { id, status, headers: { 'Content-Type': 'application/json' }, body: {} };
}

const titled = (name: string): string => name.replace(/(^|-)[a-z]/g, (letter) => letter.toUpperCase());

function itemOf(world: World, id: string, reply: Reply): JsonObject {
  const text = reply.body.toString();
  if (text === '') return emptyItem(world, id, reply.status);
  const headers = Object.fromEntries(Object.entries(reply.headers).map(([name, value]) => [titled(name), value]));
  return { id, status: reply.status, headers, body: parseJson(text) ?? text };
}

/** In any order where nothing depends on another, else what is depended on first. */
function inOrder(world: World, parts: readonly BatchPart[]): BatchPart[] {
  if (isSerial(parts)) return [...parts];
  const shuffled = world.random.shuffle(parts);
  return [
    ...shuffled.filter(({ dependsOn }) => dependsOn.length === 0),
    ...shuffled.filter(({ dependsOn }) => dependsOn.length > 0),
  ];
}

/** POST /$batch: every part on its own and under its own limit, one answer of 200 (graph.md §1.6). */
export function batch(world: World, call: Call, caller: AccessToken): Reply {
  const parts = partsOf(call);
  const run = new Run(world, call, caller, failing(call, parts));
  const responses = inOrder(world, parts).map((part) => run.answer(part));
  return json(200, { responses: world.random.shuffle(responses) });
}

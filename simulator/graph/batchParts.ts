import { isObject, isStringArray } from '../http/json.ts';
import type { Call } from '../http/message.ts';
import { bodyOf } from './context.ts';
import { GraphError } from './errors.ts';

const MAX_PARTS = 20;
const methods = ['GET', 'POST', 'PATCH', 'PUT', 'DELETE'];

/** One request of a $batch. */
export interface BatchPart {
  readonly id: string;
  readonly method: string;
  /** Relative, without version: /groups/… */
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: unknown;
  readonly dependsOn: readonly string[];
}

// The words of these refusals are facts.graphBatchRefusals.
export const refused = (message: string): GraphError => new GraphError(400, 'BadRequest', message);

function headersOf(value: unknown): Record<string, string> {
  if (value === undefined) return {};
  if (!isObject(value)) throw refused("Invalid batch payload format: 'headers' is not an object.");
  return Object.fromEntries(Object.entries(value).map(([name, item]) => [name.toLowerCase(), String(item)]));
}

function partOf(value: unknown): BatchPart {
  if (!isObject(value)) throw refused('Invalid batch payload format.');
  const { id, method, url, headers, body, dependsOn = [], ...more } = value;
  if (typeof id !== 'string' || id === '') throw refused("Every request in the batch needs an 'id'.");
  if (typeof method !== 'string' || !methods.includes(method)) throw refused(`The method of request '${id}' is wrong.`);
  if (typeof url !== 'string' || !url.startsWith('/'))
    throw refused(`The url of request '${id}' is not a relative url that starts with '/'.`);
  if (/^\/\$batch\b/.test(url)) throw refused('Nested batch requests are not allowed.');
  if (!isStringArray(dependsOn)) throw refused(`'dependsOn' of request '${id}' is not a list of ids.`);
  if (Object.keys(more).length > 0) throw refused(`Request '${id}' has '${Object.keys(more).join(', ')}'.`);
  return { id, method, url, headers: headersOf(headers), body, dependsOn };
}

export const same = (a: string, b: string): boolean => a.toLowerCase() === b.toLowerCase();

export const isSerial = (parts: readonly BatchPart[]): boolean =>
  parts.every(({ dependsOn }, index) => {
    const before = parts[index - 1];
    return before ? dependsOn.length === 1 && same(dependsOn[0] ?? '', before.id) : dependsOn.length === 0;
  });

/** None, each on the one before, or all on the same one (graph.md §1.6). */
function checkDependencies(parts: readonly BatchPart[]): void {
  for (const { id, dependsOn } of parts) {
    const stranger = dependsOn.find((wanted) => !parts.some((part) => same(part.id, wanted) && !same(part.id, id)));
    if (stranger !== undefined) throw refused(`Request '${id}' depends on '${stranger}', which is not in the batch.`);
  }
  const dependent = parts.filter(({ dependsOn }) => dependsOn.length > 0);
  const targets = new Set(dependent.flatMap(({ dependsOn }) => dependsOn.map((id) => id.toLowerCase())));
  const isSame = targets.size === 1 && dependent.length === parts.length - 1;
  if (dependent.length > 0 && !isSerial(parts) && !isSame)
    throw refused('The dependencies of a batch must be fully sequential, fully parallel or on one same request.');
}

/** The requests of a $batch, or the refusal of the whole. */
export function partsOf(call: Call): BatchPart[] {
  const { requests, ...more } = bodyOf(call);
  if (!Array.isArray(requests) || requests.length === 0 || Object.keys(more).length > 0)
    throw refused('Invalid batch payload format.');
  if (requests.length > MAX_PARTS)
    throw refused(`Number of batch request steps exceeds the maximum value of ${String(MAX_PARTS)}.`);
  const parts = requests.map(partOf);
  if (new Set(parts.map(({ id }) => id.toLowerCase())).size < parts.length)
    throw refused("The 'id' of each request in a batch must be unique.");
  checkDependencies(parts);
  return parts;
}

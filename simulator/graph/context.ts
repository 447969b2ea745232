import { isObject, parseJson, type JsonObject } from '../http/json.ts';
import type { Call, Reply } from '../http/message.ts';
import type { View } from '../tenant/store.ts';
import type { DirectoryObject, Group, User } from '../tenant/model.ts';
import type { Tenant } from '../tenant/tenant.ts';
import type { AccessToken } from '../tokens/issuer.ts';
import type { World } from '../world.ts';
import { badRequest, denied, GraphError, notFound } from './errors.ts';

/** What an operation of Graph works with. */
export interface GraphContext {
  readonly world: World;
  readonly tenant: Tenant;
  readonly call: Call;
  readonly caller: AccessToken;
  readonly view: View;
  /** The values in the path, decoded. */
  readonly params: readonly string[];
}

export interface GraphOperation {
  readonly method: 'GET' | 'POST' | 'PATCH' | 'DELETE';
  /** Segments after /v1.0; `*` is a value. */
  readonly path: string;
  /** Application permissions, any one of which suffices. */
  readonly permissions: readonly string[];
  /** Query options understood. */
  readonly options: readonly string[];
  run(context: GraphContext): Reply;
}

export function requirePermission(caller: AccessToken, anyOf: readonly string[]): void {
  if (!caller.roles.some((role) => anyOf.includes(role))) throw denied();
}

const guid = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

export function bodyOf(call: Call): JsonObject {
  if (!call.headers['content-type']?.includes('application/json'))
    throw new GraphError(400, 'BadRequest', 'A valid Content-Type header with application/json is required.');
  const body = parseJson(call.body);
  if (!isObject(body))
    throw new GraphError(
      400,
      'BadRequest',
      'Unable to read JSON request payload. Please ensure Content-Type header is set and payload is of valid JSON format.',
    );
  return body;
}

export function objectById(view: View, id: string): DirectoryObject | undefined {
  return view.get(id.toLowerCase());
}

export function group({ view, params }: GraphContext): Group {
  const id = params[0] ?? '';
  if (!guid.test(id)) throw badRequest(`Invalid object identifier '${id}'.`);
  const found = objectById(view, id);
  if (found?.type !== 'group') throw notFound(id);
  return found;
}

/** By object id or user principal name. */
export function user(view: View, key: string): User {
  const byId = objectById(view, key);
  if (byId?.type === 'user') return byId;
  const isCalled = (object: DirectoryObject): object is User =>
    object.type === 'user' && object.userPrincipalName.toLowerCase() === key.toLowerCase();
  const named = view.named(key).find(isCalled);
  if (!named) throw notFound(key);
  return named;
}

/** The id in "https://graph.microsoft.com/v1.0/directoryObjects/{id}". */
export function referencedId(reference: unknown): string {
  const id =
    typeof reference === 'string'
      ? /^https?:\/\/[^/]+\/v1\.0\/(?:directoryObjects|users|groups|servicePrincipals|devices|contacts)\/([^/?]+)$/.exec(
          reference,
        )?.[1]
      : undefined;
  if (id === undefined) throw badRequest(`Invalid entity reference URI '${String(reference)}'.`);
  return id.toLowerCase();
}

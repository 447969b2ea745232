import { isObject, parseJson, type JsonObject } from '../http/json.ts';
import type { Call, Reply } from '../http/message.ts';
import { malformedBody, notFound, notModelled, validationFailed } from './errors.ts';
import type { HookDispatcher } from './hooks/dispatcher.ts';
import type { OktaApp, OktaGroup, OktaUser } from './model.ts';
import type { Org } from './org.ts';
import type { Capability } from './roles.ts';

export interface OktaContext {
  readonly org: Org;
  readonly hooks: HookDispatcher;
  readonly call: Call;
  readonly origin: string;
  /** What stands where the path has a star. */
  readonly params: readonly string[];
  readonly callerId: string;
}

export interface OktaOperation {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  /** Below /api/v1; a star is one segment. */
  readonly path: string;
  readonly scopes: readonly string[];
  readonly capability: Capability;
  /** The query parameters that are modelled; any other is 501. */
  readonly query?: readonly string[];
  run(context: OktaContext): Reply | Promise<Reply>;
}

export function bodyOf(call: Call): JsonObject {
  const body = parseJson(call.body);
  if (!isObject(body)) throw malformedBody();
  return body;
}

/** Keys that are not modelled are 501: one that is ignored would be a silent success. */
export function onlyKeys(object: JsonObject, known: readonly string[], at: string): void {
  const more = Object.keys(object).filter((key) => !known.includes(key));
  if (more.length > 0) throw notModelled(more.map((key) => at + key).join(', '));
}

export function textAt(object: JsonObject, key: string): string {
  const value = object[key];
  if (typeof value !== 'string' || value === '') throw validationFailed(key, `${key}: The field cannot be left blank`);
  return value;
}

export function groupOf({ org }: Pick<OktaContext, 'org'>, id = ''): OktaGroup {
  const group = org.groups.get(id);
  if (!group) throw notFound(id, 'UserGroup');
  return group;
}

export function userOf({ org }: Pick<OktaContext, 'org'>, ref = ''): OktaUser {
  const user = org.userNamed(ref);
  if (!user) throw notFound(ref, 'User');
  return user;
}

export function appOf({ org }: Pick<OktaContext, 'org'>, id = ''): OktaApp {
  const app = org.apps.get(id);
  if (!app) throw notFound(id, 'AppInstance');
  return app;
}

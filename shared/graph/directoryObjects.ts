import type { Call } from '../call.ts';
import { type Fault, isFault } from '../errors.ts';
import { isGuid } from '../guid.ts';
import { type GraphBatchRequest, type GraphPart, maxGraphBatch } from './batch.ts';
import { type GraphObject, isObject } from './answers.ts';
import type { Graph } from './client.ts';
import { isGraphFault } from './errors.ts';
import { flagField, listField } from './fields.ts';
import { type GraphMember, readGraphMember } from './groups.ts';
import { odataLiteral, segment, withQuery } from './odata.ts';

/** A user or a group, with what decides whether it may be a member. */
export interface DirectoryObject extends GraphMember {
  readonly type: 'user' | 'group';
  /** Of a group: whether it is a security group and no Microsoft 365 group. */
  readonly isSecurityGroup: boolean;
}

/** What one lookup found; a text that Graph cannot read is nobody. */
export type DirectoryLookup =
  | { readonly type: 'found'; readonly objects: readonly DirectoryObject[] }
  | { readonly type: 'failed'; readonly fault: Fault };

export interface GraphDirectoryObjects {
  /** Everybody with this object id, UPN or address; answers in the order given. */
  lookUp(type: DirectoryObject['type'], identities: readonly string[], call: Call): Promise<DirectoryLookup[]>;
  /** The users with exactly these keys; answers in the order given. */
  lookUpUsers(keys: readonly UserKey[], call: Call): Promise<DirectoryLookup[]>;
}

/** What one user alone has: no address counts, and a user principal name in the form of an object id is none. */
export type UserKey = { readonly id: string } | { readonly userPrincipalName: string };

const collections = {
  user: { path: '/users', select: 'id,displayName,userPrincipalName,mail,proxyAddresses' },
  group: { path: '/groups', select: 'id,displayName,mail,proxyAddresses,groupTypes,securityEnabled' },
} as const;

/** How often a part that failed in passing is read; a throttled one waits at the gate each time. */
const maxPasses = 3;

export function createGraphDirectoryObjects(graph: Graph): GraphDirectoryObjects {
  /** Parts are not repeated by anybody else (graph.md §1.6). */
  async function readAll(requests: readonly GraphBatchRequest[], call: Call): Promise<GraphPart[]> {
    const parts: GraphPart[] = [];
    for (let start = 0; start < requests.length; start += maxGraphBatch) {
      parts.push(...(await graph.batch(requests.slice(start, start + maxGraphBatch), 'read', call)));
    }
    return parts;
  }

  async function readPatiently(requests: readonly GraphBatchRequest[], call: Call): Promise<GraphPart[]> {
    const parts = await readAll(requests, call);
    for (let pass = 2; pass <= maxPasses; pass += 1) {
      const again = [...parts.keys()].filter((index) => isPassing(parts[index]));
      if (again.length === 0) break;
      const answers = await readAll(
        again.flatMap((index) => requests[index] ?? []),
        call,
      );
      answers.forEach((answer, at) => {
        const index = again[at];
        if (index !== undefined) parts[index] = answer;
      });
    }
    return parts;
  }

  return {
    lookUp: async (type, identities, call) => {
      const parts = await readPatiently(
        identities.map((identity) => requestFor(type, identity)),
        call,
      );
      return parts.map((part) => readLookup(type, part));
    },

    lookUpUsers: async (keys, call) => {
      const parts = await readPatiently(keys.map(requestForUser), call);
      return keys.flatMap((key, index) => {
        const part = parts[index];
        return part === undefined ? [] : [readUserLookup(key, part)];
      });
    },
  };
}

function isPassing(part: GraphPart | undefined): boolean {
  return part?.ok === false && isFault(part.fault, 'throttled', 'upstream_failed');
}

function requestFor(type: DirectoryObject['type'], identity: string): GraphBatchRequest {
  if (isGuid(identity)) return requestById(type, identity);
  // A filter rather than the UPN in the path: that may begin with `$`, and it is one request for UPN and addresses.
  const conditions = [
    ...(type === 'user' ? [`userPrincipalName eq ${odataLiteral(identity)}`] : []),
    `mail eq ${odataLiteral(identity)}`,
    `proxyAddresses/any(p:p eq ${odataLiteral(`smtp:${identity}`)})`,
  ];
  return requestByFilter(type, conditions.join(' or '));
}

function requestForUser(key: UserKey): GraphBatchRequest {
  if ('id' in key) return requestById('user', key.id);
  return requestByFilter('user', `userPrincipalName eq ${odataLiteral(key.userPrincipalName)}`);
}

function requestById(type: DirectoryObject['type'], id: string): GraphBatchRequest {
  const { path, select } = collections[type];
  const label = `GET ${path}/{id}`;
  return { method: 'GET', path: withQuery(`${path}/${segment(id)}`, { $select: select }), label };
}

function requestByFilter(type: DirectoryObject['type'], $filter: string): GraphBatchRequest {
  const { path, select } = collections[type];
  return { method: 'GET', path: withQuery(path, { $filter, $select: select }), label: `GET ${path}?$filter` };
}

function readLookup(type: DirectoryObject['type'], part: GraphPart): DirectoryLookup {
  if (!part.ok) {
    const isNobody = isGraphFault(part.fault, 'notFound', 'rejected');
    return isNobody ? { type: 'found', objects: [] } : { type: 'failed', fault: part.fault };
  }
  const { object } = part;
  const rows: readonly unknown[] = Array.isArray(object?.value) ? object.value : [object];
  return { type: 'found', objects: rows.filter(isObject).map((row) => readDirectoryObject(type, row)) };
}

/** Held against the key once more: whoever is found is taken for the person, and gets its mail. */
function readUserLookup(key: UserKey, part: GraphPart): DirectoryLookup {
  const lookup = readLookup('user', part);
  if (lookup.type === 'failed') return lookup;
  const hasKey = ({ id, userPrincipalName }: DirectoryObject) =>
    'id' in key ? isSame(id, key.id) : isSame(userPrincipalName ?? '', key.userPrincipalName);
  return { type: 'found', objects: lookup.objects.filter(hasKey) };
}

function isSame(left: string, right: string): boolean {
  return left.toLowerCase() === right.toLowerCase();
}

function readDirectoryObject(type: DirectoryObject['type'], row: GraphObject): DirectoryObject {
  return {
    ...readGraphMember(row),
    type,
    isSecurityGroup: flagField(row, 'securityEnabled') && !listField(row, 'groupTypes').includes('Unified'),
  };
}

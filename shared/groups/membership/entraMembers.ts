import type { Call } from '../../call.ts';
import type { FaultCode } from '../../errors.ts';
import { sameText } from '../../exchange/identity.ts';
import type { MemberChange } from '../../exchange/members.ts';
import type { DirectoryLookup, DirectoryObject, GraphDirectoryObjects } from '../../graph/directoryObjects.ts';
import type { GraphMember } from '../../graph/groups.ts';
import { isGuid } from '../../guid.ts';
import type { GroupKind } from '../kinds.ts';
import type { ProtectedUsers } from '../protectedUsers.ts';

/** Who a caller meant by one entry, where Entra decides. */
export type EntraResolution =
  | { readonly type: 'found'; readonly object: GraphMember }
  | { readonly type: 'failed'; readonly code: FaultCode; readonly message: string };

export interface EntraMembers {
  /**
   * Resolves each entry (object id, UPN or address) to exactly one object that may be a member of a group of this kind;
   * answers in the order given. For a removal every kind of object will do, and an id that is no user or group is taken
   * as it is: whatever has come to be a member may be removed.
   */
  resolve(kind: GroupKind, change: MemberChange, entries: readonly string[], call: Call): Promise<EntraResolution[]>;
  /**
   * The same for owners, who are users (graph.md §1.3). Whom PROTECTED_USERS lists may stay among the `present` ones: who
   * is there already is not written to.
   */
  resolveOwners(
    entries: readonly string[],
    call: Call,
    present?: readonly Pick<GraphMember, 'id'>[],
  ): Promise<EntraResolution[]>;
}

export interface EntraMembersDependencies {
  readonly directoryObjects: GraphDirectoryObjects;
  readonly protectedUsers: ProtectedUsers;
}

/** Judges whether an object may have the part that it is meant for; null: it may. */
type Judge = (object: DirectoryObject) => EntraResolution | null;

export function createEntraMembers(dependencies: EntraMembersDependencies): EntraMembers {
  const { directoryObjects, protectedUsers } = dependencies;

  /** Users first: only what is no user is looked for among the groups. */
  async function lookUp(entries: readonly string[], call: Call): Promise<DirectoryLookup[]> {
    const lookups = await directoryObjects.lookUp('user', entries, call);
    const unknown = [...lookups.keys()].filter((index) => isEmpty(lookups[index]));
    const asGroups = await directoryObjects.lookUp(
      'group',
      unknown.flatMap((index) => entries[index] ?? []),
      call,
    );
    unknown.forEach((index, at) => {
      const lookup = asGroups[at];
      if (lookup !== undefined) lookups[index] = lookup;
    });
    return lookups;
  }

  async function resolve(
    entries: readonly string[],
    judge: Judge,
    call: Call,
    present: readonly Pick<GraphMember, 'id'>[] = [],
  ): Promise<EntraResolution[]> {
    const lookups = await lookUp(entries, call);
    const isProtected = await protectedUsers.test(call);
    return entries.map((entry, index) => {
      const found = onlyOne(entry, lookups[index]);
      // An id that is no user or group may be on the list as well.
      if ('code' in found) return isProtected([entry]) ? isOnList(entry) : found;
      const names = [entry, found.id, found.userPrincipalName, found.mail, ...found.addresses];
      const mayStay = present.some(({ id }) => sameText(id, found.id));
      if (isProtected(names) && !mayStay) return isOnList(labelOf(found));
      return judge(found) ?? { type: 'found', object: found };
    });
  }

  return {
    resolve: async (kind, change, entries, call) => {
      if (change === 'add') return resolve(entries, memberJudge(kind), call);
      const resolutions = await resolve(entries, () => null, call);
      return resolutions.map((resolution, index) => asItIs(resolution, entries[index] ?? ''));
    },

    resolveOwners: (entries, call, present) => resolve(entries, judgeOwner, call, present),
  };
}

/** A device, a contact or an application that is a member can be named by its id alone. */
function asItIs(resolution: EntraResolution, entry: string): EntraResolution {
  if (resolution.type === 'found' || resolution.code !== 'member_not_found' || !isGuid(entry)) return resolution;
  const nothingKnown = { displayName: null, userPrincipalName: null, mail: null, addresses: [] };
  return { type: 'found', object: { id: entry.toLowerCase(), type: 'directoryObject', ...nothingKnown } };
}

function isEmpty(lookup: DirectoryLookup | undefined): boolean {
  return lookup?.type === 'found' && lookup.objects.length === 0;
}

function onlyOne(
  entry: string,
  lookup: DirectoryLookup | undefined,
): DirectoryObject | (EntraResolution & { readonly type: 'failed' }) {
  if (lookup === undefined) throw new RangeError('an entry without its lookup');
  if (lookup.type === 'failed') return failed(lookup.fault.code, lookup.fault.message);
  const [object] = lookup.objects;
  if (object === undefined) return failed('member_not_found', `Entra has no user or group "${entry}".`);
  if (lookup.objects.length === 1) return object;
  return failed('ambiguous_member', `"${entry}" matches ${lookup.objects.length} objects; use the object id.`);
}

/** graph.md §1.5: what each kind takes. */
function memberJudge(kind: GroupKind): Judge {
  return (object) => {
    if (object.type === 'user') return null;
    if (kind === 'microsoft365') {
      return failed(
        'member_kind_not_allowed',
        `${labelOf(object)} is a group; a Microsoft 365 group takes users only.`,
      );
    }
    if (object.isSecurityGroup) return null;
    return failed(
      'member_kind_not_allowed',
      `${labelOf(object)} is no security group, and no other kind can be nested.`,
    );
  };
}

function judgeOwner(object: DirectoryObject): EntraResolution | null {
  if (object.type === 'user') return null;
  return failed('owner_not_valid', `${labelOf(object)} is a ${object.type}, which cannot own a group.`);
}

function labelOf({ userPrincipalName, mail, displayName, id }: GraphMember): string {
  return userPrincipalName ?? mail ?? displayName ?? id;
}

function isOnList(label: string): EntraResolution {
  return failed('protected_object', `${label} is listed in PROTECTED_USERS.`);
}

function failed(code: FaultCode, message: string): EntraResolution & { readonly type: 'failed' } {
  return { type: 'failed', code, message };
}

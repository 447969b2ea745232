import type { Call } from '../../call.ts';
import { sameText } from '../../exchange/identity.ts';
import type { GraphDirectoryObjects } from '../../graph/directoryObjects.ts';
import type { GraphMember } from '../../graph/groups.ts';
import { isGuid } from '../../guid.ts';
import type { ManagedMember, PushPerson } from '../people.ts';
import type { PushSource, SourcePerson } from '../source.ts';
import type { KnownPeople, PushMemberStore } from '../store/memberStore.ts';
import { ask, type Finding, valueOf } from './facts.ts';

/** Whom a caller means, as far as each of those who are asked knows. */
export interface Subject {
  readonly person: Finding<SourcePerson | null>;
  /** What the mapping knows of everybody; of somebody whom Okta knows by this very name, of that person alone. */
  readonly everybody: Finding<KnownPeople>;
  readonly pin: PushPerson | null;
  /** null: unknown there, or not asked. */
  readonly entra: GraphMember | null;
}

export interface SubjectFinder {
  /** @param user Okta id, login, UPN, address or Entra object id */
  find(oktaGroupId: string, user: string, call: Call): Promise<Subject>;
}

/** By the name itself in Okta; else by what the mapping knows; else by whom Entra has under it. */
export function createSubjectFinder(dependencies: {
  pushSource: PushSource;
  pushMembers: PushMemberStore;
  directoryObjects: GraphDirectoryObjects;
}): SubjectFinder {
  const { pushSource, pushMembers, directoryObjects } = dependencies;

  async function findInEntra(user: string, call: Call): Promise<GraphMember | null> {
    const lookups = await ask(() => directoryObjects.lookUp('user', [user], call));
    const [lookup] = valueOf(lookups) ?? [];
    // Several people of one address are nobody.
    return lookup?.type === 'found' && lookup.objects.length === 1 ? (lookup.objects[0] ?? null) : null;
  }

  return {
    find: async (oktaGroupId, user, call) => {
      const findPerson = (name: string) => ask(() => pushSource.person(name, call));
      // An object id is no name in Okta.
      const nobody: Finding<null> = { type: 'known', value: null };
      const byName = isGuid(user) ? nobody : await findPerson(user);
      const named = valueOf(byName);
      if (named !== null) {
        const everybody = await ask(() => pushMembers.readSome(oktaGroupId, [named.id], call));
        return { person: byName, everybody, pin: valueOf(everybody)?.people.get(named.id) ?? null, entra: null };
      }
      const everybody = await ask(() => pushMembers.readAll(oktaGroupId, call));
      const people = [...(valueOf(everybody)?.people.values() ?? [])];
      const known = people.find((person) => isCalled(person, user));
      if (known !== undefined) {
        return { person: await findPerson(known.oktaUserId), everybody, pin: known, entra: null };
      }
      const entra = await findInEntra(user, call);
      const pin = people.find(({ entraId }) => entra !== null && sameText(entraId, entra.id)) ?? null;
      const login = pin?.oktaUserId ?? entra?.userPrincipalName ?? null;
      // Asked for by the same name, Okta has answered already.
      const isNews = login !== null && !sameText(login, user);
      return { person: isNews ? await findPerson(login) : byName, everybody, pin, entra };
    },
  };
}

/** The managed member that is this object. */
export function managedOf({ managed }: KnownPeople, entraId: string | null): ManagedMember | null {
  return entraId === null ? null : (managed.get(entraId.toLowerCase()) ?? null);
}

function isCalled({ oktaUserId, login, label, entraId }: PushPerson, user: string): boolean {
  return oktaUserId === user || [login, label, entraId].some((name) => sameText(name, user));
}

import type { Call } from '../../call.ts';
import type { Clock } from '../../clock.ts';
import { sameText } from '../../exchange/identity.ts';
import type { GraphDirectoryObjects } from '../../graph/directoryObjects.ts';
import { isGraphFault } from '../../graph/errors.ts';
import type { GraphGroups, GraphMember } from '../../graph/groups.ts';
import type { GraphUsers } from '../../graph/users.ts';
import { targetOfMember } from '../../groups/membership/memberTarget.ts';
import type { MemberTargets } from '../../groups/membership/memberTargets.ts';
import type { ProtectedUsers } from '../../groups/protectedUsers.ts';
import { isDesired } from '../desired.ts';
import type { PushMapping } from '../mapping.ts';
import { targetGone } from '../mappings/mappingFaults.ts';
import type { PushPerson } from '../people.ts';
import type { Match, PushMatcher } from '../pushMatcher.ts';
import { type ActualMember, type KeptMember, planPush } from '../pushPlan.ts';
import { removalRule } from '../removalRule.ts';
import type { PushSource, SourcePerson } from '../source.ts';
import type { PushMappingStore } from '../store/mappingStore.ts';
import type { KnownPeople, PushMemberStore } from '../store/memberStore.ts';
import type { PushPending } from '../store/pendingStore.ts';
import { ask, type Facts, type Finding, notAsked, valueOf } from './facts.ts';
import { createSubjectFinder, managedOf, type Subject } from './findSubject.ts';
import { isWanted, type Link, linksOf } from './links.ts';
import { type Conclusion, conclude } from './verdict.ts';

export interface Explanation extends Conclusion {
  /** null: the group has none. */
  readonly mapping: PushMapping | null;
  readonly oktaUserId: string | null;
  readonly login: string | null;
  readonly entraId: string | null;
  readonly links: readonly Link[];
}

export interface MembershipExplainer {
  /**
   * Why somebody is, or is not, in the target of an Okta group. Reads only.
   * @param user Okta id, login, UPN, address or Entra object id
   * @throws Fault `storage_unavailable`; what an upstream cannot tell is a link that is not known
   */
  explain(oktaGroupId: string, user: string, call: Call): Promise<Explanation>;
}

export interface MembershipExplainerDependencies {
  readonly pushSource: PushSource;
  readonly pushMatcher: PushMatcher;
  readonly pushMappings: PushMappingStore;
  readonly pushMembers: PushMemberStore;
  readonly pushPending: Pick<PushPending, 'list'>;
  readonly memberTargets: MemberTargets;
  readonly directoryObjects: GraphDirectoryObjects;
  readonly graphGroups: GraphGroups;
  readonly graphUsers: GraphUsers;
  readonly protectedUsers: ProtectedUsers;
  readonly clock: Clock;
}

const noMapping = 'Without a mapping there is nothing to look at.';
const nobodyThere = 'Nobody is known whom it could be asked of.';

export function createMembershipExplainer(dependencies: MembershipExplainerDependencies): MembershipExplainer {
  const { pushSource, pushMatcher, pushMappings, pushPending, memberTargets, graphGroups, clock } = dependencies;
  const subjects = createSubjectFinder(dependencies);

  async function judgeInGroup(
    oktaGroupId: string,
    person: Finding<SourcePerson | null>,
    call: Call,
  ): Promise<Facts['inGroup']> {
    if (person.type === 'unknown') return person;
    const { value } = person;
    return ask(async () => {
      if ((await pushSource.group(oktaGroupId, call)) === null) return 'no_group';
      if (value === null) return 'not_member';
      const { isMember } = await pushSource.membership(oktaGroupId, value.id, call);
      return isMember ? 'member' : 'not_member';
    });
  }

  async function findMatch(
    { settings }: PushMapping,
    { person: found, pin }: Subject,
    call: Call,
  ): Promise<Finding<Match>> {
    const person = valueOf(found);
    if (person === null) return notAsked(nobodyThere);
    const pins = new Map(pin === null ? [] : [[person.id, pin]]);
    return ask(async () => {
      const matches = await pushMatcher.match([person], pins, settings.oktaAppId, { verifyPins: true }, call);
      const match = matches.get(person.id);
      if (match === undefined) throw new RangeError('a person without a match');
      return match;
    });
  }

  async function findRecipient(mapping: PushMapping, entraId: string | null, call: Call): Promise<Facts['recipient']> {
    if (entraId === null) return notAsked('Who it is in Entra is not known.');
    return ask(async () => {
      const [resolution] = await memberTargets.resolve(mapping.targetKind, 'add', [entraId], call);
      if (resolution === undefined) throw new RangeError('an entry without its resolution');
      return resolution;
    });
  }

  /** Until found: by object id where that is known, else by any of the names. */
  async function findListed(
    { targetId, targetName }: PushMapping,
    entraId: string | null,
    names: readonly (string | null)[],
    call: Call,
  ): Promise<Facts['listed']> {
    const isMeant = (member: ActualMember) =>
      entraId === null
        ? names.some((name) => name !== null && [member.id, ...member.names].some((each) => sameText(each, name)))
        : sameText(member.id, entraId);
    return ask(async () => {
      try {
        return await search();
      } catch (error) {
        throw isGraphFault(error, 'notFound', 'groupMissing') ? targetGone({ targetId, targetName }) : error;
      }
    });

    async function search(): Promise<ActualMember | null> {
      for await (const page of graphGroups.memberPages(targetId, { addresses: entraId === null }, call)) {
        const found = page.map(actualMember).find(isMeant);
        if (found !== undefined) return found;
      }
      return null;
    }
  }

  /** What a reconcile would do with a member that is not desired: the same plan, of this member alone. */
  async function judgeLeftover(
    { targetId, settings }: PushMapping,
    member: ActualMember,
    pin: PushPerson | null,
    { people, managed }: KnownPeople,
    call: Call,
  ): Promise<KeptMember | null> {
    const others = [...people.values()].filter(({ oktaUserId }) => oktaUserId !== pin?.oktaUserId);
    const ownRow = managed.get(member.id.toLowerCase());
    const plan = planPush({
      targetId,
      authority: settings.authority,
      actual: [member],
      desired: others.flatMap(unresolvedMatch),
      scope: null,
      pinged: new Set(),
      people: new Map(pin === null ? [] : [[pin.oktaUserId, pin]]),
      managed: new Map(ownRow === undefined ? [] : [[member.id.toLowerCase(), ownRow]]),
      adoptMembers: settings.adoptMembers,
      mayRemove: await removalRule(settings, dependencies, call),
      nowMs: clock.now(),
    });
    return plan.kept[0] ?? null;
  }

  /** Somebody else of the group may want the very same object: then the plan keeps it. */
  async function findTwin(
    { oktaGroupId, settings }: PushMapping,
    member: ActualMember,
    pin: PushPerson | null,
    { people }: KnownPeople,
    call: Call,
  ): Promise<PushPerson | null> {
    for (const other of people.values()) {
      if (other.oktaUserId === pin?.oktaUserId || !sameText(other.entraId, member.id)) continue;
      const { isMember, person } = await pushSource.membership(oktaGroupId, other.oktaUserId, call);
      if (isMember && person !== null && isDesired(person, settings.desiredStatuses)) return other;
    }
    return null;
  }

  /** Of whom the mapping does not know alone, everybody is to be known: somebody unresolved may hold a removal back. */
  async function findLeftover(
    facts: Omit<Facts, 'kept'>,
    oktaGroupId: string,
    pin: PushPerson | null,
    call: Call,
  ): Promise<Facts['kept']> {
    const { mapping, listed } = facts;
    const member = valueOf(listed);
    if (mapping === null || member === null || isWanted({ ...facts, kept: notAsked('') }) !== false) {
      return notAsked('Only a member that is not desired could go.');
    }
    return ask(async () => {
      const everybody = await dependencies.pushMembers.readAll(oktaGroupId, call);
      const twin = await findTwin(mapping, member, pin, everybody, call);
      return twin === null ? judgeLeftover(mapping, member, pin, everybody, call) : { twin };
    });
  }

  async function gather(
    oktaGroupId: string,
    user: string,
    mapping: PushMapping | null,
    subject: Subject,
    call: Call,
  ): Promise<Facts & { readonly entraId: string | null }> {
    const { person, everybody, pin, entra } = subject;
    const nowMs = clock.now();
    if (mapping === null) {
      const nothing = notAsked(noMapping);
      const inGroup = await judgeInGroup(oktaGroupId, person, call);
      const rest = { match: nothing, recipient: nothing, known: nothing, pending: nothing, listed: nothing };
      return { user, mapping, person, inGroup, ...rest, kept: nothing, nowMs, entraId: entra?.id ?? null };
    }
    const [inGroup, match] = await Promise.all([
      judgeInGroup(oktaGroupId, person, call),
      findMatch(mapping, subject, call),
    ]);
    const matchedId = match.type === 'known' && match.value.type === 'matched' ? match.value.entraId : null;
    // The pin holds while nobody can be asked, and when the match has changed, which counts once it is accepted.
    const isNobody = match.type === 'known' && match.value.type === 'failed';
    const recipientId = isNobody ? null : (matchedId ?? pin?.entraId ?? null);
    const entraId = matchedId ?? pin?.entraId ?? entra?.id ?? null;
    const oktaUserId = valueOf(person)?.id ?? pin?.oktaUserId ?? null;
    const [recipient, listed, pending] = await Promise.all([
      findRecipient(mapping, recipientId, call),
      findListed(mapping, entraId, [user, valueOf(person)?.login ?? null], call),
      ask(async () => {
        const changes = await pushPending.list(oktaGroupId, call);
        return changes.find((change) => change.oktaUserId === oktaUserId) ?? null;
      }),
    ]);
    const known: Facts['known'] =
      everybody.type === 'unknown'
        ? everybody
        : {
            type: 'known',
            value: { pin, managed: managedOf(everybody.value, entraId ?? valueOf(listed)?.id ?? null) },
          };
    const facts = { user, mapping, person, inGroup, match, recipient, known, pending, listed, nowMs };
    const kept = await findLeftover(facts, oktaGroupId, pin, call);
    return { ...facts, kept, entraId: entraId ?? valueOf(listed)?.id ?? null };
  }

  return {
    explain: async (oktaGroupId, user, call) => {
      const [mapping, subject] = await Promise.all([
        pushMappings.get(oktaGroupId, call),
        subjects.find(oktaGroupId, user, call),
      ]);
      const { entraId, ...facts } = await gather(oktaGroupId, user, mapping, subject, call);
      const links = linksOf(facts);
      const person = valueOf(facts.person);
      return {
        ...conclude(facts, links),
        mapping,
        oktaUserId: person?.id ?? subject.pin?.oktaUserId ?? null,
        login: person?.login ?? subject.pin?.login ?? null,
        entraId,
        links,
      };
    },
  };
}

function actualMember(member: GraphMember): ActualMember {
  const { id, type, userPrincipalName, mail, addresses } = member;
  return { id, type, label: targetOfMember(member).label, names: [userPrincipalName, mail, ...addresses] };
}

/** Somebody who is desired and could not be resolved when last looked at. */
function unresolvedMatch({ oktaUserId, login, problem }: PushPerson) {
  if (problem === null) return [];
  const { code, message } = problem;
  const person = { id: oktaUserId, login, status: '' };
  return [{ person, match: { type: 'failed' as const, code, message } }];
}

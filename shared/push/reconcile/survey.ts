import type { Call } from '../../call.ts';
import type { Clock } from '../../clock.ts';
import { Fault } from '../../errors.ts';
import { type GraphGroups, type GraphMember, maxMemberPage } from '../../graph/groups.ts';
import type { GraphUsers } from '../../graph/users.ts';
import { type Group, labelOf } from '../../groups/group.ts';
import { targetOfMember } from '../../groups/membership/memberTarget.ts';
import type { ProtectedUsers } from '../../groups/protectedUsers.ts';
import { groupNotReady } from '../../groups/resolve.ts';
import { isDesired } from '../desired.ts';
import type { PushMapping } from '../mapping.ts';
import type { ManagedMember, PushPerson } from '../people.ts';
import type { Match, PushMatcher } from '../pushMatcher.ts';
import { type ActualMember, type PushPlan, planPush } from '../pushPlan.ts';
import { removalRule } from '../removalRule.ts';
import type { PushSource, SourceGroup, SourcePerson } from '../source.ts';
import type { PushMemberStore } from '../store/memberStore.ts';
import { readMembers, readMembersOf } from './readMembers.ts';
import { targetSize } from './targetSize.ts';

/** What was found of a mapping, and what is to be done about it. */
export interface Survey {
  readonly mapping: PushMapping;
  readonly group: Group;
  readonly sourceGroup: SourceGroup;
  readonly plan: PushPlan;
  /** Members before; for the guard. */
  readonly actualCount: number;
  /** Whether everybody was looked at. */
  readonly isFull: boolean;
  /** Whether nobody came or went at the source while it was read: only then may somebody's absence be believed. */
  readonly isSteady: boolean;
  /** Okta users of the source group that were looked at, by id, whatever their state. */
  readonly members: ReadonlyMap<string, SourcePerson>;
  readonly matches: ReadonlyMap<string, Match>;
  /** As known before. */
  readonly people: ReadonlyMap<string, PushPerson>;
  readonly managed: ReadonlyMap<string, ManagedMember>;
  /** People who were looked at or known before, and are certain to be no members of the source group (any more). */
  readonly left: readonly string[];
}

export interface Surveyor {
  /**
   * Reads actual, then desired (design §6.5), and plans. Reads only.
   * @param repin Okta users, by id or login, whose match is found anew
   * @throws Fault `okta_object_not_found` when the source group is gone, upstream faults
   */
  full(mapping: PushMapping, group: Group, repin: readonly string[], call: Call): Promise<Survey>;
  /**
   * The same for some people alone: the members of the target are read only where that spares as many calls. Who is not
   * known yet is announced first, so that no event about them is missed from then on.
   * @param pinged of them, those whose membership has changed
   */
  some(
    mapping: PushMapping,
    group: Group,
    oktaUserIds: readonly string[],
    pinged: ReadonlySet<string>,
    call: Call,
  ): Promise<Survey>;
}

export interface SurveyorDependencies {
  readonly pushSource: PushSource;
  readonly pushMatcher: PushMatcher;
  readonly pushMembers: PushMemberStore;
  readonly graphGroups: GraphGroups;
  readonly graphUsers: GraphUsers;
  readonly protectedUsers: ProtectedUsers;
  readonly clock: Clock;
}

export function createSurveyor(dependencies: SurveyorDependencies): Surveyor {
  const { pushSource, pushMatcher, pushMembers, graphGroups, clock } = dependencies;

  function desiredOf(members: ReadonlyMap<string, SourcePerson>, { settings }: PushMapping): SourcePerson[] {
    return [...members.values()].filter((person) => isDesired(person, settings.desiredStatuses));
  }

  function withMatches(desired: readonly SourcePerson[], matches: ReadonlyMap<string, Match>) {
    return desired.map((person) => {
      const match = matches.get(person.id);
      if (match === undefined) throw new RangeError('a person without a match');
      return { person, match };
    });
  }

  async function readActual(targetId: string, call: Call): Promise<ActualMember[]> {
    const actual: ActualMember[] = [];
    const seen = new Set<string>();
    for await (const page of graphGroups.memberPages(targetId, { addresses: true }, call)) {
      // Pages may show an object twice when the list changes meanwhile.
      actual.push(...page.filter(({ id }) => !seen.has(id) && seen.add(id)).map(actualMember));
    }
    return actual;
  }

  return {
    full: async (mapping, group, repin, call) => {
      const { settings, oktaGroupId } = mapping;
      const targetId = idOf(group);
      const { people, managed } = await pushMembers.readAll(oktaGroupId, call);
      const actual = await readActual(targetId, call);
      const { sourceGroup, members, isSteady } = await readMembers(pushSource, oktaGroupId, call);
      const desired = desiredOf(members, mapping);
      const released = new Set(repin.map((name) => name.toLowerCase()));
      // By the login that it was made with, or by the present one.
      const isReleased = ({ oktaUserId, login }: PushPerson) =>
        [oktaUserId, login, members.get(oktaUserId)?.login].some((name) => released.has(name?.toLowerCase() ?? ''));
      const pins = new Map([...people].filter(([, person]) => !isReleased(person)));
      const matches = await pushMatcher.match(desired, pins, settings.oktaAppId, { verifyPins: true }, call);
      const plan = planPush({
        targetId,
        authority: settings.authority,
        actual,
        desired: withMatches(desired, matches),
        scope: null,
        pinged: new Set(),
        people: pins,
        managed,
        adoptMembers: settings.adoptMembers,
        mayRemove: await removalRule(settings, dependencies, call),
        nowMs: clock.now(),
      });
      const left = isSteady ? [...people.keys()].filter((id) => !members.has(id)) : [];
      const actualCount = plan.actualCount ?? actual.length;
      const found = { mapping, group, sourceGroup, actualCount, isFull: true, isSteady, members, matches, left };
      return { ...found, plan: isSteady ? plan : withoutRemovals(plan), people, managed };
    },

    some: async (mapping, group, oktaUserIds, pinged, call) => {
      const { settings, oktaGroupId } = mapping;
      const targetId = idOf(group);
      const { people, managed } = await pushMembers.readSome(oktaGroupId, oktaUserIds, call);
      const unknown = oktaUserIds.filter((id) => !people.has(id));
      await pushMembers.announce(oktaGroupId, unknown, call);
      const sparable = countSparable(pinged, people, managed);
      const actual = pagesOf(mapping) <= sparable ? await readActual(targetId, call) : null;
      const { sourceGroup, members, isSteady } = await readMembersOf(pushSource, mapping, oktaUserIds, call);
      const desired = desiredOf(members, mapping);
      const matches = await pushMatcher.match(desired, people, settings.oktaAppId, { verifyPins: false }, call);
      const mayRemove = await removalRule(settings, dependencies, call);
      const planWith = (known: ReadonlyMap<string, PushPerson>) =>
        planPush({
          targetId,
          authority: settings.authority,
          actual,
          desired: withMatches(desired, matches),
          scope: new Set(oktaUserIds),
          pinged,
          people: known,
          managed,
          adoptMembers: settings.adoptMembers,
          mayRemove,
          nowMs: clock.now(),
        });
      const draft = planWith(people);
      // Whom another person stands for as well is not removed with this one.
      const others = await pushMembers.readMatched(
        oktaGroupId,
        draft.removes.map(({ entraId }) => entraId),
        call,
      );
      const plan =
        others.length === 0
          ? draft
          : planWith(new Map([...others.map((person) => [person.oktaUserId, person] as const), ...people]));
      const left = isSteady ? oktaUserIds.filter((id) => !members.has(id)) : [];
      const steadyPlan = isSteady ? plan : withoutRemovals(plan);
      // The guard alone wants to know how large the group is.
      const isAnyoneGoing = steadyPlan.removes.length > 0;
      const actualCount = isAnyoneGoing ? await targetSize(mapping, steadyPlan, dependencies, call) : 0;
      const found = { mapping, group, sourceGroup, actualCount, isFull: false, isSteady, members, matches, left };
      return { ...found, plan: steadyPlan, people, managed };
    },
  };
}

function idOf(group: Group): string {
  if (group.id === null || group.graph === null) throw groupNotReady(group);
  return group.id;
}

/**
 * Those of whom a ping alone says that they may have to be written, since they were looked at before: who came back, or
 * whose event comes twice. Reading shows most of them to be where they belong.
 */
function countSparable(
  pinged: ReadonlySet<string>,
  people: ReadonlyMap<string, PushPerson>,
  managed: ReadonlyMap<string, ManagedMember>,
): number {
  return [...pinged].filter((oktaUserId) => {
    const entraId = people.get(oktaUserId)?.entraId ?? null;
    if (entraId === null) return false;
    const state = managed.get(entraId.toLowerCase())?.state ?? 'added';
    return state === 'added';
  }).length;
}

/** Pages that the members of the target were on when they were last read. At least one. */
function pagesOf({ lastReconcile }: PushMapping): number {
  return Math.ceil(Math.max(1, lastReconcile?.actualCount ?? 1) / maxMemberPage);
}

function actualMember(member: GraphMember): ActualMember {
  const { id, type, userPrincipalName, mail, addresses } = member;
  return { id, type, label: targetOfMember(member).label, names: [userPrincipalName, mail, ...addresses] };
}

/** While people come and go at the source, whoever was not seen there may just have been missed. */
function withoutRemovals(plan: PushPlan): PushPlan {
  const message = 'Is not removed now: people came or went in Okta while the group was read. It is looked at again.';
  const kept = plan.removes.map(({ entraId, label }) => ({ entraId, label, code: 'held_back' as const, message }));
  return { ...plan, removes: [], kept: [...plan.kept, ...kept] };
}

/** @throws Fault when the plan is not the one that was looked at */
export function refuseOtherPlan({ plan, group }: Survey, planId: string | null): void {
  if (planId === null || planId === plan.planId) return;
  throw new Fault('plan_changed', {
    detail: `The plan for ${labelOf(group)} is no longer ${planId}: now ${plan.adds.length} would be added and ${plan.removes.length} removed. Nothing was written.`,
    fix: 'Ask for a new plan with "dryRun": true, look at it, and repeat the request with its planId.',
  });
}

import { planIdOf } from '../groups/membership/planId.ts';
import { type ActualMember, bearersOf, type Candidate, groupPins, isManaged } from './candidate.ts';
import { createKeepRule, type KeepReason, type RemovalPermission } from './keepRule.ts';
import type { Authority } from './mapping.ts';
import { isFresh, standingOf } from './memberStanding.ts';
import type { ManagedMember, PushPerson } from './people.ts';
import type { Match } from './pushMatcher.ts';
import type { SourcePerson } from './source.ts';
import { createHolds, isWaitingCode, unresolvedPerson, type UnresolvedPerson } from './unresolved.ts';

export type { ActualMember } from './candidate.ts';

export interface PushPlanInput {
  /** Entra object id. */
  readonly targetId: string;
  readonly authority: Authority;
  /** null: Graph was not asked, since only some people are looked at; what is known of the managed set stands for it. */
  readonly actual: readonly ActualMember[] | null;
  /** Desired people with their match; all of them, or those in `scope`. */
  readonly desired: readonly { readonly person: SourcePerson; readonly match: Match }[];
  /** Okta users that this plan is about; null: all. With some, nobody else is added or removed. */
  readonly scope: ReadonlySet<string> | null;
  /** Okta users in scope whose membership has changed: they are written where the managed set alone says there is no need. */
  readonly pinged: ReadonlySet<string>;
  /** By Okta user id. */
  readonly people: ReadonlyMap<string, PushPerson>;
  /** By Entra object id in lower case. */
  readonly managed: ReadonlyMap<string, ManagedMember>;
  /** Whether who is desired and a member already counts as added by the mapping. */
  readonly adoptMembers: boolean;
  readonly mayRemove: RemovalPermission;
  readonly nowMs: number;
}

export interface PushChange {
  /** Entra object id. */
  readonly entraId: string;
  /** null for members that the mapping has never added. */
  readonly oktaUserId: string | null;
  readonly login: string | null;
  readonly label: string;
  /** Whether a row of the managed set says that it is the mapping's: "a member already" is then our own work. */
  readonly isOurs: boolean;
}

/** Somebody who is not desired and stays. */
export interface KeptMember extends KeepReason {
  readonly entraId: string;
  readonly label: string;
}

/** Desired against actual. Whole when `scope` is null: `actualCount` − removes + adds is then the size that comes out. */
export interface PushPlan {
  /** The same whenever the same changes come out. */
  readonly planId: string;
  /** Members before, those that a write of ours has brought and Graph does not show yet included; null: not known. */
  readonly actualCount: number | null;
  /** Desired people, whether they could be resolved or not. */
  readonly desiredCount: number;
  readonly adds: readonly PushChange[];
  /** Those of `adds` who are no members as far as is known; the others are written to be sure of them. */
  readonly comingCount: number;
  readonly removes: readonly PushChange[];
  /** Members that join the managed set without a write. */
  readonly adopts: readonly PushChange[];
  /** Entra ids, in lower case, of rows of the managed set that are over. */
  readonly forgets: readonly string[];
  /** Desired people's objects that are members already. */
  readonly unchangedCount: number;
  readonly kept: readonly KeptMember[];
  readonly unresolved: readonly UnresolvedPerson[];
  readonly drift: {
    /** Members that are neither desired nor managed. */
    readonly addedOutside: readonly ActualMember[];
    /** Managed members that are desired and gone; they are among `adds` as well. */
    readonly removedOutside: readonly ManagedMember[];
  };
  /** Whom authority `exclusive` would remove beyond `removes`. */
  readonly exclusiveWouldRemove: readonly ActualMember[];
}

type Wanted = PushChange & { readonly oktaUserId: string };

/** Everybody who wants one object. */
type WantedBy = readonly [...Wanted[], Wanted];

/** `settled`: nothing is written. */
type Decision = 'added' | 'adopted' | 'removed' | 'settled';

/**
 * What makes a target's members those that a mapping wants, as far as its authority goes (design §2, §6.6). Pure.
 * Identity is the Entra id. Who is desired and cannot be resolved is listed, and never causes a removal.
 */
export function planPush(input: PushPlanInput): PushPlan {
  const { targetId, authority, actual, desired, scope, pinged, managed, adoptMembers, mayRemove, nowMs } = input;
  const isInScope = (oktaUserId: string) => scope === null || scope.has(oktaUserId);

  const wanted = new Map<string, WantedBy>();
  const unresolved: UnresolvedPerson[] = [];
  for (const { person, match } of desired) {
    if (match.type !== 'matched') {
      unresolved.push(unresolvedPerson(person, match));
      continue;
    }
    const { entraId, label } = match;
    const key = entraId.toLowerCase();
    const isOurs = isManaged(managed.get(key));
    const change = { entraId, oktaUserId: person.id, login: person.login, label, isOurs };
    wanted.set(key, [...(wanted.get(key) ?? []), change]);
  }
  const holds = createHolds([...unresolved, ...unresolvedBeyond(input)]);
  const whyKept = createKeepRule({ scope, mayRemove, holds });
  const shownById = actual === null ? null : new Map(actual.map((member) => [member.id.toLowerCase(), member]));
  const pinsById = groupPins(input.people);

  const adds: PushChange[] = [];
  const removes: PushChange[] = [];
  const adopts: PushChange[] = [];
  const forgets: string[] = [];
  const kept: KeptMember[] = [];
  const addedOutside: ActualMember[] = [];
  const removedOutside: ManagedMember[] = [];
  const exclusiveWouldRemove: ActualMember[] = [];
  let comingCount = 0;
  let unchangedCount = 0;
  let presentCount = 0;

  for (const key of keysOf()) {
    const candidate = candidateOf(key);
    const wantedFor = wanted.get(key);
    const decision = isAbout(candidate, wantedFor) ? decide(candidate, wantedFor) : 'none';
    // Who is added once more counts as coming.
    if (candidate.standing !== 'absent' && decision !== 'added') presentCount += 1;
    if (decision === 'settled' && isOver(candidate)) forgets.push(key);
  }

  return {
    planId: planIdOf(
      targetId,
      adds.map(({ entraId }) => entraId),
      removes.map(({ entraId }) => entraId),
    ),
    actualCount: actual === null ? null : presentCount,
    desiredCount: desired.length,
    adds,
    comingCount,
    removes,
    adopts,
    forgets,
    unchangedCount,
    kept,
    unresolved: unresolved.filter(({ oktaUserId }) => isInScope(oktaUserId)),
    drift: { addedOutside, removedOutside },
    exclusiveWouldRemove,
  };

  function keysOf(): Set<string> {
    return new Set([
      ...wanted.keys(),
      // Who is not shown and not managed is no member, pinned or not.
      ...(shownById?.keys() ?? pinsById.keys()),
      ...managed.keys(),
    ]);
  }

  function candidateOf(key: string): Candidate {
    const shown = shownById?.get(key);
    const row = managed.get(key);
    const isShown = shownById === null ? null : shown !== undefined;
    return { key, shown, row, standing: standingOf(row, isShown, nowMs), pins: pinsById.get(key) ?? [] };
  }

  /** Whom one person leaves behind and another wants is the other's. */
  function isAbout({ row, pins }: Candidate, wantedFor: WantedBy | undefined): boolean {
    if (scope === null) return true;
    const people = wantedFor ?? [...(row === undefined ? [] : [row]), ...pins];
    return people.some(({ oktaUserId }) => oktaUserId !== null && scope.has(oktaUserId));
  }

  function decide(candidate: Candidate, wantedFor: WantedBy | undefined): Decision {
    return wantedFor === undefined ? leave(candidate) : join(candidate, wantedFor);
  }

  function join(candidate: Candidate, wantedFor: WantedBy): Decision {
    const { row, shown, standing } = candidate;
    const change = wantedFor.find(({ oktaUserId }) => oktaUserId === row?.oktaUserId) ?? wantedFor[0];
    const isPinged = wantedFor.some(({ oktaUserId }) => pinged.has(oktaUserId));
    // Somebody else may have removed whom we added, and the lag or what was not read would hide it.
    const mustHeal = isPinged && shown === undefined;
    if (standing !== 'member' || mustHeal) {
      adds.push(change);
      if (standing !== 'member') comingCount += 1;
      if (row?.state === 'added' && standing === 'absent') removedOutside.push(row);
      return 'added';
    }
    unchangedCount += 1;
    if (!adoptMembers || isManaged(row)) return 'settled';
    adopts.push(change);
    return 'adopted';
  }

  function leave(candidate: Candidate): Decision {
    const { key, shown, row, standing } = candidate;
    if (standing === 'absent') return 'settled';
    if (isNobodyYet(candidate)) return 'settled';
    const ours = isManaged(row) ? row : undefined;
    const remark = whyKept(candidate, authority);
    const label = shown?.label ?? row?.label ?? candidate.pins[0]?.label ?? key;
    const entraId = shown?.id ?? row?.entraId ?? candidate.pins[0]?.entraId ?? key;
    if (shown !== undefined && ours === undefined && !holds.includes(bearersOf(candidate))) addedOutside.push(shown);
    if (remark === null) {
      const { oktaUserId = null, login = null } = ours ?? {};
      removes.push({ entraId, oktaUserId, login, label, isOurs: ours !== undefined });
      return 'removed';
    }
    const isBeyond = authority !== 'exclusive' && whyKept(candidate, 'exclusive') === null;
    if (shown !== undefined && isBeyond) exclusiveWouldRemove.push(shown);
    kept.push({ entraId, label, ...remark });
    return 'settled';
  }

  /** Who was not read, and has never got in as far as is known: there is nobody to remove or to keep. */
  function isNobodyYet({ row, pins }: Candidate): boolean {
    return (
      actual === null &&
      row === undefined &&
      pins.every(({ problem }) => problem !== null && isWaitingCode(problem.code))
    );
  }

  /** Rows outlive what they say for as long as Graph may say something else. */
  function isOver({ row, standing }: Candidate): boolean {
    if (row === undefined || isFresh(row, nowMs)) return false;
    return standing === 'absent' || row.state === 'removed';
  }
}

/** Desired people whom this plan has not looked at, and of whom is known that they could not be resolved. */
function unresolvedBeyond({ scope, people }: PushPlanInput): Pick<UnresolvedPerson, 'oktaUserId' | 'login' | 'code'>[] {
  if (scope === null) return [];
  return [...people.values()].flatMap(({ oktaUserId, login, problem }) =>
    problem === null || scope.has(oktaUserId) ? [] : [{ oktaUserId, login, code: problem.code }],
  );
}

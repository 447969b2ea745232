import type { Authority } from '../../shared/push/mapping.ts';

/** What happens to one Okta group, and what has to come of it. */
export interface GroupCourse {
  readonly oktaName: string;
  readonly listName: string;
  readonly authority: Authority;
  /** Of the list too. */
  readonly before: ReadonlySet<string>;
  /** One after the other; nobody comes or goes twice in one of them. */
  readonly rounds: readonly Round[];
  readonly after: ReadonlySet<string>;
  /** Somebody who leaves, and is in the `neverRemove` of the mapping. */
  readonly neverRemoved: string;
}

interface Round {
  readonly add: readonly string[];
  readonly remove: readonly string[];
}

/** Logins, which are UPNs as well. */
export interface Course {
  readonly groups: readonly GroupCourse[];
  /** Members of all groups, who are deactivated. */
  readonly deactivated: readonly string[];
  /** In Okta alone. */
  readonly strangers: readonly string[];
}

export const groupCount = 25;
export const peopleCount = 100;
export const sizeBefore = 60;
export const changesPerGroup = 400;

/** Few enough that no guard trips: with those deactivated, and whom `exclusive` removes beside them, 6 of 62. */
const leaverCount = 3;
const joinerCount = 30;
const deactivatedCount = 1;

const person = (number: number) => `person${String(number).padStart(6, '0')}@contoso.com`;
const range = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, index) => person(from + index));

export type Chance = () => number;

/** As POSIX has drand48's multiplier: the same again for the same seed. */
export function chanceOf(seed: number): Chance {
  let state = BigInt(seed) ^ 0x5deece66dn;
  return () => {
    state = (state * 25_214_903_917n + 11n) % 2n ** 48n;
    return Number(state >> 16n) / 2 ** 32;
  };
}

/**
 * Most of what happens to a group comes to nothing: people come and go, or go and come again. Three leave and thirty come,
 * two of whom are nobody in Entra, but where the authority is `exclusive`.
 */
export function planCourse(chance: Chance): Course {
  const strangers = ['nobody.one@example.com', 'nobody.two@example.com'];
  const groups = Array.from({ length: groupCount }, (_, index) => planGroup(index, strangers, chance));
  return { groups, deactivated: range(1, deactivatedCount), strangers };
}

function planGroup(index: number, strangers: readonly string[], chance: Chance): GroupCourse {
  const number = String(index + 1).padStart(4, '0');
  const authority = authorityOf(index);
  const members = range(deactivatedCount + 1, sizeBefore);
  const others = range(sizeBefore + 1, peopleCount);
  const nobodies = authority === 'exclusive' ? [] : strangers;
  const leavers = pick(members, leaverCount, chance);
  const joiners = [...pick(others, joinerCount - nobodies.length, chance), ...nobodies];
  const turns = new Map([...leavers, ...joiners].map((login) => [login, 1]));
  for (let left = changesPerGroup - turns.size; left > 0; left -= 2) {
    const [login = ''] = pick([...members, ...others], 1, chance);
    turns.set(login, (turns.get(login) ?? 0) + 2);
  }
  const before = new Set(range(1, sizeBefore));
  const now = new Set(before);
  const rounds: Round[] = [];
  for (let round = 1; round <= Math.max(...turns.values()); round += 1) {
    const moving = [...turns].flatMap(([login, count]) => (count >= round ? [login] : []));
    const [remove, add] = [moving.filter((login) => now.has(login)), moving.filter((login) => !now.has(login))];
    for (const login of add) now.add(login);
    for (const login of remove) now.delete(login);
    rounds.push({ add, remove });
  }
  const [neverRemoved = ''] = leavers;
  const names = { oktaName: `Okta Group ${number}`, listName: `Numbered Group ${number}` };
  return { ...names, authority, before, rounds, after: now, neverRemoved };
}

function authorityOf(index: number): Authority {
  if (index % 5 === 3) return 'additive';
  return index % 5 === 4 ? 'exclusive' : 'managed';
}

function pick(from: readonly string[], count: number, chance: Chance): string[] {
  const left = [...from];
  return Array.from({ length: count }, () => left.splice(Math.floor(chance() * left.length), 1)[0] ?? '');
}

/** Who has to be in a list once those who were `heard` of have been looked at; `heard` null: everybody has. */
export function expectedMembers(
  group: GroupCourse,
  { deactivated, strangers }: Course,
  heard: ReadonlySet<string> | null,
): Set<string> {
  const isDesired = (login: string) => group.after.has(login) && !deactivated.includes(login);
  const stays = (login: string) => group.authority === 'additive' || login === group.neverRemoved;
  const expected = new Set<string>();
  for (const login of new Set([...group.before, ...group.after])) {
    if (strangers.includes(login)) continue;
    const wasThere = group.before.has(login);
    const isHeard = heard === null || heard.has(login);
    if (isHeard ? isDesired(login) || (wasThere && stays(login)) : wasThere) expected.add(login);
  }
  return expected;
}

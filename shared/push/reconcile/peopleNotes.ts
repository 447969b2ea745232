import type { FaultCode } from '../../errors.ts';
import type { PushPerson } from '../people.ts';
import type { ChangeResult } from './planWriter.ts';
import type { Survey } from './survey.ts';

/** What is to be stored of a mapping's people after a survey. */
export interface PeopleNotes {
  /** New ones, and those of whom something else is known now. */
  readonly put: readonly PushPerson[];
  /** Okta users who are no members of the source group any more. */
  readonly remove: readonly string[];
}

interface Problem {
  readonly code: FaultCode;
  readonly message: string;
}

/** Who is in the source group and not known yet, or is somebody else: to be stored before anybody is written. Pure. */
export function peopleFound(survey: Survey): PushPerson[] {
  return changedPeople(survey, (_oktaUserId, before) => before?.problem ?? null);
}

/**
 * What is known of people once the changes were tried. Pure. Everybody in the source group is kept, whatever their state:
 * an event about them has to find the mapping. Who has left is kept as long as they are still to be removed.
 */
export function peopleNotes(survey: Survey, results: readonly ChangeResult[], nowMs: number): PeopleNotes {
  const { matches, people, left, plan } = survey;
  const problems = problemsOf(survey, results);
  const tried = new Set(results.map(({ change }) => change.entraId.toLowerCase()));
  const untried = new Set(plan.adds.map(({ entraId }) => entraId.toLowerCase()).filter((id) => !tried.has(id)));
  const put = changedPeople(survey, (oktaUserId, before) => {
    const match = matches.get(oktaUserId);
    if (match?.type === 'matched' && untried.has(match.entraId.toLowerCase())) return before?.problem ?? null;
    const problem = problems.get(oktaUserId);
    if (problem === undefined) return null;
    const isSame = before?.problem?.code === problem.code;
    return { ...problem, sinceMs: isSame ? before.problem.sinceMs : nowMs };
  });
  const done = new Set(results.flatMap(({ type, change }) => (type === 'done' ? [change.entraId.toLowerCase()] : [])));
  const open = new Set(plan.removes.map(({ entraId }) => entraId.toLowerCase()).filter((id) => !done.has(id)));
  const isOpen = (id: string) => open.has(people.get(id)?.entraId?.toLowerCase() ?? '');
  return { put, remove: left.filter((id) => !isOpen(id)) };
}

function changedPeople(
  { members, matches, people }: Survey,
  problemOf: (oktaUserId: string, before: PushPerson | undefined) => PushPerson['problem'],
): PushPerson[] {
  const changed: PushPerson[] = [];
  for (const [oktaUserId, { login }] of members) {
    const before = people.get(oktaUserId);
    const match = matches.get(oktaUserId);
    const pin =
      match?.type === 'matched'
        ? { login, entraId: match.entraId, label: match.label, matchedBy: match.matchedBy }
        : (pinOf(before) ?? { login, entraId: null, label: login, matchedBy: null });
    const person = { oktaUserId, ...pin, problem: problemOf(oktaUserId, before) };
    if (before === undefined || !isSame(before, person)) changed.push(person);
  }
  return changed;
}

/** Stays while nobody else is found: the login that it was made with too. */
function pinOf(person: PushPerson | undefined): Omit<PushPerson, 'oktaUserId' | 'problem'> | null {
  if (person?.entraId == null) return null;
  const { login, entraId, label, matchedBy } = person;
  return { login, entraId, label, matchedBy };
}

/** Why desired people are no members, by Okta user id. Who is not desired has none. */
function problemsOf({ plan, matches }: Survey, results: readonly ChangeResult[]): Map<string, Problem> {
  const problems = new Map<string, Problem>();
  for (const { oktaUserId, code, message } of plan.unresolved) problems.set(oktaUserId, { code, message });
  const failed = new Map<string, Problem>();
  for (const { type, change, row } of results) {
    if (type === 'done') continue;
    const problem = { code: row.code as FaultCode, message: row.message };
    if (type === 'refused' || row.code === 'no_mailbox') failed.set(change.entraId.toLowerCase(), problem);
  }
  for (const [oktaUserId, match] of matches) {
    const problem = match.type === 'matched' ? failed.get(match.entraId.toLowerCase()) : undefined;
    if (problem !== undefined) problems.set(oktaUserId, problem);
  }
  return problems;
}

function isSame(one: PushPerson, other: PushPerson): boolean {
  return JSON.stringify(fields(one)) === JSON.stringify(fields(other));
}

function fields({ oktaUserId, login, entraId, label, matchedBy, problem }: PushPerson): unknown[] {
  return [oktaUserId, login, entraId, label, matchedBy, problem?.code, problem?.message];
}

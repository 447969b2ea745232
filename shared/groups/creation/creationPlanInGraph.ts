import { Fault } from '../../errors.ts';
import { sameText } from '../../exchange/identity.ts';
import type { GraphGroup, GraphMember } from '../../graph/groups.ts';
import { maxLinksAtCreation } from '../../graph/groupWrites.ts';
import type { Difference, GraphGroupRequest } from './creationPlan.ts';
import { kindInGraph } from '../kinds.ts';

/** What an interrupted creation has left out. */
export interface MissingInGraph {
  readonly description: string | null;
  readonly owners: readonly GraphMember[];
}

export interface GraphComparison {
  readonly differences: readonly Difference[];
  /** null when nothing is missing. */
  readonly missing: MissingInGraph | null;
}

/** What to do about the groups that have the mail nickname of a request. */
export type GraphOccupancy =
  | { readonly type: 'free' }
  | { readonly type: 'group'; readonly group: GraphGroup }
  | { readonly type: 'ambiguous'; readonly groups: readonly GraphGroup[] };

/**
 * Judges the groups with the mail nickname of a request. Pure. A nickname is unique among Microsoft 365 groups alone
 * (graph.md §1.3): of several groups the one of this kind and name is meant, if it is but one.
 */
export function judgeNamesakes(request: GraphGroupRequest, namesakes: readonly GraphGroup[]): GraphOccupancy {
  const alike = namesakes.filter(
    (group) => kindInGraph(group) === request.kind && sameText(group.displayName, request.displayName),
  );
  const candidates = alike.length > 0 ? alike : namesakes;
  const [group] = candidates;
  if (group === undefined) return { type: 'free' };
  return candidates.length === 1 ? { type: 'group', group } : { type: 'ambiguous', groups: candidates };
}

/**
 * Holds an existing group against a request. Pure. A description that is not there is missing and is completed, and so
 * are owners beyond those that one creation takes: a group with just those is a creation of ours that was interrupted.
 * Anything else is somebody's decision and a difference.
 */
export function compareInGraph(
  request: GraphGroupRequest,
  actual: GraphGroup,
  actualOwners: readonly GraphMember[],
  owners: readonly GraphMember[],
): GraphComparison {
  const differences: Difference[] = [];
  const differs = (field: string, isSame: boolean, found: string, wanted: string) => {
    if (!isSame) differences.push({ field, actual: found, wanted });
  };
  const kind = kindInGraph(actual);
  const described = actual.isDynamic ? `${kind} with a membership rule` : kind;
  differs('kind', described === request.kind, described, request.kind);
  differs('displayName', sameText(actual.displayName, request.displayName), actual.displayName, request.displayName);
  if (request.description !== null && actual.description !== null) {
    differs('description', actual.description === request.description, actual.description, request.description);
  }
  if (request.visibility !== null) {
    differs('visibility', actual.visibility === request.visibility, actual.visibility ?? '', request.visibility);
  }
  const absent = absentOf(owners, actualOwners);
  const isOurs = absentOf(actualOwners, owners).length === 0 && absent.every((owner) => isLater(owner, owners));
  differs('owners', isOurs, ownerNames(actualOwners).join(', '), ownerNames(owners).join(', '));

  const description = actual.description === null ? request.description : null;
  const isComplete = description === null && absent.length === 0;
  return { differences, missing: isComplete ? null : { description, owners: absent } };
}

/** As a person knows them. */
export function ownerNames(owners: readonly GraphMember[]): string[] {
  return owners.map(({ userPrincipalName, mail, id }) => userPrincipalName ?? mail ?? id);
}

/** Those of `wanted` that are not among `present`. */
function absentOf(wanted: readonly GraphMember[], present: readonly GraphMember[]): GraphMember[] {
  return wanted.filter(({ id }) => !present.some((each) => sameText(each.id, id)));
}

/** Whether an owner is set only after the creation. */
function isLater(owner: GraphMember, owners: readonly GraphMember[]): boolean {
  return owners.indexOf(owner) >= maxLinksAtCreation;
}

export function ambiguousNickname(request: GraphGroupRequest, groups: readonly GraphGroup[]): Fault {
  const listed = groups.map((group) => `${group.displayName} (${kindInGraph(group)}, ${group.id})`);
  return new Fault('ambiguous_group', {
    detail: `${groups.length} groups have the alias "${request.alias}", and which of them is meant cannot be told: ${listed.join('; ')}.`,
    fix: 'Choose another alias.',
  });
}

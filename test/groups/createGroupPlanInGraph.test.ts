import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import type { GraphGroup, GraphMember } from '../../shared/graph/groups.ts';
import { maxLinksAtCreation } from '../../shared/graph/groupWrites.ts';
import { type GraphGroupRequest, toGroupRequest } from '../../shared/groups/creation/creationPlan.ts';
import { compareInGraph, judgeNamesakes } from '../../shared/groups/creation/creationPlanInGraph.ts';
import { plainGraphGroup } from '../support/groupSamples.ts';

const request = toGroupRequest({
  kind: 'security',
  displayName: 'Harbour Crew',
  alias: 'harbour-crew',
  owners: ['ann@contoso.com'],
}) as GraphGroupRequest;

/** What Graph makes of the request. */
const made: GraphGroup = {
  ...plainGraphGroup,
  id: 'g',
  displayName: 'Harbour Crew',
  mailNickname: 'harbour-crew',
};

const ownersNamed = (ids: readonly string[]): GraphMember[] =>
  ids.map((id) => ({ id, type: 'user', displayName: null, userPrincipalName: null, mail: null, addresses: [] }));
const ids = fc.uniqueArray(fc.uuid(), { minLength: 1, maxLength: 40 });

describe('the owners of a group that exists', () => {
  test('are a difference, unless they are just those of an interrupted creation', () => {
    fc.assert(
      fc.property(ids, ids, fc.nat(), fc.boolean(), (wanted, others, cut, hasOthers) => {
        const kept = wanted.slice(0, cut % (wanted.length + 1));
        const actual = [...kept, ...(hasOthers ? others : [])].reverse().map((id) => id.toUpperCase());
        const strangers = hasOthers && others.some((id) => !wanted.includes(id));
        const isInterrupted = !strangers && kept.length >= Math.min(maxLinksAtCreation, wanted.length);
        const { differences, missing } = compareInGraph(request, made, ownersNamed(actual), ownersNamed(wanted));
        fc.pre(!hasOthers || strangers);
        expect(differences.map(({ field }) => field)).toEqual(isInterrupted ? [] : ['owners']);
        const left = wanted.slice(kept.length);
        expect(missing?.owners.map(({ id }) => id) ?? []).toEqual(left);
        expect(missing === null).toBe(left.length === 0);
      }),
    );
  });
});

describe('a description', () => {
  test.each([
    [null, null, [], null],
    [null, 'x', [], null],
    ['x', 'x', [], null],
    ['x', null, [], 'x'],
    ['x', 'y', ['description'], null],
  ])('asked for as %j and found as %j', (wanted, found, fields, missing) => {
    const owners = ownersNamed(['a']);
    const actual = { ...made, description: found };
    const comparison = compareInGraph({ ...request, description: wanted }, actual, owners, owners);
    expect(comparison.differences.map(({ field }) => field)).toEqual(fields);
    expect(comparison.missing?.description ?? null).toBe(missing);
  });
});

describe('groups of one nickname', () => {
  const group = fc
    .record({
      id: fc.uuid(),
      isUnified: fc.boolean(),
      displayName: fc.constantFrom('Harbour Crew', 'HARBOUR CREW', 'Old Crew'),
    })
    .map((more) => ({ ...made, ...more }));

  test('are one group, or none, or nobody can tell', () => {
    fc.assert(
      fc.property(fc.array(group, { maxLength: 4 }), (namesakes) => {
        const alike = namesakes.filter((each) => !each.isUnified && /^harbour crew$/i.test(each.displayName));
        const judged = judgeNamesakes(request, namesakes);
        if (namesakes.length === 0) expect(judged).toEqual({ type: 'free' });
        else if (alike.length === 1) expect(judged).toEqual({ type: 'group', group: alike[0] });
        else if (namesakes.length === 1) expect(judged).toEqual({ type: 'group', group: namesakes[0] });
        else expect(judged.type).toBe('ambiguous');
      }),
    );
  });
});

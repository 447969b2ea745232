import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { type GraphGroup, readGraphGroup } from '../../shared/graph/groups.ts';
import type { GraphGroupLists } from '../../shared/graph/groupLists.ts';
import { createGroupLister } from '../../shared/groups/listGroups.ts';
import { testCall } from '../support/rooms.ts';

/** A directory that lists in the order of ids, so that what is created meanwhile lands anywhere, also before what was listed. */
function directoryOf(groups: Set<string>): GraphGroupLists {
  const groupOf = (id: string): GraphGroup => readGraphGroup({ id, displayName: 'Crew', securityEnabled: true });
  return {
    page: ({ size, from }) => {
      const [, after = ''] = (from ?? '').split('$skiptoken=');
      const rest = [...groups].sort().filter((id) => id > after);
      const page = rest.slice(0, size);
      const nextPath = rest.length > size ? `/groups?$skiptoken=${page.at(-1) ?? ''}` : null;
      return Promise.resolve({ groups: page.map(groupOf), nextPath });
    },
  };
}

const filter = { kind: null, linkable: null, text: 'crew' };

async function listAll(groups: Set<string>, limit: number, between: () => void): Promise<string[]> {
  const lister = createGroupLister({
    graphGroupLists: directoryOf(groups),
    groupLookups: { byIds: () => Promise.resolve([]) },
    dynamicGroups: { find: () => Promise.resolve([]), all: () => Promise.resolve([]) },
    protection: { protectedGroups: [], managedGroups: null },
  });
  const call = testCall();
  const ids: string[] = [];
  let cursor: string | null = null;
  do {
    const page = await lister.list(filter, { limit, cursor }, call);
    ids.push(...page.groups.map(({ id }) => String(id)));
    cursor = page.nextCursor;
    between();
  } while (cursor !== null);
  call.end();
  return ids;
}

describe('a listing of a directory that changes in any place', () => {
  test('has each group that stays exactly once, wherever others are created or deleted', async () => {
    const ids = fc.uniqueArray(fc.uuid(), { minLength: 150, maxLength: 260 });
    await fc.assert(
      fc.asyncProperty(ids, fc.integer({ min: 7, max: 60 }), fc.nat({ max: 12 }), async (all, limit, churn) => {
        const present = all.slice(0, -60);
        const latecomers = all.slice(-60);
        const groups = new Set(present);
        const listed = await listAll(groups, limit, () => {
          for (const id of latecomers.splice(0, churn)) groups.add(id);
          for (const id of [...groups].slice(0, churn % 3)) groups.delete(id);
        });
        expect(new Set(listed).size).toBe(listed.length);
        const seen = new Set(listed);
        expect(present.filter((id) => groups.has(id) && !seen.has(id))).toEqual([]);
      }),
      { numRuns: 60, endOnFailure: true },
    );
  });
});

import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { MemberList } from '../../simulator/tenant/memberList.ts';

const ids = (count: number, prefix = 'id'): string[] =>
  Array.from({ length: count }, (_, index) => `${prefix}${String(index)}`);

type Step = { add: string[] } | { remove: string } | { replace: string[] };
const name = fc.integer({ min: 0, max: 40 }).map(String);
const step: fc.Arbitrary<Step> = fc.oneof(
  fc.record({ add: fc.array(name, { maxLength: 5 }) }),
  fc.record({ remove: name }),
  fc.record({ replace: fc.array(name, { maxLength: 30 }) }),
);

function applied(list: MemberList, change: Step): MemberList {
  if ('add' in change) return list.with(change.add);
  return 'remove' in change ? list.without(change.remove) : list.replacedBy(change.replace);
}

function modelled(present: readonly string[], change: Step): string[] {
  if ('add' in change) return [...new Set([...present, ...change.add])];
  if ('remove' in change) return present.filter((id) => id !== change.remove);
  return [...new Set([...present.filter((id) => change.replace.includes(id)), ...change.replace])];
}

test('it is an ordered set whose former states stay what they were', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
      const history: [MemberList, string[]][] = [[MemberList.empty, []]];
      let [list, model]: [MemberList, string[]] = [MemberList.empty, []];
      for (const change of steps) {
        [list, model] = [applied(list, change), modelled(model, change)];
        history.push([list, model]);
      }
      for (const [former, wanted] of history) {
        expect(former.toJSON()).toEqual(wanted);
        expect(former).toHaveLength(wanted.length);
        for (const id of ids(41, '')) expect(former.includes(id)).toBe(wanted.includes(id));
      }
    }),
  );
});

test('thousands, across the pieces it is kept in', () => {
  let list = MemberList.of(ids(3000));
  for (const id of ids(2900)) list = list.without(id);
  for (const id of ids(700, 'late')) list = list.with([id]);
  expect([...list]).toEqual([...ids(3000).slice(2900), ...ids(700, 'late')]);
  expect(list.includes('id2950')).toBe(true);
  expect(list.includes('id5')).toBe(false);
});

test('reading on from a position neither skips nor repeats, whatever came and went', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 30 }), fc.integer({ min: 1, max: 7 }), (steps, size) => {
      let list = MemberList.of(ids(41, ''));
      const staying = new Set(list);
      const seen: string[] = [];
      let position = -1;
      for (let page = 0; ; page++) {
        const entries = [...list.after(position)].slice(0, size);
        if (entries.length === 0 && page >= steps.length) break;
        seen.push(...entries.map(({ id }) => id));
        position = entries.at(-1)?.position ?? position;
        const change = steps[page];
        if (change) list = applied(list, change);
        for (const id of staying) if (!list.includes(id)) staying.delete(id);
      }
      for (const id of staying) expect(seen.filter((each) => each === id)).toHaveLength(1);
    }),
  );
});

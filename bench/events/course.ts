/** One post: what happens to ten people of a group at once. */
export interface Step {
  /** Numbers of what there is, from 0. */
  readonly group: number;
  readonly people: readonly number[];
  readonly change: 'add' | 'remove';
}

export const groupCount = 40;
/** In Okta's group and in the list from the start; the others come. */
export const residents = 1;
export const perPost = 10;
export const postsPerSecond = 20;
/** Whoever comes, goes and comes again does so within this. */
export const windowSeconds = 3;
const tensPerGroup = 10;
/** They come, they go, they come again. */
const phases = ['add', 'remove', 'add'] as const;

export const peopleCount = residents + perPost * tensPerGroup;
/** Of people into groups: all else comes to nothing. */
export const netChanges = groupCount * perPost * tensPerGroup;

/** Windows after each other; within one, each ten of a group has its three steps in their order, among those of others. */
export function planSteps(random: () => number): Step[] {
  const tens = shuffled(
    Array.from({ length: groupCount * tensPerGroup }, (_, index) => ({
      group: index % groupCount,
      first: residents + perPost * Math.floor(index / groupCount),
    })),
    random,
  );
  const perWindow = (postsPerSecond * windowSeconds) / phases.length;
  const steps: Step[] = [];
  for (let start = 0; start < tens.length; start += perWindow) {
    const window = tens.slice(start, start + perWindow);
    const left = new Map(window.map((ten) => [ten, [...phases]]));
    for (const ten of shuffled([...window, ...window, ...window], random)) {
      const change = left.get(ten)?.shift() ?? 'add';
      steps.push({
        group: ten.group,
        people: Array.from({ length: perPost }, (_, place) => ten.first + place),
        change,
      });
    }
  }
  return steps;
}

function shuffled<Item>(items: readonly Item[], random: () => number): Item[] {
  return items
    .map((item) => ({ item, place: random() }))
    .sort((a, b) => a.place - b.place)
    .map(({ item }) => item);
}

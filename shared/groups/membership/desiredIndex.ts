/** Names that are looked for, by whatever of its names an object is known. */
export interface DesiredIndex {
  /** Marks every entry that is one of these names; whether there was any. */
  match(names: readonly (string | null)[]): boolean;
  /** Entries that nothing has matched yet, as they were first written and in the order given. */
  unmatched(): string[];
}

/** Pure but for its marks. Holds each entry once, so that a list of 100,000 costs little more than itself. */
export function createDesiredIndex(entries: readonly string[]): DesiredIndex {
  const positions = new Map<string, number>();
  for (const [position, entry] of entries.entries()) {
    const key = entry.toLowerCase();
    if (!positions.has(key)) positions.set(key, position);
  }
  const isMatched = new Uint8Array(entries.length);
  return {
    match: (names) => {
      let hasMatched = false;
      for (const name of names) {
        const position = name === null ? undefined : positions.get(name.toLowerCase());
        if (position === undefined) continue;
        isMatched[position] = 1;
        hasMatched = true;
      }
      return hasMatched;
    },
    unmatched: () =>
      [...positions.values()].flatMap((position) => (isMatched[position] === 1 ? [] : (entries[position] ?? []))),
  };
}

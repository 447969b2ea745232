/** A property of a table's row holds 32 Ki UTF-16 units; a character may take two. */
const partLength = 16_000;

/** A value as JSON in the properties `json0`, `json1`, … of a row: a table knows no nested values. */
export interface JsonParts {
  readonly parts: number;
  readonly [part: `json${number}`]: string;
}

export function toJsonParts(value: unknown): JsonParts {
  const parts = [...JSON.stringify(value).matchAll(new RegExp(`.{1,${partLength}}`, 'gsu'))];
  return { parts: parts.length, ...Object.fromEntries(parts.map(([part], index) => [`json${index}`, part])) };
}

export function fromJsonParts(row: JsonParts): unknown {
  return JSON.parse(Array.from({ length: row.parts }, (_, index) => row[`json${index}`]).join(''));
}

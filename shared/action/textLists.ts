import type { TObject } from '@sinclair/typebox';

/** Marks a list that may also come as one text, separated by commas or lines (design §5). */
export const textListKeyword = 'x-text-list';

/** The entries of a list that came as text; other values are left to the schema. Pure. */
export function splitTextLists(schema: TObject, value: unknown): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, entry]: [string, unknown]) => [
      name,
      isTextList(schema, name) && typeof entry === 'string' ? splitText(entry) : entry,
    ]),
  );
}

function isTextList(schema: TObject, name: string): boolean {
  const property = Object.hasOwn(schema.properties, name) ? schema.properties[name] : undefined;
  return typeof property === 'object' && textListKeyword in property;
}

function splitText(text: string): string[] {
  return text
    .split(/[,;\r\n]/)
    .map((entry) => entry.trim())
    .filter((entry) => entry !== '');
}

import type { TObject, TSchema } from '@sinclair/typebox';

/** Marks a list that may also come as one text, separated by commas or lines (design §5). */
export const textListKeyword = 'x-text-list';

/** The entries of a list that came as text, also within an object; other values are left to the schema. Pure. */
export function splitTextLists(schema: TObject, value: unknown): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, entry]: [string, unknown]) => {
      const property = Object.hasOwn(schema.properties, name) ? schema.properties[name] : undefined;
      if (property === undefined) return [name, entry];
      if (isObjectSchema(property)) return [name, splitTextLists(property, entry)];
      return [name, textListKeyword in property && typeof entry === 'string' ? splitText(entry) : entry];
    }),
  );
}

/** Whether a property is an object of properties of its own. */
export function isObjectSchema(schema: TSchema): schema is TObject {
  return schema.type === 'object' && 'properties' in schema;
}

function splitText(text: string): string[] {
  return text
    .split(/[,;\r\n]/)
    .map((entry) => entry.trim())
    .filter((entry) => entry !== '');
}

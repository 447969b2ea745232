import type { ErrorObject, ValidateFunction } from 'ajv';
import type { TObject, TSchema } from '@sinclair/typebox';
import type { FieldFault } from '../errors.ts';
import { isObjectSchema } from './textLists.ts';

/** Checks a value against a schema; all faults at once. May convert query texts to numbers and flags in place. */
export type Validator = (value: unknown) => readonly FieldFault[];

/**
 * A validator whose schema is compiled with its first use. Every fault names the field by JSON pointer, the rule, and
 * the fix, for which the schema's `description` gives the words.
 * @param prefix stands before each pointer: '' for a body, `/query` or `/params`
 */
export function createValidator(schema: TObject, prefix: '' | '/query' | '/params'): () => Promise<Validator> {
  let compiled: Promise<ValidateFunction> | null = null;
  return async () => {
    // ajv is loaded with the first request: a cold start should not pay for it.
    compiled ??= import('./compile.ts').then(({ compileSchema }) => compileSchema(schema, prefix !== ''));
    const validate = await compiled;
    return (value) => {
      if (validate(prefix === '' ? cutToSize(schema, value) : value)) return [];
      const errors = validate.errors ?? [];
      // A value of the wrong type is none of the allowed ones either: one fault, not two.
      const told = new Set(errors.filter(({ keyword }) => keyword === 'enum').map(({ instancePath }) => instancePath));
      const faults = errors.filter(({ keyword, instancePath }) => keyword !== 'type' || !told.has(instancePath));
      return faults.slice(0, maxFaults).map((error) => describe(error, prefix));
    };
  };
}

/** More faults than anybody mends one by one. */
const maxFaults = 100;

/**
 * A body whose faults can be counted: lists cut to one item more than allowed, and unknown fields to a handful. What is
 * cut was not valid anyway, and all faults of a megabyte of it would keep the process busy for minutes.
 */
function cutToSize(schema: TObject, value: unknown): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
  const isKnown = (name: string) => Object.hasOwn(schema.properties, name);
  const names = Object.keys(value);
  const kept = [...names.filter(isKnown), ...names.filter((name) => !isKnown(name)).slice(0, maxFaults)];
  const entries = kept.map((name) => [name, cutProperty(schema.properties[name], Reflect.get(value, name))]);
  return Object.fromEntries(entries);
}

function cutProperty(schema: TSchema | undefined, value: unknown): unknown {
  if (schema !== undefined && isObjectSchema(schema)) return cutToSize(schema, value);
  const maxItems: unknown = schema?.maxItems;
  return Array.isArray(value) && typeof maxItems === 'number' ? value.slice(0, maxItems + 1) : value;
}

/** What a schema says for people; TypeBox's objects always have properties. */
interface Described {
  readonly description?: string;
  readonly properties?: Readonly<Record<string, Described | undefined>>;
}

function describe(error: ErrorObject, prefix: string): FieldFault {
  // There with every error, as the compiler is asked to be verbose.
  const { description, properties = {} } = error.parentSchema as Described;
  const pointer = `${prefix}${error.instancePath}`;
  const at = (name: string) => `${pointer}/${name.replaceAll('~', '~0').replaceAll('/', '~1')}`;
  const params = error.params as Readonly<Record<string, unknown>>;
  switch (error.keyword) {
    case 'required': {
      const name = String(params.missingProperty);
      const wanted = properties[name]?.description;
      return { pointer: at(name), message: 'is required', fix: `Add ${name}${wanted ? `: ${wanted}` : ''}.` };
    }
    case 'additionalProperties': {
      const name = String(params.additionalProperty);
      const known = Object.keys(properties);
      const fix = `Remove it${known.length === 0 ? '' : `, or use one of: ${known.join(', ')}`}.`;
      return { pointer: at(name), message: 'is not a known field', fix };
    }
    case 'enum': {
      const allowed = (params.allowedValues as readonly unknown[]).map(String).join(', ');
      return { pointer, message: `must be one of ${allowed}`, fix: `Use one of: ${allowed}.` };
    }
    default: {
      // A pattern says nothing to a person; its description does. Types come as "integer,null".
      const said = error.keyword === 'type' ? String(error.message).replaceAll(',', ' or ') : String(error.message);
      const message = error.keyword === 'pattern' && description ? `must be ${description}` : said;
      return { pointer, message, fix: description ? `Give ${description}.` : 'Mend the value.' };
    }
  }
}

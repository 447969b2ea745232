import type { ErrorObject, ValidateFunction } from 'ajv';
import type { TObject } from '@sinclair/typebox';
import type { FieldFault } from '../errors.ts';

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
      if (validate(value)) return [];
      const errors = validate.errors ?? [];
      // A value of the wrong type is none of the allowed ones either: one fault, not two.
      const isToldByEnum = ({ keyword, instancePath }: ErrorObject) =>
        keyword === 'type' && errors.some((other) => other.keyword === 'enum' && other.instancePath === instancePath);
      return errors.filter((error) => !isToldByEnum(error)).map((error) => describe(error, prefix));
    };
  };
}

function describe(error: ErrorObject, prefix: string): FieldFault {
  const { parentSchema } = error;
  const wanted = typeof parentSchema?.description === 'string' ? parentSchema.description : null;
  const at = (name: string) => `${prefix}${error.instancePath}/${name.replaceAll('~', '~0').replaceAll('/', '~1')}`;
  const params = error.params as Readonly<Record<string, unknown>>;
  switch (error.keyword) {
    case 'required': {
      const name = String(params.missingProperty);
      return { pointer: at(name), message: 'is required', fix: `Add ${name}${explain(parentSchema, name)}.` };
    }
    case 'additionalProperties': {
      const name = String(params.additionalProperty);
      const known = Object.keys((parentSchema?.properties ?? {}) as Record<string, unknown>);
      const fix = `Remove it${known.length === 0 ? '' : `, or use one of: ${known.join(', ')}`}.`;
      return { pointer: at(name), message: 'is not a known field', fix };
    }
    case 'enum': {
      const allowed = (params.allowedValues as readonly unknown[]).map(String).join(', ');
      return {
        pointer: `${prefix}${error.instancePath}`,
        message: `must be one of ${allowed}`,
        fix: `Use one of: ${allowed}.`,
      };
    }
    case 'pattern':
      return {
        pointer: `${prefix}${error.instancePath}`,
        message: wanted === null ? (error.message ?? 'has the wrong form') : `must be ${wanted}`,
        fix: wanted === null ? 'Mend the value.' : `Give ${wanted}.`,
      };
    default:
      return {
        pointer: `${prefix}${error.instancePath}`,
        message: error.message ?? 'is not valid',
        fix: wanted === null ? 'Mend the value.' : `Give ${wanted}.`,
      };
  }
}

/** `: <description of the property>`, where the schema has one. */
function explain(parentSchema: ErrorObject['parentSchema'], name: string): string {
  const properties = (parentSchema?.properties ?? {}) as Readonly<
    Record<string, { description?: unknown } | undefined>
  >;
  const description = properties[name]?.description;
  return typeof description === 'string' ? `: ${description}` : '';
}

import { createHash } from 'node:crypto';
import type { TObject } from '@sinclair/typebox';
import type { ValidateFunction } from 'ajv';

/** What the build compiled for one way of reading values, by `validatorName`. */
export type Validators = Readonly<Record<string, ValidateFunction | undefined>>;

/** Names a schema's validator by what the schema says: equal schemas share one, and none can be taken for another. */
export function validatorName(schema: TObject): string {
  return `validate_${createHash('sha256').update(JSON.stringify(schema)).digest('hex').slice(0, 32)}`;
}

/** Fits `compileSchema` of compile.ts. */
export function findValidator(validators: Validators, schema: TObject): ValidateFunction {
  const validator = validators[validatorName(schema)];
  if (validator === undefined) throw new Error('The build has compiled no validator for this schema.');
  return validator;
}

// A module of its own behind a dynamic import: the build puts in its place what it has compiled (build.ts), so that
// production carries no compiler. This one serves whatever runs from the sources.
import type { TObject } from '@sinclair/typebox';
import { Ajv, type Options, type ValidateFunction } from 'ajv';
import { textListKeyword } from './textLists.ts';

/** @param coerceTypes for texts from a URL, which are turned into numbers and flags in place */
export function compileSchema(schema: TObject, coerceTypes: boolean): ValidateFunction {
  return createCompiler(coerceTypes).compile(schema);
}

export function createCompiler(coerceTypes: boolean, options: Options = {}): Ajv {
  const ajv = new Ajv({ allErrors: true, verbose: true, coerceTypes, strict: true, allowUnionTypes: true, ...options });
  ajv.addKeyword(textListKeyword);
  return ajv;
}

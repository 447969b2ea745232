// A module of its own, so that ajv, a CommonJS package, is bundled behind one dynamic import with its names intact.
import type { TObject } from '@sinclair/typebox';
import { Ajv, type ValidateFunction } from 'ajv';
import { textListKeyword } from './textLists.ts';

/** @param coerceTypes for texts from a URL, which are turned into numbers and flags in place */
export function compileSchema(schema: TObject, coerceTypes: boolean): ValidateFunction {
  const ajv = new Ajv({ allErrors: true, verbose: true, coerceTypes, strict: true, allowUnionTypes: true });
  ajv.addKeyword(textListKeyword);
  return ajv.compile(schema);
}

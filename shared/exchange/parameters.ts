/** An edit of a multi-valued property; a plain array would replace the whole value (exchange.md §1.3). */
export interface ListEdit {
  readonly add?: readonly string[];
  readonly remove?: readonly string[];
}

/** null is PowerShell's `$null`: it clears a single-valued property, as an empty list clears a multi-valued one. */
export type ParameterValue = string | number | boolean | null | readonly string[] | ListEdit;

/** Cmdlet parameters by their PowerShell names; `undefined` ones are not sent. */
export type Parameters = Readonly<Record<string, ParameterValue | undefined>>;

/** The form `InvokeCommand` binds: hashtables need their type tag, without it the server fails (exchange.md §1.3). */
export function encodeParameters(parameters: Parameters): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(parameters)
      .filter((entry): entry is [string, ParameterValue] => entry[1] !== undefined)
      .map(([name, value]) => [name, isListEdit(value) ? encodeListEdit(value) : value]),
  );
}

function isListEdit(value: ParameterValue): value is ListEdit {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function encodeListEdit(edit: ListEdit): Record<string, unknown> {
  return {
    '@odata.type': '#Exchange.GenericHashTable',
    ...(edit.add === undefined ? {} : { Add: edit.add }),
    ...(edit.remove === undefined ? {} : { Remove: edit.remove }),
  };
}

/** A string literal in an OPATH filter: quotes are doubled (exchange.md §4, Get-DistributionGroup). */
export function opathLiteral(value: string): string {
  return `'${value.replaceAll("'", "''")}'`;
}

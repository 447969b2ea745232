import { isObject, isStringArray, type JsonObject } from '../http/json.ts';
import { malformed, notModelled, unknownParameter, wrongValue } from './errors.ts';

/** A change to a multi-valued property: exchange.md §1.3. */
export type ListEdit = { replace: string[] } | { add: string[]; remove: string[] };

type Kind = 'string' | 'identity' | 'boolean' | 'smtp' | 'list' | 'names' | 'resultSize' | readonly string[];

export interface ParameterTable {
  /** Cmdlet parameters as documented, by their documented spelling; an array is an enum's values. */
  readonly modelled: Readonly<Record<string, Kind>>;
  /** Real parameters that the simulator does not model: 501, not "unknown". */
  readonly notModelled?: readonly string[];
  readonly required?: readonly string[];
}

const GENERIC_HASH_TABLE = '#Exchange.GenericHashTable';
const smtpAddress = /^[^\s@<>"]+@[^\s@<>".]+(\.[^\s@<>".]+)+$/;

const cannotConvert = (name: string, value: unknown, type: string): never => {
  throw wrongValue(name, `Cannot convert value "${JSON.stringify(value)}" to type "${type}".`);
};

/** Enumerators are matched by prefix, without regard to case (exchange.md §1.3). */
function enumerator(name: string, value: unknown, names: readonly string[]): string {
  const matching = names.filter(
    (each) => typeof value === 'string' && each.toLowerCase().startsWith(value.toLowerCase()),
  );
  const exact = matching.find((each) => each.toLowerCase() === String(value).toLowerCase());
  const found = exact ?? (matching.length === 1 && value !== '' ? matching[0] : undefined);
  if (found === undefined)
    throw wrongValue(
      name,
      `Cannot convert value "${String(value)}" to type "${name}". Specify one of the following enumerator names and try again: ${names.join(', ')}`,
    );
  return found;
}

function listEdit(name: string, value: unknown): ListEdit {
  if (value === null) return { replace: [] };
  if (typeof value === 'string') return { replace: [value] };
  if (isStringArray(value)) return { replace: value };
  // Without its tag the server binds a JObject and fails (exchange.md §1.3).
  if (!isObject(value) || value['@odata.type'] !== GENERIC_HASH_TABLE)
    return cannotConvert(name, value, 'Microsoft.Exchange.Data.MultiValuedProperty');
  const part = (wanted: string): string[] => {
    const key = Object.keys(value).find((each) => each.toLowerCase() === wanted);
    const items = key === undefined ? [] : value[key];
    if (typeof items === 'string') return [items];
    return isStringArray(items) ? items : cannotConvert(name, value, 'Microsoft.Exchange.Data.MultiValuedProperty');
  };
  const unknown = Object.keys(value).filter((key) => !['@odata.type', 'add', 'remove'].includes(key.toLowerCase()));
  if (unknown.length > 0) return cannotConvert(name, value, 'Microsoft.Exchange.Data.MultiValuedProperty');
  return { add: part('add'), remove: part('remove') };
}

function resultSize(name: string, value: unknown): number {
  if (typeof value === 'string' && value.toLowerCase() === 'unlimited') return Infinity;
  const size = typeof value === 'string' && /^\d+$/.test(value) ? Number(value) : value;
  if (typeof size !== 'number' || !Number.isInteger(size) || size < 1)
    return cannotConvert(name, value, 'Microsoft.Exchange.Data.Unlimited`1[System.UInt32]');
  return size;
}

function convert(name: string, value: unknown, kind: Kind): unknown {
  if (typeof kind !== 'string') return enumerator(name, value, kind);
  switch (kind) {
    case 'boolean':
      return typeof value === 'boolean' ? value : cannotConvert(name, value, 'System.Boolean');
    case 'string':
      return typeof value === 'string' || value === null ? value : cannotConvert(name, value, 'System.String');
    case 'identity':
      return typeof value === 'string' || value === null
        ? value
        : cannotConvert(name, value, 'Microsoft.Exchange.Configuration.Tasks.RecipientIdParameter');
    case 'smtp':
      return typeof value === 'string' && smtpAddress.test(value)
        ? value
        : cannotConvert(name, value, 'Microsoft.Exchange.Data.SmtpAddress');
    case 'list':
      return listEdit(name, value);
    case 'names':
      return isStringArray(value)
        ? value
        : typeof value === 'string'
          ? [value]
          : cannotConvert(name, value, 'System.String[]');
    case 'resultSize':
      return resultSize(name, value);
  }
}

/** Parameters as a cmdlet sees them: bound, converted, under their documented names. */
export class Bound {
  readonly #values: ReadonlyMap<string, unknown>;

  constructor(values: ReadonlyMap<string, unknown>) {
    this.#values = values;
  }

  has(name: string): boolean {
    return this.#values.has(name);
  }

  /** undefined where it was not given, or given as null. */
  text(name: string): string | undefined {
    const value = this.#values.get(name);
    return typeof value === 'string' ? value : undefined;
  }

  flag(name: string): boolean | undefined {
    const value = this.#values.get(name);
    return typeof value === 'boolean' ? value : undefined;
  }

  number(name: string): number | undefined {
    const value = this.#values.get(name);
    return typeof value === 'number' ? value : undefined;
  }

  edit(name: string): ListEdit | undefined {
    return this.#values.get(name) as ListEdit | undefined;
  }

  names(name: string): string[] | undefined {
    return this.#values.get(name) as string[] | undefined;
  }
}

/** Names are bound without regard to case, as PowerShell does; what is not known is refused (E9). */
export function bind(given: JsonObject, table: ParameterTable, hidden: readonly string[]): Bound {
  const find = (names: readonly string[], name: string): string | undefined =>
    names.find((each) => each.toLowerCase() === name.toLowerCase());
  const known = Object.keys(table.modelled).filter((name) => !hidden.includes(name));
  // "<key>@odata.type" types a collection of hashtables (exchange.md §1.3).
  const names = Object.keys(given).filter((name) => !name.endsWith('@odata.type'));
  const unmodelled = names.filter((name) => find(table.notModelled ?? [], name) !== undefined);
  const unknown = names.filter((name) => find(known, name) === undefined && !unmodelled.includes(name));
  if (unknown.length > 0) throw unknownParameter(unknown);
  if (unmodelled.length > 0) throw notModelled(`the parameter ${unmodelled.join(', ')}`);
  const values = new Map<string, unknown>();
  for (const name of names) {
    const canonical = find(known, name) ?? name;
    const kind = table.modelled[canonical];
    if (values.has(canonical))
      throw malformed(`Cannot bind parameter because parameter '${canonical}' is specified more than once.`);
    if (kind !== undefined) values.set(canonical, convert(canonical, given[name], kind));
  }
  const missing = (table.required ?? []).filter((name) => !values.get(name));
  // facts.missingMandatoryParameter
  if (missing.length > 0)
    throw malformed(
      `Cannot process command because of one or more missing mandatory parameters: ${missing.join(' ')}.`,
    );
  return new Bound(values);
}

const same = (a: string, b: string): boolean => a.toLowerCase() === b.toLowerCase();

/** A plain array replaces, a hashtable adds and removes (exchange.md §1.3). */
export function edited(current: readonly string[], edit: ListEdit): string[] {
  if ('replace' in edit) return [...edit.replace];
  const kept = current.filter((item) => !edit.remove.some((removed) => same(removed, item)));
  return [...kept, ...edit.add.filter((item) => !kept.some((each) => same(each, item)))];
}

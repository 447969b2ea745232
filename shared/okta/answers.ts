export type OktaObject = Readonly<Record<string, unknown>>;

/** null where it is no JSON. */
export function readJson(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return null;
  }
}

export function isObject(value: unknown): value is OktaObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

export function textOf(object: OktaObject, name: string): string | null {
  const value = object[name];
  return typeof value === 'string' && value !== '' ? value : null;
}

export function objectOf(object: OktaObject, name: string): OktaObject {
  const value = object[name];
  return isObject(value) ? value : {};
}

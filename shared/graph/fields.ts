import type { GraphObject } from './client.ts';

export function textField(object: GraphObject, name: string): string | null {
  const value = object[name];
  return typeof value === 'string' && value !== '' ? value : null;
}

/** A flag; Graph sends null for "never", which is no. */
export function flagField(object: GraphObject, name: string): boolean {
  return object[name] === true;
}

export function listField(object: GraphObject, name: string): string[] {
  const value = object[name];
  return Array.isArray(value) ? value.filter((each): each is string => typeof each === 'string') : [];
}

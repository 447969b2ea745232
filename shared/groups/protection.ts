/**
 * Whether one of an object's names (ids, addresses, names) is on a list of PROTECTED_USERS, PROTECTED_GROUPS or
 * MANAGED_GROUPS. Case does not count; `*` stands for any run of characters, so that `okta-*` is a whole family.
 */
export function isListed(list: readonly string[], names: readonly (string | null)[]): boolean {
  const present = names.filter((name): name is string => name !== null && name !== '');
  return list.some((entry) => present.some((name) => matches(entry, name)));
}

function matches(entry: string, name: string): boolean {
  const pattern = entry
    .split('*')
    .map((part) => part.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'))
    .join('.*');
  return new RegExp(`^${pattern}$`, 'isu').test(name);
}

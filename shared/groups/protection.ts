/**
 * Whether one of an object's names (ids, addresses, names) is on a list of PROTECTED_USERS, PROTECTED_GROUPS or
 * MANAGED_GROUPS. Case does not count; `*` stands for any run of characters, so that `okta-*` is a whole family.
 */
export function isListed(list: readonly string[], names: readonly (string | null)[]): boolean {
  const present = names.filter((name): name is string => name !== null && name !== '');
  return list.some((entry) => present.some((name) => matches(entry, name)));
}

/** Piece by piece from left to right: a pattern with many stars must not take a regular expression's time. */
function matches(entry: string, name: string): boolean {
  const [first = '', ...rest] = entry.toLowerCase().split('*');
  const text = name.toLowerCase();
  const last = rest.pop();
  if (last === undefined) return text === first;
  if (!text.startsWith(first)) return false;
  let at = first.length;
  for (const piece of rest) {
    const found = text.indexOf(piece, at);
    if (found === -1) return false;
    at = found + piece.length;
  }
  return text.length - last.length >= at && text.endsWith(last);
}

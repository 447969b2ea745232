import type { DirectoryObject } from './model.ts';

/** An address without its type: what stands after SMTP: or X500: */
export const untyped = (address: string): string => address.replace(/^(smtp|x500):/i, '');

/** Everything but ids that an object may be looked up by, in lower case. */
export function namesOf(object: DirectoryObject): string[] {
  const names: (string | null)[] = [object.displayName];
  if (object.type === 'user') names.push(object.userPrincipalName);
  if (object.type === 'servicePrincipal') names.push(object.appId);
  if (object.type === 'group') names.push(object.exchange?.Name ?? null, object.exchange?.LegacyExchangeDN ?? null);
  if ('proxyAddresses' in object) names.push(object.mail, object.mailNickname, ...object.proxyAddresses.map(untyped));
  return names.filter((name) => name !== null).map((name) => name.toLowerCase());
}

import { directoryRoles, exchangeManageAsApp } from '../tenant/roles.ts';
import type { AccessToken } from '../tokens/issuer.ts';

/** What RBAC leaves a principal, from the directory roles in its token (exchange.md §3). */
export type Access = 'all' | 'recipients' | 'readOnly';

/** unauthenticated is 401, none is 403: exchange.md §1.7. */
export function accessOf(token: AccessToken | string): Access | 'unauthenticated' | 'none' {
  if (typeof token === 'string') return 'unauthenticated';
  if (token.objectId === null || !token.roles.includes(exchangeManageAsApp.value)) return 'unauthenticated';
  const holds = (role: string): boolean => token.directoryRoles.includes(role);
  if (holds(directoryRoles.exchangeAdministrator) || holds(directoryRoles.globalAdministrator)) return 'all';
  // facts.recipientAdministratorHasNoBypass
  if (holds(directoryRoles.exchangeRecipientAdministrator)) return 'recipients';
  // facts.globalReaderReadsOnly
  return holds(directoryRoles.globalReader) ? 'readOnly' : 'none';
}

export const mayRun = (access: Access, cmdlet: string): boolean => access !== 'readOnly' || /^get-/i.test(cmdlet);

/** Parameters that are not in the principal's role do not exist for it (exchange.md §1.7). */
export const hiddenParameters = (access: Access): string[] =>
  access === 'recipients' ? ['BypassSecurityGroupManagerCheck'] : [];

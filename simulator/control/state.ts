import { without } from '../http/json.ts';
import type { World } from '../world.ts';
import { contactsOf, groupsOf, servicePrincipalsOf, usersOf } from '../tenant/tenant.ts';

/** The whole tenant, without secrets. Groups are Exchange's view where Exchange has them: that is where they are written. */
export function stateOf({ tenant, clock }: World) {
  const [entra, exchange] = [tenant.view('entra'), tenant.view('exchange')];
  const inExchange = groupsOf(exchange);
  const onlyInEntra = groupsOf(entra).filter(({ id }) => exchange.get(id) === undefined);
  const plain = <T extends { type: string }>(object: T) => without(object, 'type');
  return {
    tenantId: tenant.id,
    displayName: tenant.displayName,
    now: new Date(clock.now()).toISOString(),
    domains: tenant.domains,
    administrativeUnits: tenant.administrativeUnits,
    customRoles: tenant.customRoles,
    syncState: tenant.syncState,
    onPremisesSynchronization: tenant.onPremisesSynchronization,
    settings: tenant.settings,
    users: usersOf(entra).map(plain),
    contacts: contactsOf(entra).map(plain),
    groups: [...inExchange, ...onlyInEntra].map(plain),
    deletedGroups: tenant.deletedItems.groups(clock.now()).map(plain),
    deletedUsers: tenant.deletedItems.users(clock.now()).map(plain),
    servicePrincipals: servicePrincipalsOf(entra).map((principal) => without(principal, 'type', 'clientSecrets')),
  };
}

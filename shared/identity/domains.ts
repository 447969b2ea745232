import { domainOf, type IdentityUser, type TenantDomain } from './facts.ts';

/** Pure. The domain of a user principal name, or the one it inherits from (graph.md §5); null: none of the tenant's. */
export function tenantDomainOf(userPrincipalName: string, domains: readonly TenantDomain[]): TenantDomain | null {
  const name = domainOf(userPrincipalName);
  const parents = domains.filter((domain) => name === lower(domain) || name.endsWith(`.${lower(domain)}`));
  return parents.sort((a, b) => b.name.length - a.name.length)[0] ?? null;
}

/** Pure. Verified managed domains, the initial one first, which can never be federated (graph.md §2.3). */
export function managedDomains(domains: readonly TenantDomain[]): TenantDomain[] {
  return domains
    .filter(({ isFederated, isVerified }) => isVerified && !isFederated)
    .sort((a, b) => Number(b.isInitial) - Number(a.isInitial) || a.name.localeCompare(b.name));
}

/** What a user principal name may be made of (graph.md §2.3). */
const upnLocalPart = /^[A-Za-z0-9'._!#^~-]{1,64}$/;

/**
 * Pure. Where a user principal name can be moved while its own domain is federated: to an address on a managed domain
 * that the user holds already, so that none is left over; else to one made from the object id, the same every time.
 * null: there is no managed domain.
 */
export function temporaryUpnOf(
  user: Pick<IdentityUser, 'id' | 'proxyAddresses'>,
  domains: readonly TenantDomain[],
): string | null {
  const managed = managedDomains(domains);
  const held = user.proxyAddresses
    .filter((address) => /^smtp:/i.test(address))
    .map((address) => address.slice('smtp:'.length).toLowerCase())
    .sort();
  for (const domain of managed) {
    const own = held.find(
      (address) => domainOf(address) === lower(domain) && upnLocalPart.test(address.slice(0, address.lastIndexOf('@'))),
    );
    if (own !== undefined) return own;
  }
  const [first] = managed;
  return first === undefined ? null : `repair-${user.id.replaceAll('-', '').toLowerCase()}@${lower(first)}`;
}

function lower({ name }: TenantDomain): string {
  return name.toLowerCase();
}

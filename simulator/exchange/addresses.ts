import type { DirectoryObject, Group } from '../tenant/model.ts';
import { untyped } from '../tenant/names.ts';
import type { CmdletContext } from './cmdlet.ts';
import { cmdletError, notModelled, types } from './errors.ts';
import { edited, type Bound } from './parameters.ts';

const same = (a: string, b: string | undefined): boolean => a.toLowerCase() === b?.toLowerCase();

function refuseForeignDomain({ tenant }: CmdletContext, address: string): void {
  const domain = address.replace(/.*@/, '').toLowerCase();
  // facts.notAcceptedDomain
  if (!tenant.domains.some(({ id, isVerified }) => isVerified && id === domain))
    throw cmdletError(
      'Microsoft.Exchange.Management.Tasks.NotAcceptedDomainException',
      `You can't use the domain because it's not an accepted domain for your organization. ("${address}")`,
    );
}

const holds = (object: DirectoryObject, address: string): boolean => {
  if (!('proxyAddresses' in object)) return false;
  if (object.proxyAddresses.some((each) => same(each, address))) return true;
  const legacyExchangeDN = object.type === 'group' ? object.exchange?.LegacyExchangeDN : undefined;
  return /^x500:/i.test(address) && same(untyped(address), legacyExchangeDN);
};

/** Of a domain of ours, and of no other recipient's addresses or LegacyExchangeDN (E14). */
export function checkAddresses(context: CmdletContext, addresses: readonly string[], self?: string): void {
  const { tenant, view, world } = context;
  for (const address of addresses) {
    if (!/^(smtp|x500):/i.test(address)) throw notModelled(`the address ${address}`);
    if (/^smtp:/i.test(address)) refuseForeignDomain(context, address);
  }
  const taken = (address: string): boolean =>
    tenant.quarantine.holds(untyped(address), world.clock.now()) ||
    view.named(untyped(address)).some((other) => other.id !== self && holds(other, address));
  const used = addresses.find(taken);
  if (used !== undefined)
    throw cmdletError(
      types.addressInUse,
      `The proxy address "${used}" is already being used by the proxy addresses or LegacyExchangeDN. Please choose another proxy address.`,
    );
}

/** proxyAddresses with this one as the primary; the former primary stays as a secondary. */
const withPrimary = (addresses: readonly string[], primary: string): string[] => [
  `SMTP:${primary}`,
  ...addresses
    .filter((address) => address.replace(/^smtp:/i, '').toLowerCase() !== primary.toLowerCase())
    .map((address) => address.replace(/^SMTP:/, 'smtp:')),
];

/** EmailAddresses as a caller may write them: without a type they are SMTP, and without a primary the first is it. */
function normal(addresses: readonly string[]): string[] {
  const typed = addresses.map((address) => (address.includes(':') ? address : `smtp:${address}`));
  if (typed.some((address) => address.startsWith('SMTP:'))) return typed;
  const first = typed.findIndex((address) => /^smtp:/i.test(address));
  return typed.map((address, index) => (index === first ? address.replace(/^smtp:/i, 'SMTP:') : address));
}

/** The addresses that Set-DistributionGroup leaves a group with. */
export function addressesAfter(parameters: Bound, group: Group): readonly string[] {
  const edit = parameters.edit('EmailAddresses');
  const primary = parameters.text('PrimarySmtpAddress');
  // exchange.md §4 Set-DistributionGroup; the text is facts.exclusiveAddresses
  if (edit && primary !== undefined)
    throw cmdletError(
      types.recipientTask,
      "The EmailAddresses and PrimarySmtpAddress parameters can't be used at the same time.",
    );
  if (primary !== undefined) return withPrimary(group.proxyAddresses, primary);
  return edit ? normal(edited(group.proxyAddresses, edit)) : group.proxyAddresses;
}

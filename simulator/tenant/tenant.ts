import type { Clock } from '../clock.ts';
import { DeletedItems } from './deletedItems.ts';
import { Directory, type Change, type Side } from './directory.ts';
import {
  recipientListNames,
  type AdministrativeUnit,
  type Contact,
  type Domain,
  type ExchangeGroup,
  type Group,
  type OnPremisesSynchronization,
  type ServicePrincipal,
  type Settings,
  type SyncState,
  type TenantContents,
  type User,
} from './model.ts';
import { Quarantine } from './quarantine.ts';
import type { RoleDefinition } from './roles.ts';
import type { View } from './store.ts';

export class Tenant {
  readonly id: string;
  readonly displayName: string;
  readonly domains: Domain[];
  readonly administrativeUnits: AdministrativeUnit[];
  readonly customRoles: RoleDefinition[];
  readonly syncState: SyncState;
  readonly onPremisesSynchronization: OnPremisesSynchronization;
  readonly settings: Settings;
  readonly directory: Directory;
  readonly deletedItems = new DeletedItems();
  readonly quarantine = new Quarantine();
  readonly #clock: Clock;

  constructor(contents: TenantContents, clock: Clock) {
    this.id = contents.tenantId;
    this.displayName = contents.displayName;
    this.domains = contents.domains;
    this.administrativeUnits = contents.administrativeUnits;
    this.customRoles = contents.customRoles;
    this.syncState = contents.syncState;
    this.onPremisesSynchronization = contents.onPremisesSynchronization;
    this.settings = contents.settings;
    this.directory = new Directory(contents.objects);
    this.#clock = clock;
  }

  get initialDomain(): string {
    return this.domains.find((domain) => domain.isInitial)?.id ?? '';
  }

  /** Whether the domain of this user principal name is a federated one. */
  isFederated(upn: string): boolean {
    const domain = upn.slice(upn.lastIndexOf('@') + 1).toLowerCase();
    return this.domains.find(({ id }) => id === domain)?.authenticationType === 'Federated';
  }

  view(side: Side, stale = false): View {
    this.directory.settle(this.#clock.now());
    return this.directory.view(side, stale);
  }

  /** What a read of Graph sees: behind by `replicationLagMs.entraReads`. */
  entraAsRead(stale: boolean): View {
    const present = this.view('entra', stale);
    return stale
      ? present
      : this.directory.asOf('entra', this.#clock.now() - this.settings.replicationLagMs.entraReads);
  }

  /** What the checks of a write in Graph see: behind by `replicationLagMs.entraChecks`. */
  entraAsChecked(): View {
    return this.directory.asOf('entra', this.#clock.now() - this.settings.replicationLagMs.entraChecks);
  }

  commit(side: Side, changes: readonly Change[]): void {
    const { entraToExchange, exchangeToEntra, entraReads, entraChecks } = this.settings.replicationLagMs;
    const isEntra = side === 'entra';
    this.directory.commit(
      side,
      changes,
      this.#clock.now(),
      isEntra ? entraToExchange : exchangeToEntra,
      isEntra ? Math.max(entraReads, entraChecks) : 0,
    );
  }

  /** To the deleted items, and out of every group. */
  deleteUser(user: User): void {
    this.deletedItems.add(user, this.#clock.now());
    this.commit('entra', removal(this.view('entra'), user.id));
  }

  servicePrincipal(appId: string): ServicePrincipal | undefined {
    return servicePrincipalsOf(this.view('entra')).find((candidate) => candidate.appId === appId.toLowerCase());
  }
}

export const usersOf = (view: View): User[] => [...view.ofType('user')];
export const groupsOf = (view: View): Group[] => [...view.ofType('group')];
export const contactsOf = (view: View): Contact[] => [...view.ofType('contact')];
export const servicePrincipalsOf = (view: View): ServicePrincipal[] => [...view.ofType('servicePrincipal')];

function withoutRecipient(exchange: ExchangeGroup | null, id: string): ExchangeGroup | null {
  if (!exchange) return null;
  const lists = recipientListNames.map((name) => [name, exchange[name].filter((each) => each !== id)] as const);
  return { ...exchange, ...Object.fromEntries(lists) };
}

const names = (group: Group, id: string): boolean =>
  group.members.includes(id) ||
  group.owners.includes(id) ||
  recipientListNames.some((name) => group.exchange?.[name].includes(id));

/** The changes that delete an object and take it out of every group. */
export function removal(view: View, id: string): Change[] {
  const emptied = groupsOf(view)
    .filter((group) => group.id !== id && names(group, id))
    .map((group) => ({
      put: {
        ...group,
        members: group.members.without(id),
        owners: group.owners.filter((owner) => owner !== id),
        exchange: withoutRecipient(group.exchange, id),
      },
    }));
  return [...emptied, { remove: id }];
}

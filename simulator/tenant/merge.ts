import { isObject, isStringArray, type JsonObject } from '../http/json.ts';
import type { World } from '../world.ts';
import {
  legacyExchangeDN,
  newContact,
  newDomain,
  newExchangeGroup,
  newGroup,
  newServicePrincipal,
  newUser,
} from './defaults.ts';
import { recipientListNames } from './model.ts';
import type {
  Contact,
  DirectoryObject,
  Domain,
  Group,
  OnPremisesSynchronization,
  ServicePrincipal,
  Settings,
  User,
} from './model.ts';
import { UnitMerge } from './mergeUnits.ts';
import { Store, type ObjectType, type View } from './store.ts';
import { mismatches, schemas } from './mergeSchemas.ts';

type Lists = Record<string, JsonObject[]>;

/** Objects as they will be, in the order they were given; references may name an earlier or a present one. */
class Merge {
  readonly #world: World;
  /** The changed ones first, then Entra's, which are newer than Exchange's where a person is on the way. */
  readonly #views: readonly View[];
  readonly changed = new Store();
  readonly deleted: User[] = [];
  readonly units: UnitMerge;
  readonly faults: string[] = [];

  constructor(world: World) {
    this.#world = world;
    this.#views = [this.changed, world.tenant.view('entra'), world.tenant.view('exchange')];
    this.units = new UnitMerge(world, {
      faults: this.faults,
      byId: (id) => this.#byId(id),
      ids: (refs, at) => this.#ids(refs, at),
      put: (object) => {
        this.put(object);
      },
    });
  }

  get #now(): string {
    return new Date(this.#world.clock.now()).toISOString().replace(/\.\d+Z$/, 'Z');
  }

  put(object: DirectoryObject): void {
    this.changed.put(object);
  }

  #byId(id: string): DirectoryObject | undefined {
    for (const view of this.#views) {
      const found = view.get(id);
      if (found) return found;
    }
    return undefined;
  }

  /** All that go by this name, each as it will be. */
  #named(name: string): DirectoryObject[] {
    const ids = new Set(this.#views.flatMap((view) => view.named(name)).map(({ id }) => id));
    return [...ids].map((id) => this.#byId(id)).filter((object) => object !== undefined);
  }

  #find<T extends DirectoryObject>(
    type: T['type'],
    given: { id?: string | undefined; name: string },
    matches: (object: T) => boolean,
  ): T | undefined {
    const candidates = given.id === undefined ? this.#named(given.name) : [this.#byId(given.id.toLowerCase())];
    return candidates.find((each): each is T => each?.type === type && (given.id !== undefined || matches(each as T)));
  }

  #idOf(ref: string): string | null {
    const wanted = ref.toLowerCase();
    const found =
      this.#byId(wanted) ??
      this.#named(wanted).find((object) => {
        const names: (string | null)[] = [];
        if (object.type === 'user') names.push(object.userPrincipalName);
        if ('mail' in object) names.push(object.mail);
        if (object.type === 'group') names.push(object.displayName, object.exchange?.Name ?? null);
        return names.some((name) => name?.toLowerCase() === wanted);
      });
    return found?.id ?? null;
  }

  #ids(refs: unknown, at: string): string[] {
    const found = (isStringArray(refs) ? refs : []).map((ref) => {
      const id = this.#idOf(ref);
      if (id === null) this.faults.push(`${at}: ${ref} is not in the tenant`);
      return id;
    });
    return found.filter((id) => id !== null);
  }

  user(fields: JsonObject, at: string): void {
    const given = this.units.withScopedRoles(fields, at) as Partial<User>;
    const upn = (given.userPrincipalName ?? '').toLowerCase();
    const named = { id: given.id, name: upn };
    const present = this.#find<User>('user', named, (user) => user.userPrincipalName.toLowerCase() === upn);
    if (present) {
      // An edit on-premises waits for the next cycle.
      const pending = given.onPremises === undefined ? {} : { isExportPending: true };
      this.put({ ...present, ...pending, ...given, id: present.id });
      return;
    }
    if (given.userPrincipalName === undefined) {
      this.faults.push(`${at}.userPrincipalName is missing`);
      return;
    }
    this.put(
      newUser({
        displayName: given.userPrincipalName,
        createdDateTime: this.#now,
        ...given,
        id: given.id?.toLowerCase() ?? this.#world.random.guid(`user:${given.userPrincipalName.toLowerCase()}`),
        userPrincipalName: given.userPrincipalName,
      }),
    );
  }

  /** Someone among the deleted items; put once more is replaced. */
  deletedUser(fields: JsonObject, at: string): void {
    const given = fields as Partial<User>;
    if (given.userPrincipalName === undefined) {
      this.faults.push(`${at}.userPrincipalName is missing`);
      return;
    }
    this.deleted.push(
      newUser({
        displayName: given.userPrincipalName,
        createdDateTime: this.#now,
        ...given,
        id: given.id?.toLowerCase() ?? this.#world.random.guid(`deletedUser:${given.userPrincipalName.toLowerCase()}`),
        userPrincipalName: given.userPrincipalName,
      }),
    );
  }

  contact(fields: JsonObject, at: string): void {
    const given = fields as Partial<Contact>;
    const named = { id: given.id, name: given.mail ?? '' };
    const present = this.#find<Contact>(
      'contact',
      named,
      ({ mail }) => mail.toLowerCase() === given.mail?.toLowerCase(),
    );
    if (present) {
      this.put({ ...present, ...given, id: present.id });
      return;
    }
    if (given.mail === undefined) {
      this.faults.push(`${at}.mail is missing`);
      return;
    }
    const id = given.id?.toLowerCase() ?? this.#world.random.guid(`contact:${given.mail.toLowerCase()}`);
    this.put(newContact({ displayName: given.mail, ...given, id, mail: given.mail }));
  }

  group(fields: JsonObject, at: string): void {
    const { members, owners, exchange, ...rest } = this.units.withScopedRoles(fields, at);
    const given = rest as Partial<Omit<Group, 'members' | 'owners' | 'exchange'>>;
    const name = isObject(exchange) && typeof exchange.Name === 'string' ? exchange.Name : undefined;
    const named = { id: given.id, name: given.mail ?? name ?? given.displayName ?? '' };
    const present = this.#find<Group>('group', named, (group) => {
      if (given.mail) return group.mail?.toLowerCase() === given.mail.toLowerCase();
      return name === undefined ? group.displayName === given.displayName : group.exchange?.Name === name;
    });
    const displayName = given.displayName ?? name ?? given.mail?.split('@')[0];
    if (!present && displayName === undefined) {
      this.faults.push(`${at}.displayName is missing`);
      return;
    }
    const base =
      present ??
      newGroup({
        displayName: displayName ?? '',
        mailNickname: given.mail?.split('@')[0] ?? (displayName ?? '').toLowerCase().replace(/[^a-z0-9]+/g, '-'),
        createdDateTime: this.#now,
        ...given,
        id: given.id?.toLowerCase() ?? this.#world.random.guid(`group:${name ?? given.mail ?? displayName ?? ''}`),
      });
    const merged: Group = {
      ...base,
      ...given,
      id: base.id,
      ...(members === undefined ? {} : { members: base.members.replacedBy(this.#ids(members, `${at}.members`)) }),
      ...(owners === undefined ? {} : { owners: this.#ids(owners, `${at}.owners`) }),
    };
    const roles = [merged.directoryRoles, merged.scopedRoles, merged.eligibleRoles].flat();
    // graph.md §1.2
    if (roles.length > 0 && merged.isAssignableToRole !== true)
      this.faults.push(`${at}: only a role-assignable group holds roles`);
    const addressed = merged.mailEnabled && merged.mail === null ? this.#addressed(merged) : merged;
    this.put({ ...addressed, exchange: this.#exchangeOf(addressed, isObject(exchange) ? exchange : {}, at) });
  }

  /** Exchange gives every mail-enabled group an address. */
  #addressed(group: Group): Group {
    const mail = `${group.mailNickname}@${this.#world.tenant.settings.defaultDomain}`;
    return { ...group, mail, proxyAddresses: [`SMTP:${mail}`] };
  }

  #exchangeOf(group: Group, given: JsonObject, at: string): Group['exchange'] {
    const isDynamic =
      (given.RecipientTypeDetails ?? group.exchange?.RecipientTypeDetails) === 'DynamicDistributionGroup';
    if (!group.mailEnabled && !isDynamic) return null;
    const classified = group.securityEnabled ? 'MailUniversalSecurityGroup' : 'MailUniversalDistributionGroup';
    const details = group.groupTypes.includes('Unified') ? 'GroupMailbox' : classified;
    const base =
      group.exchange ??
      newExchangeGroup({
        RecipientTypeDetails: details,
        Name: group.displayName,
        WhenChangedUTC: this.#now,
        LegacyExchangeDN: legacyExchangeDN(this.#world.random.guid(`legacy:${group.id}`), group.displayName),
      });
    const lists = Object.entries(given).filter(([name]) => (recipientListNames as readonly string[]).includes(name));
    const ids = lists.map(([name, refs]) => [name, this.#ids(refs, `${at}.exchange.${name}`)] as const);
    return { ...base, ...given, ...Object.fromEntries(ids) };
  }

  servicePrincipal(fields: JsonObject, at: string): void {
    const { roles, ...rest } = this.units.withScopedRoles(fields, at);
    const given = rest as Partial<ServicePrincipal>;
    if (given.appId === undefined) {
      this.faults.push(`${at}.appId is missing`);
      return;
    }
    const appId = given.appId.toLowerCase();
    const base =
      this.#find<ServicePrincipal>('servicePrincipal', { name: appId }, (principal) => principal.appId === appId) ??
      newServicePrincipal({ id: this.#world.random.guid(`servicePrincipal:${appId}`), appId, displayName: appId });
    this.put({ ...base, ...given, id: base.id, appId, roles: { ...base.roles, ...(isObject(roles) ? roles : {}) } });
  }
}

function mergeDomains(world: World, domains: readonly JsonObject[]): void {
  for (const fields of domains) {
    const given = fields as Partial<Domain>;
    const id = given.id?.toLowerCase() ?? '';
    const at = world.tenant.domains.findIndex((domain) => domain.id === id);
    const present = world.tenant.domains[at];
    if (present) world.tenant.domains[at] = { ...present, ...given, id };
    else world.tenant.domains.push(newDomain({ ...given, id }));
  }
}

function mergeRoles(world: World, roles: readonly JsonObject[]): void {
  const { customRoles } = world.tenant;
  for (const { id, displayName } of roles) {
    const role = { id: String(id).toLowerCase(), displayName: String(displayName ?? id), isBuiltIn: false };
    const at = customRoles.findIndex((each) => each.id === role.id);
    customRoles.splice(at < 0 ? customRoles.length : at, at < 0 ? 0 : 1, role);
  }
}

/** Of these there is one each; of all else there are lists. */
const single = ['settings', 'syncState', 'onPremisesSynchronization'];

/** Merges objects in, or says everything that is wrong and changes nothing. */
export function mergeTenant(world: World, body: unknown): string[] {
  if (!isObject(body)) return ['the body is not an object'];
  const faults: string[] = Object.keys(body)
    .filter((key) => !Object.hasOwn(schemas, key))
    .map((key) => `${key} is not known`);
  for (const [key, schema] of Object.entries(schemas)) {
    const value = body[key];
    if (value === undefined) continue;
    if (single.includes(key)) faults.push(...mismatches(value, schema, key));
    else if (!Array.isArray(value)) faults.push(`${key} is not a list`);
    else faults.push(...value.flatMap((item, index) => mismatches(item, schema, `${key}[${String(index)}]`)));
  }
  if (faults.length > 0) return faults;
  const { settings = {}, syncState = {}, onPremisesSynchronization = {}, ...lists } = body;
  const {
    users = [],
    deletedUsers = [],
    contacts = [],
    groups = [],
    servicePrincipals = [],
    domains = [],
    administrativeUnits = [],
    customRoles = [],
  } = lists as Lists;
  const merge = new Merge(world);
  administrativeUnits.forEach((fields, index) => merge.units.unit(fields, `administrativeUnits[${String(index)}]`));
  users.forEach((fields, index) => merge.user(fields, `users[${String(index)}]`));
  deletedUsers.forEach((fields, index) => merge.deletedUser(fields, `deletedUsers[${String(index)}]`));
  contacts.forEach((fields, index) => merge.contact(fields, `contacts[${String(index)}]`));
  groups.forEach((fields, index) => merge.group(fields, `groups[${String(index)}]`));
  servicePrincipals.forEach((fields, index) => merge.servicePrincipal(fields, `servicePrincipals[${String(index)}]`));
  administrativeUnits.forEach((fields, index) => merge.units.members(fields, `administrativeUnits[${String(index)}]`));
  const withoutId = (rows: readonly JsonObject[], name: string): string[] =>
    rows.flatMap(({ id }, index) => (id === undefined ? [`${name}[${String(index)}].id is missing`] : []));
  merge.faults.push(...withoutId(domains, 'domains'), ...withoutId(customRoles, 'customRoles'));
  if (merge.faults.length > 0) return merge.faults;
  mergeDomains(world, domains);
  mergeRoles(world, customRoles);
  merge.units.apply();
  Object.assign(world.tenant.syncState, syncState);
  const { features } = onPremisesSynchronization as Partial<OnPremisesSynchronization>;
  Object.assign(world.tenant.onPremisesSynchronization.features, features);
  const { replicationLagMs, latencyMs, userWrites, ...rest } = settings as Partial<Settings>;
  Object.assign(world.tenant.settings, rest);
  Object.assign(world.tenant.settings.replicationLagMs, replicationLagMs);
  Object.assign(world.tenant.settings.latencyMs, latencyMs);
  Object.assign(world.tenant.settings.userWrites, userWrites);
  // People are made in Entra and reach Exchange after the lag; groups are put on both sides at once.
  const changed = (type: ObjectType) => [...merge.changed.ofType(type)].map((put) => ({ put }));
  const people = [...changed('user'), ...changed('contact')];
  const others = [...changed('group'), ...changed('servicePrincipal')];
  const now = world.clock.now();
  const lagMs = world.tenant.settings.replicationLagMs.entraToExchange;
  if (people.length > 0) world.tenant.directory.commit('entra', people, now, lagMs);
  if (others.length > 0) world.tenant.directory.commit('exchange', others, now, 0);
  for (const user of merge.deleted) {
    world.tenant.deletedItems.remove(user.id);
    world.tenant.deletedItems.add(user, now);
  }
  return merge.faults;
}

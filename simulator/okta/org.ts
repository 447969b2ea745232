import type { Clock } from '../clock.ts';
import type { Random } from '../random.ts';
import { logEvent, type Happening, type LogEvent, type Target } from './events.ts';
import { oktaId, type IdPrefix } from './ids.ts';
import type {
  ApiToken,
  AppUser,
  EventHook,
  GroupRule,
  OktaApp,
  OktaGroup,
  OktaUser,
  OrgSettings,
  PushMapping,
  ServiceApp,
} from './model.ts';
import { Table } from './table.ts';

export interface OrgContents {
  users: readonly OktaUser[];
  groups: readonly OktaGroup[];
  rules: readonly GroupRule[];
  apps: readonly OktaApp[];
  /** By app id. */
  appUsers: Readonly<Record<string, readonly AppUser[]>>;
  pushMappings: readonly PushMapping[];
  serviceApps: readonly ServiceApp[];
  apiTokens: readonly ApiToken[];
  settings: OrgSettings;
}

interface OrgDependencies {
  clock: Clock;
  random: Random;
  /** Takes what happens to the event hooks. */
  publish: (event: LogEvent) => void;
  /** What provisioning does to an account in Entra. */
  provision: (entraId: string, accountEnabled: boolean) => void;
  /** Gives an account in Entra this immutable id; false where Entra refuses it. */
  pushImmutableId: (entraId: string, immutableId: string) => boolean;
  /** The Entra id of who has this user principal name. */
  match: (userPrincipalName: string) => string | null;
}

/** All that is in an Okta org. What changes it, and tells of it, is in changes.ts. */
export class Org {
  readonly groups: Table<OktaGroup>;
  readonly rules: Table<GroupRule>;
  readonly apps: Table<OktaApp>;
  readonly pushMappings: Table<PushMapping>;
  readonly hooks = new Table<EventHook>();
  readonly serviceApps: Table<ServiceApp>;
  readonly apiTokens: Table<ApiToken>;
  readonly settings: OrgSettings;
  readonly provision: OrgDependencies['provision'];
  readonly pushImmutableId: OrgDependencies['pushImmutableId'];
  readonly match: OrgDependencies['match'];
  readonly #users: Table<OktaUser>;
  /** Ids by login in lower case. */
  readonly #logins = new Map<string, string>();
  /** By app id, for every app. */
  readonly #appUsers: Map<string, Table<AppUser>>;
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #publish: OrgDependencies['publish'];

  constructor(contents: OrgContents, { clock, random, publish, provision, pushImmutableId, match }: OrgDependencies) {
    this.#clock = clock;
    this.#random = random;
    this.#publish = publish;
    this.provision = provision;
    this.pushImmutableId = pushImmutableId;
    this.match = match;
    this.#users = new Table();
    for (const user of contents.users) this.putUser(user);
    this.groups = new Table(contents.groups);
    this.rules = new Table(contents.rules);
    this.apps = new Table(contents.apps);
    this.#appUsers = new Map(contents.apps.map(({ id }) => [id, new Table(contents.appUsers[id])]));
    this.pushMappings = new Table(contents.pushMappings);
    this.serviceApps = new Table(contents.serviceApps);
    this.apiTokens = new Table(contents.apiTokens);
    this.settings = contents.settings;
  }

  get now(): string {
    return new Date(this.#clock.now()).toISOString();
  }

  newId(prefix: IdPrefix): string {
    return oktaId(prefix, this.#random.freshGuid());
  }

  get users(): Pick<Table<OktaUser>, 'get' | 'after'> & Iterable<OktaUser> {
    return this.#users;
  }

  putUser(user: OktaUser): OktaUser {
    const former = this.#users.get(user.id);
    if (former) this.#logins.delete(former.profile.login.toLowerCase());
    this.#logins.set(user.profile.login.toLowerCase(), user.id);
    return this.#users.put(user);
  }

  removeUser(user: OktaUser): void {
    this.#users.remove(user.id);
    this.#logins.delete(user.profile.login.toLowerCase());
  }

  /** By id, login, or login without its domain where only one has it. */
  userNamed(ref: string): OktaUser | undefined {
    const exact = this.#users.get(ref) ?? this.#users.get(this.#logins.get(ref.toLowerCase()) ?? '');
    if (exact || ref.includes('@')) return exact;
    const short = `${ref.toLowerCase()}@`;
    const [found, ...others] = [...this.#logins].filter(([login]) => login.startsWith(short));
    return found && others.length === 0 ? this.#users.get(found[1]) : undefined;
  }

  /** By id or name. */
  groupNamed(ref: string): OktaGroup | undefined {
    return this.groups.get(ref) ?? [...this.groups].find(({ profile }) => profile.name === ref);
  }

  groupsOf(userId: string): OktaGroup[] {
    return [...this.groups].filter(({ members }) => members.includes(userId));
  }

  putApp(app: OktaApp): OktaApp {
    if (!this.#appUsers.has(app.id)) this.#appUsers.set(app.id, new Table());
    return this.apps.put(app);
  }

  appUsers(appId: string): Table<AppUser> {
    return this.#appUsers.get(appId) ?? new Table();
  }

  /** The id by which events name an app user. */
  appUserEventId(appId: string, userId: string): string {
    return oktaId('0ua', this.#random.guid(`okta:0ua:${appId}:${userId}`));
  }

  emit(happening: Happening): void {
    this.#publish(
      logEvent(
        { ...happening, target: this.#inAnyOrder(happening.target) },
        { uuid: this.#random.freshGuid(), published: this.now, transactionId: this.#random.freshGuid() },
      ),
    );
  }

  /** Targets "are not always in the same array location" (okta.md §1.2): they take turns. */
  #inAnyOrder(targets: readonly Target[]): readonly Target[] {
    if (targets.length < 2) return targets;
    return this.#random.rotate('okta:targets', 2) === 0 ? targets : [...targets].reverse();
  }
}

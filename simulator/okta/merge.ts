import { isObject, type JsonObject } from '../http/json.ts';
import { MemberList } from '../tenant/memberList.ts';
import { isModelledExpression } from './rules.ts';
import { namedId } from './ids.ts';
import { orgSchemas } from './mergeSchemas.ts';
import type { AppUser, GroupRule, OktaApp, OktaGroup, OktaUser, PushMapping, ServiceApp } from './model.ts';
import type { Org } from './org.ts';
import { newOktaUser } from './seed.ts';
import { mismatches } from '../tenant/mergeSchemas.ts';
import type { World } from '../world.ts';

type Rows = Partial<Record<string, JsonObject[]>>;

/** Puts objects into the org, silently: nobody is told by an event. Checks first, then applies. */
class OrgMerge {
  readonly faults: string[] = [];
  readonly #world: World;
  readonly #org: Org;
  readonly #changes: (() => void)[] = [];
  /** Ids of people and groups that are about to be put, by login and name. */
  readonly #users = new Map<string, string>();
  readonly #groups = new Map<string, string>();
  readonly #apps: OktaApp[] = [];

  constructor(world: World) {
    this.#world = world;
    this.#org = world.okta.org;
  }

  apply(): void {
    for (const change of this.#changes) change();
  }

  #userId(ref: unknown, at: string): string {
    const id = this.#users.get(String(ref).toLowerCase()) ?? this.#org.userNamed(String(ref))?.id;
    if (id === undefined) this.faults.push(`${at}: ${String(ref)} is no user of the org`);
    return id ?? '';
  }

  #groupId(ref: unknown, at: string): string {
    const id = this.#groups.get(String(ref)) ?? this.#org.groupNamed(String(ref))?.id;
    if (id === undefined) this.faults.push(`${at}: ${String(ref)} is no group of the org`);
    return id ?? '';
  }

  user({ login, ...given }: JsonObject, at: string): void {
    if (typeof login !== 'string') {
      this.faults.push(`${at}.login is missing`);
      return;
    }
    const { status, profile = {} } = given as { status?: OktaUser['status']; profile?: JsonObject };
    const present = this.#org.userNamed(login);
    const base = present ?? newOktaUser(this.#world.random, login, {});
    this.#users.set(login.toLowerCase(), base.id);
    this.#changes.push(() => {
      this.#org.putUser({
        ...base,
        status: status ?? base.status,
        lastUpdated: this.#org.now,
        profile: { ...base.profile, ...profile },
      });
    });
  }

  group({ name, profile = {}, members, sourceApp, ...given }: JsonObject, at: string): void {
    if (typeof name !== 'string') {
      this.faults.push(`${at}.name is missing`);
      return;
    }
    const { type = 'OKTA_GROUP' } = given as { type?: OktaGroup['type'] };
    const app = sourceApp === undefined ? null : [...this.#org.apps].find((each) => each.name === sourceApp);
    if (app === undefined) this.faults.push(`${at}.sourceApp: ${String(sourceApp)} is no app of the org`);
    const present = this.#org.groupNamed(name);
    const id = present?.id ?? namedId(this.#world.random, '00g', `${type}:${name}`);
    this.#groups.set(name, id);
    const ids = (members as string[] | undefined)?.map((ref) => this.#userId(ref, `${at}.members`));
    this.#changes.push(() => {
      const now = this.#org.now;
      const base: OktaGroup = present ?? {
        id,
        type,
        created: now,
        lastUpdated: now,
        lastMembershipUpdated: now,
        profile: { name, description: null },
        sourceAppId: app?.id ?? null,
        members: MemberList.empty,
      };
      this.#org.groups.put({
        ...base,
        profile: { ...base.profile, ...(profile as JsonObject) },
        ...(ids ? { members: base.members.replacedBy(ids), lastMembershipUpdated: now } : {}),
      });
    });
  }

  /** Found by its label; a new one has no provisioning. */
  app({ label, name = 'office365', settings = {} }: JsonObject, at: string): void {
    if (typeof label !== 'string') {
      this.faults.push(`${at}.label is missing`);
      return;
    }
    const now = this.#org.now;
    const present = [...this.#org.apps].find((app) => app.label === label);
    const base: OktaApp = present ?? {
      id: namedId(this.#world.random, '0oa', label),
      name: name as OktaApp['name'],
      label,
      created: now,
      lastUpdated: now,
      settings: {},
      assignedGroupIds: [],
      capabilities: null,
    };
    const app: OktaApp = { ...base, settings: { ...base.settings, ...(settings as OktaApp['settings']) } };
    this.#apps.push(app);
    this.#changes.push(() => void this.#org.putApp(app));
  }

  /** `app` is an id, a label, or a kind, of which it is the first. */
  appUser({ app: appName = 'office365', user, ...given }: JsonObject, at: string): void {
    const app = [...this.#org.apps, ...this.#apps].find(({ name, id, label }) =>
      [name, id, label].includes(String(appName)),
    );
    if (!app) {
      this.faults.push(`${at}.app: ${String(appName)} is no app of the org`);
      return;
    }
    const id = this.#userId(user, `${at}.user`);
    const { profile = {}, ...rest } = given as Partial<AppUser>;
    this.#changes.push(() => {
      const [now, table] = [this.#org.now, this.#org.appUsers(app.id)];
      const base: AppUser = table.get(id) ?? {
        id,
        externalId: null,
        status: 'STAGED',
        syncState: 'OUT_OF_SYNC',
        lastSync: null,
        scope: 'USER',
        groupId: null,
        created: now,
        lastUpdated: now,
        statusChanged: now,
        userName: this.#org.users.get(id)?.profile.login ?? '',
        profile: {},
      };
      table.put({ ...base, ...rest, profile: { ...base.profile, ...profile } });
    });
  }

  rule({ name, groups, ...given }: JsonObject, at: string): void {
    const { expression, status = 'ACTIVE' } = given as Partial<GroupRule>;
    if (typeof name !== 'string' || expression === undefined || !isModelledExpression(expression)) {
      this.faults.push(`${at} needs a name and an expression of the form user.attribute=="value"`);
      return;
    }
    const groupIds = ((groups ?? []) as string[]).map((ref) => this.#groupId(ref, `${at}.groups`));
    const [id, now] = [namedId(this.#world.random, '0pr', name), this.#org.now];
    this.#changes.push(() => {
      this.#org.rules.put({ id, name, status, expression, groupIds, created: now, lastUpdated: now });
    });
  }

  /** Found by its source group. */
  pushMapping({ source, target, ...given }: JsonObject, at: string): void {
    const sourceGroupId = this.#groupId(source, `${at}.source`);
    const present = [...this.#org.pushMappings].find((mapping) => mapping.sourceGroupId === sourceGroupId);
    const targetGroupId =
      target === undefined && present ? present.targetGroupId : this.#groupId(target, `${at}.target`);
    this.#changes.push(() => {
      const now = this.#org.now;
      const base: PushMapping = present ?? {
        id: this.#org.newId('gPm'),
        appId: this.#org.groups.get(targetGroupId)?.sourceAppId ?? '',
        sourceGroupId,
        targetGroupId,
        status: 'ACTIVE',
        errorSummary: '',
        created: now,
        lastUpdated: now,
        lastPush: now,
        failsWith: null,
      };
      this.#org.pushMappings.put({ ...base, targetGroupId, ...(given as Partial<PushMapping>) });
    });
  }

  serviceApp({ label, ...given }: JsonObject, at: string): void {
    const present = [...this.#org.serviceApps].find((app) => app.label === label);
    if (!present) this.faults.push(`${at}.label: ${String(label)} is no service app of the org`);
    else this.#changes.push(() => void this.#org.serviceApps.put({ ...present, ...(given as Partial<ServiceApp>) }));
  }
}

/** Merges objects into the org by name, or says everything that is wrong and changes nothing. */
export function mergeOrg(world: World, body: unknown): string[] {
  if (!isObject(body)) return ['the body is not an object'];
  const faults = Object.keys(body)
    .filter((key) => !Object.hasOwn(orgSchemas, key))
    .map((key) => `${key} is not known`);
  for (const [key, schema] of Object.entries(orgSchemas)) {
    const value = body[key];
    if (value === undefined) continue;
    if (key === 'settings') faults.push(...mismatches(value, schema, key));
    else if (!Array.isArray(value)) faults.push(`${key} is not a list`);
    else faults.push(...value.flatMap((item, index) => mismatches(item, schema, `${key}[${String(index)}]`)));
  }
  if (faults.length > 0) return faults;
  const { settings = {}, ...lists } = body;
  const rows = lists as Rows;
  const merge = new OrgMerge(world);
  const each = (key: string, put: (row: JsonObject, at: string) => void): void => {
    (rows[key] ?? []).forEach((row, index) => put(row, `${key}[${String(index)}]`));
  };
  each('users', (row, at) => merge.user(row, at));
  each('groups', (row, at) => merge.group(row, at));
  each('apps', (row, at) => merge.app(row, at));
  each('appUsers', (row, at) => merge.appUser(row, at));
  each('rules', (row, at) => merge.rule(row, at));
  each('pushMappings', (row, at) => merge.pushMapping(row, at));
  each('serviceApps', (row, at) => merge.serviceApp(row, at));
  if (merge.faults.length > 0) return merge.faults;
  merge.apply();
  Object.assign(world.okta.org.settings, settings);
  return [];
}

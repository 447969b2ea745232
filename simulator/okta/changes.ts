import { appTarget, groupTarget, userTarget, type HookEligible, type Target } from './events.ts';
import type { AppUser, OktaApp, OktaGroup, OktaUser, Profile, UserStatus } from './model.ts';
import type { Org } from './org.ts';
import { ruleMatches } from './rules.ts';

// What happens in an org, by whomever, and the events that tell of it.

type By = 'WEB' | 'JOB';

/** Events of an APP_GROUP are those of an import (facts.oktaAppGroupEvents). */
function tellOfMember(org: Org, group: OktaGroup, user: OktaUser, isMember: boolean, by: By): void {
  const app = group.sourceAppId === null ? undefined : org.apps.get(group.sourceAppId);
  if (app) {
    const target = [appUserTarget(org, app, user), groupTarget(group), appTarget(app)];
    org.emit({ eventType: 'app.user_management', target, by: 'JOB' });
    return;
  }
  org.emit({
    eventType: isMember ? 'group.user_membership.add' : 'group.user_membership.remove',
    target: [userTarget(user), groupTarget(group)],
    by,
    requestUri: `/api/v1/groups/${group.id}/users/${user.id}`,
  });
}

/** Done before is done, and no event. */
export function setMember(org: Org, group: OktaGroup, user: OktaUser, isMember: boolean, by: By): void {
  const present = org.groups.get(group.id) ?? group;
  if (present.members.includes(user.id) === isMember) return;
  const members = isMember ? present.members.with([user.id]) : present.members.without(user.id);
  org.groups.put({ ...present, members, lastMembershipUpdated: org.now });
  tellOfMember(org, present, user, isMember, by);
  for (const app of org.apps)
    if (app.assignedGroupIds.includes(group.id)) assignByGroup(org, app, group, user, isMember);
}

/** An app that is assigned to a group follows its membership; an assignment of the person's own stays: facts.oktaGroupAssignment. */
function assignByGroup(org: Org, app: OktaApp, group: OktaGroup, user: OktaUser, isMember: boolean): void {
  const assigned = org.appUsers(app.id).get(user.id);
  const { login, email, firstName, lastName } = user.profile;
  if (isMember && !assigned)
    assign(org, app, user, {
      scope: 'GROUP',
      groupId: group.id,
      userName: login,
      profile: { email, firstName, lastName },
    });
  if (!isMember && assigned?.groupId === group.id) unassign(org, app, user);
}

const appUserTarget = (org: Org, app: OktaApp, user: OktaUser): Target => ({
  ...userTarget(user),
  id: org.appUserEventId(app.id, user.id),
  type: 'AppUser',
});

function tellOfAppUser(org: Org, eventType: HookEligible, app: OktaApp, user: OktaUser): void {
  org.emit({ eventType, target: [appUserTarget(org, app, user), appTarget(app), userTarget(user)], by: 'WEB' });
}

/** Whether provisioning carries Okta's lifecycle to Entra, the setting "Deactivate Users": facts.oktaDeactivateUsers. */
const carriesLifecycle = ({ name, capabilities }: OktaApp): boolean =>
  name === 'office365' && capabilities?.update.lifecycleDeactivate.status === 'ENABLED';

/** With the setting on, and "Update User Attributes": what Entra refuses is an error of the app user. */
function pushed(org: Org, app: OktaApp, appUser: AppUser): AppUser {
  const { externalId, profile } = appUser;
  const isPushed = app.name === 'office365' && app.capabilities?.update.profile.status === 'ENABLED';
  if (!org.settings.pushesImmutableId || !isPushed || externalId === null || typeof profile.immutableId !== 'string')
    return appUser;
  const syncState = org.pushImmutableId(externalId, profile.immutableId) ? 'SYNCHRONIZED' : 'ERROR';
  return org.appUsers(app.id).put({ ...appUser, syncState, lastSync: org.now });
}

/** Assigns an app: who has the account in Entra already is linked to it (facts.oktaAssignment). */
export function assign(
  org: Org,
  app: OktaApp,
  user: OktaUser,
  given: { scope: AppUser['scope']; groupId: string | null; userName: string; profile: Profile },
): AppUser {
  const now = org.now;
  const externalId = app.name === 'office365' ? org.match(given.userName) : null;
  const assigned = org.appUsers(app.id).put({
    id: user.id,
    externalId,
    status: externalId === null ? 'STAGED' : 'PROVISIONED',
    syncState: externalId === null ? 'OUT_OF_SYNC' : 'SYNCHRONIZED',
    lastSync: externalId === null ? null : now,
    created: now,
    lastUpdated: now,
    statusChanged: now,
    ...given,
  });
  if (externalId !== null && carriesLifecycle(app)) org.provision(externalId, true);
  tellOfAppUser(org, 'application.user_membership.add', app, user);
  return pushed(org, app, assigned);
}

/** With "Deactivate Users" on, the account in Entra is disabled. */
export function unassign(org: Org, app: OktaApp, user: OktaUser): void {
  const assigned = org.appUsers(app.id).get(user.id);
  if (!assigned) return;
  org.appUsers(app.id).remove(user.id);
  if (assigned.externalId !== null && carriesLifecycle(app)) org.provision(assigned.externalId, false);
  tellOfAppUser(org, 'application.user_membership.remove', app, user);
}

export function updateAppUser(org: Org, app: OktaApp, user: OktaUser, appUser: AppUser): AppUser {
  const put = org.appUsers(app.id).put({ ...appUser, lastUpdated: org.now });
  tellOfAppUser(org, 'application.user_membership.update', app, user);
  return pushed(org, app, put);
}

/** Statuses without an event in okta.md §1.1 change silently: facts.oktaStatusEvents. */
function lifecycleEvent(from: UserStatus, to: UserStatus): HookEligible | null {
  if (to === 'DEPROVISIONED') return 'user.lifecycle.deactivate';
  if (to === 'SUSPENDED') return 'user.lifecycle.suspend';
  if (from === 'SUSPENDED') return 'user.lifecycle.unsuspend';
  if (from === 'DEPROVISIONED') return 'user.lifecycle.reactivate';
  return to === 'ACTIVE' && (from === 'STAGED' || from === 'PROVISIONED') ? 'user.lifecycle.activate' : null;
}

export function setStatus(org: Org, user: OktaUser, status: UserStatus): void {
  if (user.status === status) return;
  const now = org.now;
  const activated = user.activated ?? (status === 'ACTIVE' ? now : null);
  const changed = org.putUser({ ...user, status, activated, statusChanged: now, lastUpdated: now });
  const eventType = lifecycleEvent(user.status, status);
  if (eventType) org.emit({ eventType, target: [userTarget(changed)], by: 'WEB' });
  if (status !== 'DEPROVISIONED') return;
  for (const app of org.apps) unassign(org, app, changed);
  if (!org.settings.deactivationRemovesMemberships) return;
  for (const group of org.groupsOf(user.id))
    if (group.type === 'OKTA_GROUP') setMember(org, group, changed, false, 'JOB');
}

/** Only who is deprovisioned can be deleted; the groups are left without an event each (facts.oktaUserDeletion). */
export function deleteUser(org: Org, user: OktaUser): void {
  org.removeUser(user);
  for (const group of org.groupsOf(user.id))
    org.groups.put({ ...group, members: group.members.without(user.id), lastMembershipUpdated: org.now });
  org.emit({ eventType: 'user.lifecycle.delete.initiated', target: [userTarget(user)], by: 'WEB' });
}

const changedKeys = (before: Profile, after: Profile): string[] =>
  Object.keys(after).filter((key) => before[key] !== after[key]);

export function setUserProfile(org: Org, user: OktaUser, profile: Profile): void {
  const merged = { ...user.profile, ...profile };
  const changed = changedKeys(user.profile, merged);
  if (changed.length === 0) return;
  const put = org.putUser({ ...user, profile: merged, lastUpdated: org.now });
  org.emit({
    eventType: 'user.account.update_profile',
    target: [userTarget(put)],
    by: 'WEB',
    changedAttributes: changed,
    requestUri: `/api/v1/users/${user.profile.login}`,
  });
  applyRules(org, user, put);
}

/** `profile` is the whole one that it shall have. */
export function setGroupProfile(org: Org, group: OktaGroup, profile: OktaGroup['profile']): OktaGroup {
  const changed = [...new Set([...changedKeys(group.profile, profile), ...changedKeys(profile, group.profile)])];
  if (changed.length === 0) return group;
  const put = org.groups.put({ ...group, profile, lastUpdated: org.now });
  org.emit({
    eventType: 'group.profile.update',
    target: [groupTarget(put)],
    by: 'WEB',
    changedAttributes: changed,
    requestUri: `/api/v1/groups/${group.id}`,
  });
  return put;
}

/** Its members leave without an event each (facts.oktaGroupDeletion). */
export function deleteGroup(org: Org, group: OktaGroup): void {
  org.groups.remove(group.id);
  org.emit({
    eventType: 'group.lifecycle.delete',
    target: [groupTarget(group)],
    by: 'WEB',
    requestUri: `/api/v1/groups/${group.id}`,
  });
}

export function createGroup(org: Org, group: OktaGroup): OktaGroup {
  org.groups.put(group);
  org.emit({ eventType: 'group.lifecycle.create', target: [groupTarget(group)], by: 'WEB' });
  return group;
}

/** Who matches a rule now is in its groups, who does no longer is out; other members are none of its business. */
function applyRules(org: Org, before: OktaUser, after: OktaUser): void {
  for (const rule of org.rules) {
    const [matched, matches] = [ruleMatches(rule.expression, before), ruleMatches(rule.expression, after)];
    if (rule.status !== 'ACTIVE' || matched === matches) continue;
    for (const id of rule.groupIds) {
      const group = org.groups.get(id);
      if (group) setMember(org, group, after, matches, 'JOB');
    }
  }
}

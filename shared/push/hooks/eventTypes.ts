/** What an event of a type can have changed for a mapping. */
export type Concern =
  /** Who is in the group. */
  | 'membership'
  /** The group itself: its name. */
  | 'group'
  /** That the group is gone. */
  | 'deletion'
  /** Somebody: whether the person counts, and who it is in Entra. */
  | 'person';

/** By Okta's catalogue of types that a hook may subscribe to (okta.md §1.1); the hook is registered for these. */
const concerns: Readonly<Record<string, Concern>> = {
  'group.user_membership.add': 'membership',
  'group.user_membership.remove': 'membership',
  // Of groups that come from Active Directory or an app (inferred there).
  'app.user_management': 'membership',
  'group.profile.update': 'group',
  'group.lifecycle.delete': 'deletion',
  'user.lifecycle.create': 'person',
  'user.lifecycle.activate': 'person',
  'user.lifecycle.deactivate': 'person',
  'user.lifecycle.reactivate': 'person',
  'user.lifecycle.suspend': 'person',
  'user.lifecycle.unsuspend': 'person',
  'user.lifecycle.delete.initiated': 'person',
  'user.account.update_profile': 'person',
  // The account in the Office 365 app says who somebody is in Entra.
  'application.user_membership.add': 'person',
  'application.user_membership.remove': 'person',
  'application.user_membership.update': 'person',
};

export const hookEventTypes: readonly string[] = Object.keys(concerns);

/** null: nothing that a mapping cares about. */
export function concernOf(type: string): Concern | null {
  if (Object.hasOwn(concerns, type)) return concerns[type] ?? null;
  // The catalogue grows, and a hook that was made by hand may hear more than ours.
  return type.startsWith('user.lifecycle.') ? 'person' : null;
}

import type { Call } from '../../call.ts';
import { Fault } from '../../errors.ts';
import type { PushMapping } from '../mapping.ts';
import type { PushSource, SourceGroup, SourcePerson } from '../source.ts';

export interface SourceMembers {
  readonly sourceGroup: SourceGroup;
  /** By Okta user id. */
  readonly members: ReadonlyMap<string, SourcePerson>;
  /** Whether nobody came or went while the pages were read. */
  readonly isSteady: boolean;
}

/** Pages that people come and go between are read again this often. */
const maxReads = 3;
/** Members on one page of Okta (okta.md §4). */
const membersPerPage = 200;
/** Calls to look at one person: the person and its groups. */
const callsPerPerson = 2;
/** Looked at side by side: Okta gives an app half of a rate limit (okta.md §4). */
const peopleAtOnce = 4;

/**
 * Everybody in the group. The pages are no snapshot: whoever came while they were read may be on none of them, which
 * `lastMembershipUpdated` before and after tells. Where the source has none, it is believed.
 */
export async function readMembers(source: PushSource, groupId: string, call: Call): Promise<SourceMembers> {
  let before = await readGroup(source, groupId, call);
  for (let reads = 1; ; reads += 1) {
    const members = new Map<string, SourcePerson>();
    for await (const page of source.memberPages(groupId, call)) {
      for (const person of page) members.set(person.id, person);
    }
    const after = await readGroup(source, groupId, call);
    const isSteady = after.membershipUpdatedAt === before.membershipUpdatedAt;
    // Of what moved, the earlier time is told: the next look begins where this one did.
    if (isSteady || reads === maxReads) return { sourceGroup: before, members, isSteady };
    before = after;
  }
}

/** Those of these people who are in the group: one by one, or from its pages where that is fewer calls. */
export async function readMembersOf(
  source: PushSource,
  { oktaGroupId, lastReconcile }: PushMapping,
  oktaUserIds: readonly string[],
  call: Call,
): Promise<SourceMembers> {
  const pages = Math.ceil((lastReconcile?.desiredCount ?? 1) / membersPerPage) + 1;
  if (oktaUserIds.length * callsPerPerson > pages) {
    const { members, ...read } = await readMembers(source, oktaGroupId, call);
    const asked = new Set(oktaUserIds);
    return { ...read, members: new Map([...members].filter(([id]) => asked.has(id))) };
  }
  const sourceGroup = await readGroup(source, oktaGroupId, call);
  const members = new Map<string, SourcePerson>();
  for (let start = 0; start < oktaUserIds.length; start += peopleAtOnce) {
    const chunk = oktaUserIds.slice(start, start + peopleAtOnce);
    const found = await Promise.all(chunk.map((id) => source.membership(oktaGroupId, id, call)));
    for (const { isMember, person } of found) if (isMember && person !== null) members.set(person.id, person);
  }
  return { sourceGroup, members, isSteady: true };
}

/** @throws Fault `okta_object_not_found`: a group that is gone is no empty group (design §6.6) */
async function readGroup(source: PushSource, groupId: string, call: Call): Promise<SourceGroup> {
  const group = await source.group(groupId, call);
  if (group !== null) return group;
  throw new Fault('okta_object_not_found', {
    detail: `Okta has no group ${groupId}, or does not show it to this app; nobody was removed.`,
    fix: 'If the group was deleted, set the mapping INACTIVE or delete it; else look at the resource set of the admin role that the app has in Okta.',
    upstream: 'okta',
  });
}

import { randomBytes } from 'node:crypto';
import { Fault } from '../../errors.ts';
import type { DistributionGroup } from '../../exchange/distributionGroups.ts';
import type { Recipient } from '../../exchange/recipients.ts';
import type { GraphGroup, GraphMember } from '../../graph/groups.ts';
import { isGuid } from '../../guid.ts';
import { invertedTime, timeOfInverted } from '../../store/invertedTime.ts';
import type { Group } from '../group.ts';
import { recipientFields } from '../update/groupChange.ts';
import type { GroupKind } from '../kinds.ts';

/** Who is named by an entry of a group's settings, as far as that could be found out before the deletion. */
export interface SnapshotPerson {
  /** As the directory gave it. */
  readonly entry: string;
  readonly id: string | null;
  /** For a person to read: who has left can be told by it, and nobody is ever looked up by it. */
  readonly address: string | null;
}

export interface SnapshotMember {
  readonly id: string;
  /** `user`, `group`, `orgContact`, `device` or `servicePrincipal`. */
  readonly type: string;
  readonly displayName: string | null;
  readonly address: string | null;
  readonly userPrincipalName: string | null;
}

/** How far a restore has come. */
export interface RestoreProgress {
  /** Entra id of the group that is being restored, or Exchange's own while that is not known. */
  readonly groupId: string;
  /** The next page of members, counted from 1, and how many of it are done. */
  readonly memberPage: number;
  readonly memberIndex: number;
  /** Members before that which were tried in vain and may succeed later. */
  readonly openMembers: readonly SnapshotMember[];
  readonly areMembersDone: boolean;
  readonly restoredMemberCount: number;
  readonly lostMemberCount: number;
}

/**
 * A group as it was before its deletion: all that a re-creation needs. Its members lie in pages beside it.
 * A shape that older versions of this app wrote is known by `version`.
 */
export interface Snapshot {
  readonly version: 1;
  readonly deletionId: string;
  /** ISO 8601. */
  readonly deletedAt: string;
  readonly requestId: string;
  /** `sent`: whether the deletion was carried out is not known. */
  readonly state: 'sent' | 'deleted';
  readonly kind: GroupKind;
  /** Entra object id. */
  readonly id: string;
  readonly displayName: string;
  readonly primarySmtpAddress: string | null;
  readonly exchange: DistributionGroup | null;
  readonly graph: GraphGroup | null;
  readonly owners: readonly SnapshotPerson[];
  /** Whom the other lists of `exchange` name. */
  readonly people: readonly SnapshotPerson[];
  readonly memberCount: number;
  readonly memberPages: number;
  readonly restoredAt: string | null;
  readonly restoredId: string | null;
  readonly progress: RestoreProgress | null;
}

/** A snapshot whose members are still being read. */
export interface SnapshotDraft {
  readonly deletionId: string;
  readonly memberCount: number;
  readonly memberPages: number;
  /** Where Graph's list goes on; null at the end, and before the first page. */
  readonly nextPath: string | null;
  readonly isRead: boolean;
  /** Snapshots of the same group that this one takes the place of. */
  readonly replaces: readonly string[];
}

/** Sorts newest first, and cannot be guessed. */
export function newDeletionId(ms: number): string {
  return `${invertedTime(ms)}-${randomBytes(8).toString('hex')}`;
}

export const deletionIdPattern = '\\d{16}-[0-9a-f]{16}';

/** Where the ids of all deletions of that time begin. */
export function deletionIdAt(ms: number): string {
  return invertedTime(ms);
}

export function startedAtMsOf(deletionId: string): number {
  return timeOfInverted(deletionId.slice(0, 16));
}

export function newDraft(nowMs: number, replaces: readonly string[]): SnapshotDraft {
  return { deletionId: newDeletionId(nowMs), memberCount: 0, memberPages: 0, nextPath: null, isRead: false, replaces };
}

/** Everybody whom the settings of a group name, each once. Pure. */
export function peopleNamedIn(exchange: DistributionGroup): string[] {
  return [...new Set(recipientFields.flatMap((setting) => exchange[setting]))];
}

export function personOf(entry: string, recipient: Recipient | null): SnapshotPerson {
  if (recipient !== null) return { entry, id: recipient.id, address: recipient.primarySmtpAddress };
  return { entry, id: isGuid(entry) ? entry : null, address: null };
}

export function personInGraph({ id, userPrincipalName, mail }: GraphMember): SnapshotPerson {
  return { entry: id, id, address: mail ?? userPrincipalName };
}

export function memberOf({ id, type, displayName, mail, userPrincipalName }: GraphMember): SnapshotMember {
  return { id, type, displayName, address: mail, userPrincipalName };
}

/** Joins what was read of a group. Pure. */
export function snapshotOf(
  group: Group & { readonly id: string },
  draft: SnapshotDraft,
  people: { readonly owners: readonly SnapshotPerson[]; readonly named: readonly SnapshotPerson[] },
  at: { readonly deletedAt: string; readonly requestId: string },
): Snapshot {
  const { kind, id, displayName, primarySmtpAddress, exchange, graph } = group;
  const { deletionId, memberCount, memberPages } = draft;
  return {
    version: 1,
    deletionId,
    ...at,
    state: 'sent',
    kind,
    id,
    displayName,
    primarySmtpAddress,
    exchange,
    graph,
    owners: people.owners,
    people: people.named,
    memberCount,
    memberPages,
    restoredAt: null,
    restoredId: null,
    progress: null,
  };
}

/** @throws Fault `snapshot_not_found` for one that this version of the app does not understand */
export function readSnapshot(value: unknown): Snapshot {
  const { version } = value as { readonly version?: unknown };
  if (version === 1) return value as Snapshot;
  throw new Fault('snapshot_not_found', {
    detail: 'The snapshot was stored by another version of this app, which this one cannot read.',
    fix: 'Deploy the version that deleted the group, or a later one, and repeat the request.',
  });
}

export function snapshotNotFound(deletionId: string): Fault {
  return new Fault('snapshot_not_found', {
    detail: `No deleted group has the deletionId "${deletionId}", or it was deleted longer ago than snapshots are kept.`,
    fix: 'Take the deletionId from the reply of deleteGroup or from GET deleted-groups; SNAPSHOT_RETENTION_DAYS says how long they are kept.',
  });
}

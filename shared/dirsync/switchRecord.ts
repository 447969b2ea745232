import { createHash, randomBytes } from 'node:crypto';
import { Fault } from '../errors.ts';
import type { PhonedUser } from '../graph/syncedUsers.ts';
import { invertedTime, timeOfInverted } from '../store/invertedTime.ts';

/** A user mastered on-premises as the cloud had it before a switch. */
export type RememberedUser = Pick<PhonedUser, 'id' | 'userPrincipalName' | 'displayName' | 'mobilePhone'>;

export const switchStates = ['open', 'switched', 'refused'] as const;
/** `open`: sent, and whether it was carried out is not known. `refused`: a person may have done it since. */
export type SwitchState = (typeof switchStates)[number];

/**
 * A switch of bypassDirSyncOverridesEnabled with its way back. The users lie in pages beside it.
 * A shape that older versions of this app wrote is known by `version`.
 */
export interface SwitchRecord {
  readonly version: 1;
  readonly switchId: string;
  /** ISO 8601. */
  readonly at: string;
  readonly requestId: string;
  /** null: Microsoft did not show it. */
  readonly former: boolean | null;
  readonly enabled: boolean;
  readonly state: SwitchState;
  /** Users mastered on-premises, and those of them with a phone in the cloud; 0 where nothing is overwritten. */
  readonly syncedUserCount: number;
  readonly phoneCount: number;
  readonly pages: number;
  /** ISO 8601; null: never. */
  readonly restoredAt: string | null;
}

/** Users that are still being read. */
export interface PhoneDraft {
  readonly switchId: string;
  readonly syncedUserCount: number;
  readonly phoneCount: number;
  readonly pages: number;
  /** Of all phones so far, whatever their order. */
  readonly digest: string;
  /** The first that have a phone, to be shown. */
  readonly listed: readonly RememberedUser[];
  /** Where Graph's list goes on; null at the end, and before the first page. */
  readonly nextPath: string | null;
  readonly isRead: boolean;
}

export const switchIdPattern = '\\d{16}-[0-9a-f]{16}';

/** More is read by nobody; GET dirsync/users has them all. */
export const maxListedUsers = 25;

const digestBytes = 32;

/** Sorts newest first, and cannot be guessed. */
export function newSwitchId(ms: number): string {
  return `${invertedTime(ms)}-${randomBytes(8).toString('hex')}`;
}

export function startedAtMsOf(switchId: string): number {
  return timeOfInverted(switchId.slice(0, 16));
}

export function newPhoneDraft(nowMs: number): PhoneDraft {
  return {
    switchId: newSwitchId(nowMs),
    syncedUserCount: 0,
    phoneCount: 0,
    pages: 0,
    digest: '0'.repeat(2 * digestBytes),
    listed: [],
    nextPath: null,
    isRead: false,
  };
}

/** Pure. The draft with one more page. */
export function withPage(
  draft: PhoneDraft,
  { users, nextPath }: { readonly users: readonly RememberedUser[]; readonly nextPath: string | null },
): PhoneDraft {
  const phoned = users.filter(({ mobilePhone }) => mobilePhone !== null);
  return {
    ...draft,
    syncedUserCount: draft.syncedUserCount + users.length,
    phoneCount: draft.phoneCount + phoned.length,
    pages: draft.pages + 1,
    digest: foldPhones(draft.digest, phoned),
    listed: [...draft.listed, ...phoned].slice(0, maxListedUsers),
    nextPath,
    isRead: nextPath === null,
  };
}

/** Graph's list has no order: the hashes of its entries are joined so that none counts. */
function foldPhones(digest: string, phoned: readonly RememberedUser[]): string {
  const folded = Buffer.from(digest, 'hex');
  for (const { id, mobilePhone } of phoned) {
    const hash = createHash('sha256')
      .update(JSON.stringify([id, mobilePhone]))
      .digest();
    for (const [index, byte] of hash.entries()) folded.writeUInt8(folded.readUInt8(index) ^ byte, index);
  }
  return folded.toString('hex');
}

export function rememberedOf({ id, userPrincipalName, displayName, mobilePhone }: PhonedUser): RememberedUser {
  return { id, userPrincipalName, displayName, mobilePhone };
}

export function switchNotFound(switchId: string): Fault {
  return new Fault('switch_not_found', {
    detail: `No switch ${switchId} is remembered.`,
    fix: 'Give the switchId of a reply of setBypassDirSyncOverrides, or lastSwitchId of getDirSync; old ones are removed after SNAPSHOT_RETENTION_DAYS.',
  });
}

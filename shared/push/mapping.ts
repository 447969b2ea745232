import type { FaultCode } from '../errors.ts';
import type { GroupKind } from '../groups/kinds.ts';

/** What a mapping may remove (design §2): nothing, only what it added itself, or everything else. */
export const authorities = ['additive', 'managed', 'exclusive'] as const;
export type Authority = (typeof authorities)[number];

/** `INACTIVE` is set by people, and when the Okta group is gone; `ERROR` by what went wrong, until a clean reconcile. */
export const mappingStatuses = ['ACTIVE', 'INACTIVE', 'ERROR'] as const;
export type MappingStatus = (typeof mappingStatuses)[number];

/** States of an Okta user that can count as desired. `DEPROVISIONED` never does (design §6.6). */
export const countableStatuses = [
  'STAGED',
  'PROVISIONED',
  'ACTIVE',
  'RECOVERY',
  'PASSWORD_EXPIRED',
  'LOCKED_OUT',
  'SUSPENDED',
] as const;
export type CountableStatus = (typeof countableStatuses)[number];

/** Who can sign in, or could but for a password: a forgotten one takes nobody off a list. */
export const defaultStatuses: readonly CountableStatus[] = ['ACTIVE', 'RECOVERY', 'PASSWORD_EXPIRED', 'LOCKED_OUT'];

export interface MappingSettings {
  readonly authority: Authority;
  readonly desiredStatuses: readonly CountableStatus[];
  /** Okta's Office 365 app, whose users' external ids say who is who in Entra; null: exact UPN alone. */
  readonly oktaAppId: string | null;
  /** Ids, UPNs and addresses, with `*` as wildcard. */
  readonly neverRemove: readonly string[];
  /** Members that may come within 24 hours; null: any number. */
  readonly maxAdditions: number | null;
  /** Whether who is desired and a member already counts as added by the mapping. */
  readonly adoptMembers: boolean;
  /** Whether the target is renamed with the Okta group. */
  readonly renameTarget: boolean;
  /** Whether only differences are reported, and nothing is written. */
  readonly reportOnly: boolean;
}

/** Why a mapping is not ACTIVE. */
export interface MappingReason {
  readonly code: FaultCode | 'awaiting_approval' | 'set_by_person' | 'okta_group_deleted';
  readonly message: string;
  readonly fix: string;
  readonly atMs: number;
}

/** What the last full reconcile came to. */
export interface ReconcileSummary {
  readonly atMs: number;
  /** Whether membership was as it should be when it ended, but for what is `unresolved` or waits. */
  readonly isClean: boolean;
  readonly desiredCount: number;
  readonly actualCount: number;
  readonly addedCount: number;
  readonly removedCount: number;
  readonly keptCount: number;
  /** Desired people who are nobody that can be added. */
  readonly unresolvedCount: number;
  /** Desired people without a mailbox yet. */
  readonly waitingCount: number;
  /** Members that somebody else added. */
  readonly addedOutsideCount: number;
  /** Members that the mapping had added and somebody else removed. */
  readonly removedOutsideCount: number;
  /** Okta's `lastMembershipUpdated` when it began: nothing has moved while it is the same. null: not known. */
  readonly membershipUpdatedAt: string | null;
}

/** An Okta group whose members a group in Microsoft 365 follows. */
export interface PushMapping {
  readonly oktaGroupId: string;
  /** As last seen. */
  readonly oktaGroupName: string;
  /** Entra object id. */
  readonly targetId: string;
  /** As last seen. */
  readonly targetName: string;
  readonly targetKind: GroupKind;
  readonly settings: MappingSettings;
  readonly status: MappingStatus;
  readonly reason: MappingReason | null;
  /** When its first plan was approved, or the one after it was given more power; null: not yet. */
  readonly approvedAtMs: number | null;
  readonly createdAtMs: number;
  readonly updatedAtMs: number;
  readonly lastReconcile: ReconcileSummary | null;
  /** The requestId of the worker that broke last by a defect of ours; null: none. */
  readonly defect: string | null;
}

export type PushMappingChange = Partial<
  Omit<PushMapping, 'oktaGroupId' | 'targetId' | 'targetKind' | 'createdAtMs' | 'updatedAtMs'>
>;

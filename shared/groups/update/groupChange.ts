import { Fault, type FaultCode, type FieldFault } from '../../errors.ts';
import type { DepartRestriction, DistributionGroup, JoinRestriction } from '../../exchange/distributionGroups.ts';
import type { GroupVisibility } from '../../graph/groupWrites.ts';
import type { GroupKind } from '../kinds.ts';

/** Settings of a group that hold recipients and that Exchange alone has. */
export const recipientFields = [
  'moderatedBy',
  'bypassModerationFrom',
  'acceptMessagesFrom',
  'rejectMessagesFrom',
  'sendOnBehalf',
] as const;
export type RecipientField = (typeof recipientFields)[number];

/** What a caller wants changed; what is absent stays. Lists are whole: what is not in them goes. */
export type GroupUpdate = {
  readonly displayName?: string;
  /** null clears. */
  readonly description?: string | null;
  /** At least one. */
  readonly owners?: readonly string[];
  readonly primarySmtpAddress?: string;
  /** All further SMTP addresses. */
  readonly addresses?: readonly string[];
  readonly hideFromAddressLists?: boolean;
  readonly requireSenderAuthentication?: boolean;
  readonly joinRestriction?: JoinRestriction;
  readonly departRestriction?: DepartRestriction;
  readonly moderationEnabled?: boolean;
  /** null clears. */
  readonly mailTip?: string | null;
  readonly visibility?: Exclude<GroupVisibility, 'HiddenMembership'>;
  readonly ignoreNamingPolicy?: boolean;
} & Readonly<Partial<Record<RecipientField, readonly string[]>>>;

export type UpdateField = Exclude<keyof GroupUpdate, 'ignoreNamingPolicy'>;

/** One setting that is not as asked for. */
export interface SettingDifference {
  readonly field: UpdateField;
  /** As text: lists with commas, nothing as ''. */
  readonly before: string;
  readonly after: string;
}

export const changeOutcomes = ['set', 'would_set', 'failed', 'unknown'] as const;
export type ChangeOutcome = (typeof changeOutcomes)[number];

/** What became of one setting. */
export interface ChangeRow extends SettingDifference {
  readonly outcome: ChangeOutcome;
  /** The outcome, or the code of the fault. */
  readonly code: FaultCode | 'set' | 'would_set';
  readonly message: string;
}

export const updateOutcomes = ['updated', 'unchanged', 'partial', 'pending', 'planned'] as const;
export type UpdateOutcome = (typeof updateOutcomes)[number];

/** What of a group an update tells. */
export interface UpdatedGroup {
  readonly displayName: string;
  readonly alias: string | null;
  readonly primarySmtpAddress: string | null;
  readonly addresses: readonly string[];
  /** Addresses or UPNs where they are known. */
  readonly owners: readonly string[];
}

/** What one directory made of an update. */
export interface UpdateResult {
  readonly rows: readonly ChangeRow[];
  readonly group: UpdatedGroup;
}

export function wouldSet({ field, before, after }: SettingDifference): ChangeRow {
  return { field, before, after, outcome: 'would_set', code: 'would_set', message: 'It would be set.' };
}

export function wasSet({ field, before, after }: SettingDifference): ChangeRow {
  return { field, before, after, outcome: 'set', code: 'set', message: 'It was set.' };
}

/** A write that was refused changed nothing; one whose answer was lost may have. */
export function wasNotSet(
  { field, before, after }: SettingDifference,
  fault: Pick<Fault, 'code' | 'message'>,
): ChangeRow {
  const outcome = fault.code === 'outcome_unknown' ? 'unknown' : 'failed';
  return { field, before, after, outcome, code: fault.code, message: fault.message };
}

/** The outcome of an update from its rows. Pure. `pending`: what is not known to be done is never reported as done. */
export function judgeUpdate(rows: readonly ChangeRow[]): UpdateOutcome {
  const has = (outcome: ChangeOutcome) => rows.some((row) => row.outcome === outcome);
  if (rows.length === 0) return 'unchanged';
  if (has('would_set')) return 'planned';
  if (has('failed')) return 'partial';
  return has('unknown') ? 'pending' : 'updated';
}

/**
 * Refuses what Exchange does not allow in a mail-enabled security group (exchange.md §4): a membership that is open to
 * all, and moderation without moderators. Pure.
 * @throws Fault `invalid_request` that lists all of it
 */
export function refuseForbiddenSettings(
  kind: GroupKind,
  update: Pick<GroupUpdate, 'joinRestriction' | 'departRestriction' | 'moderationEnabled' | 'moderatedBy'>,
  actual: Pick<DistributionGroup, 'moderationEnabled' | 'moderatedBy'>,
): void {
  if (kind !== 'mailEnabledSecurity') return;
  const errors: FieldFault[] = [];
  for (const field of ['joinRestriction', 'departRestriction'] as const) {
    if (update[field] !== 'open') continue;
    errors.push({
      pointer: `/${field}`,
      message: 'must not be open for mailEnabledSecurity: membership in it may be a permission',
      fix: `Use closed, or a group of kind distributionList.`,
    });
  }
  const { moderationEnabled = actual.moderationEnabled, moderatedBy = actual.moderatedBy } = update;
  const isTouched = update.moderationEnabled !== undefined || update.moderatedBy !== undefined;
  if (isTouched && moderationEnabled && moderatedBy.length === 0) {
    errors.push({
      pointer: '/moderatedBy',
      message: 'must name a moderator while moderation is on for mailEnabledSecurity',
      fix: 'Name at least one moderator, or give moderationEnabled as false.',
    });
  }
  if (errors.length === 0) return;
  throw new Fault('invalid_request', {
    detail: `A group of kind mailEnabledSecurity cannot be set so: ${errors.map(({ pointer, message }) => `${pointer.slice(1)} ${message}`).join('; ')}.`,
    fix: 'Mend the properties listed under errors.',
    errors,
  });
}

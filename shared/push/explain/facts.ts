import { type FaultCode, isFault } from '../../errors.ts';
import type { TargetResolution } from '../../groups/membership/memberTargets.ts';
import type { PushMapping } from '../mapping.ts';
import type { ManagedMember, PushPerson } from '../people.ts';
import type { Match } from '../pushMatcher.ts';
import type { ActualMember, KeptMember } from '../pushPlan.ts';
import type { SourcePerson } from '../source.ts';
import type { PendingChange } from '../store/pendingStore.ts';

/** What was found out, or why it was not: who cannot be asked hides nothing but its own answer. */
export type Finding<Value> =
  | { readonly type: 'known'; readonly value: Value }
  /** `code` is that of a fault, or null where what comes before leaves nothing to ask. */
  | {
      readonly type: 'unknown';
      readonly code: FaultCode | null;
      readonly message: string;
      readonly fix: string | null;
    };

/** Another Okta user who is the same object in Entra, and desired. */
export interface Twin {
  readonly twin: Pick<PushPerson, 'login'>;
}

/** Everything that decides whether somebody is a member of a target. */
export interface Facts {
  /** As asked for. */
  readonly user: string;
  readonly mapping: PushMapping | null;
  readonly person: Finding<SourcePerson | null>;
  readonly inGroup: Finding<'member' | 'not_member' | 'no_group'>;
  readonly match: Finding<Match>;
  /** Who it is for the directory that is written to. */
  readonly recipient: Finding<TargetResolution>;
  /** What the mapping knows. */
  readonly known: Finding<{ readonly pin: PushPerson | null; readonly managed: ManagedMember | null }>;
  readonly pending: Finding<PendingChange | null>;
  /** As Graph shows the members. */
  readonly listed: Finding<ActualMember | null>;
  /** Of a member that is not desired: why it stays; null: it would be removed. */
  readonly kept: Finding<KeptMember | Twin | null>;
  readonly nowMs: number;
}

/** The answer, or the fault of whoever could not give it. */
export async function ask<Value>(question: () => Promise<Value>): Promise<Finding<Value>> {
  try {
    return { type: 'known', value: await question() };
  } catch (error) {
    if (!isFault(error)) throw error;
    return { type: 'unknown', code: error.code, message: error.message, fix: error.fix };
  }
}

export function notAsked(message: string): Finding<never> {
  return { type: 'unknown', code: null, message, fix: null };
}

/** The value where it is known. */
export function valueOf<Value>(finding: Finding<Value>): Value | null {
  return finding.type === 'known' ? finding.value : null;
}

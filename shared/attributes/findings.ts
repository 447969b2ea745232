import type { Severity } from '../identity/diagnosis.ts';

/** Why a value is not as it should be. */
export const causeCodes = [
  'protected_user',
  'permission_missing',
  'role_missing',
  'management_restricted',
  'synced_from_on_premises',
  'overridden_in_cloud',
  'okta_linked_elsewhere',
  'okta_not_assigned',
  'okta_not_mapped',
  'okta_other_value',
  'okta_not_pushed',
  'differs',
] as const;
export type CauseCode = (typeof causeCodes)[number];

export const attributeFindingCodes = [...causeCodes, 'equal', 'expected_unknown', 'not_checked'] as const;
export type AttributeFindingCode = (typeof attributeFindingCodes)[number];

/** How sure it is, the surest first: `possible` stands beside another that the facts do not tell it from. */
export const certainties = ['certain', 'likely', 'possible'] as const;
export type Certainty = (typeof certainties)[number];

/** One cause found by a diagnosis (design §2). */
export interface AttributeFinding {
  readonly code: AttributeFindingCode;
  /** `blocker`: a write would be refused. */
  readonly severity: Severity;
  readonly certainty: Certainty;
  /** What it is about, separated by commas; empty where it is about none in particular. */
  readonly properties: string;
  /** One sentence. */
  readonly message: string;
  /** What to do about it. */
  readonly fix: string;
  /** The facts it follows from, as text: names, ids and values. */
  readonly evidence: string;
}

/** A finding that says why a value is not as it should be. */
export interface CauseFinding extends AttributeFinding {
  readonly code: CauseCode;
}

export function isCause(finding: AttributeFinding): finding is CauseFinding {
  return (causeCodes as readonly string[]).includes(finding.code);
}

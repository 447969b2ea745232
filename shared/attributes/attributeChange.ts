import type { FaultCode } from '../errors.ts';
import { type AttributeName, attributeNames } from './attribute.ts';
import type { CauseCode } from './findings.ts';

/** What becomes of the properties that an update names. All pure. */

export const attributeOutcomes = ['set', 'unchanged', 'would_set', 'refused', 'pending', 'failed'] as const;
export type AttributeOutcome = (typeof attributeOutcomes)[number];

export const attributeUpdateOutcomes = ['updated', 'unchanged', 'partial', 'pending', 'planned'] as const;
export type AttributeUpdateOutcome = (typeof attributeUpdateOutcomes)[number];

/** Why a property was not written, or is not known to be. */
export interface NotSet {
  /** `pending`: it may have been, and is not shown. */
  readonly outcome: 'refused' | 'pending' | 'failed';
  /** The finding that explains it; null: none does. */
  readonly cause: CauseCode | null;
  readonly code: FaultCode;
  readonly message: string;
  readonly fix: string;
}

/** Of what is as it should be, or would be. */
interface Done {
  readonly outcome: Exclude<AttributeOutcome, NotSet['outcome']>;
  readonly cause: null;
  readonly code: Done['outcome'];
  readonly message: string;
  readonly fix: null;
}

interface RowValues {
  readonly property: AttributeName;
  /** As text; lists with commas, none as ''. */
  readonly before: string;
  readonly after: string;
}

/** What became of one property. */
export type AttributeRow = RowValues & (Done | NotSet);
export type NotSetRow = RowValues & NotSet;

/** Each is opened by a permission of its own (graph.md §4), and one that is refused refuses the whole PATCH. */
const travellingTogether: readonly (readonly AttributeName[])[] = [
  ['accountEnabled'],
  ['mobilePhone', 'businessPhones'],
  ['otherMails'],
];

/** What is sent in one PATCH each. */
export function groupsOf(names: readonly AttributeName[]): readonly (readonly AttributeName[])[] {
  return travellingTogether
    .map((group) => group.filter((name) => names.includes(name)))
    .filter((group) => group.length > 0);
}

export function isNotSet(row: AttributeRow): row is NotSetRow {
  return row.outcome === 'refused' || row.outcome === 'pending' || row.outcome === 'failed';
}

/** What is not shown to be done is never reported as done (design §6.1). */
export function judgeAttributes(rows: readonly Pick<AttributeRow, 'outcome'>[]): AttributeUpdateOutcome {
  const has = (...outcomes: readonly AttributeOutcome[]) => rows.some(({ outcome }) => outcomes.includes(outcome));
  if (has('would_set')) return 'planned';
  if (has('refused', 'failed')) return 'partial';
  if (has('pending')) return 'pending';
  return has('set') ? 'updated' : 'unchanged';
}

/** In the order of `attributeNames`, whatever the order they were dealt with. */
export function inOrder<Row extends RowValues>(rows: readonly Row[]): Row[] {
  return [...rows].sort((a, b) => attributeNames.indexOf(a.property) - attributeNames.indexOf(b.property));
}

import { isGuid } from '../guid.ts';
import type { IdentityFacts } from './facts.ts';
import { guidOfImmutableId, isOktaUserId } from './immutableIdCodec.ts';

/** Where it is known from what the immutable ID should be. */
export const expectedSources = ['given', 'office365Profile', 'office365ExternalId', 'directoryExternalId'] as const;
export type ExpectedSource = (typeof expectedSources)[number];

/** What an immutable ID is made from: `guid` one of the two GUIDs, and not known which; `other` anything else. */
export const anchors = ['objectGuid', 'consistencyGuid', 'oktaUserId', 'guid', 'other'] as const;
export type Anchor = (typeof anchors)[number];

export interface Expectation {
  readonly source: ExpectedSource;
  /** null: none. */
  readonly immutableId: string | null;
  /** null where none is expected. */
  readonly anchor: Anchor | null;
}

type Known = Pick<IdentityFacts, 'given' | 'okta'>;

/**
 * Pure. What the caller gave counts; else what Okta asserts at sign-in, since with another value nobody gets in; else
 * what Okta's default mapping would assert (graph.md §2.1). null: nothing says.
 */
export function expectationOf(facts: Known): Expectation | null {
  const { given } = facts;
  if (given !== null) {
    const { immutableId } = given;
    return { source: 'given', immutableId, anchor: immutableId === null ? null : anchorOf(immutableId, facts) };
  }
  if (!facts.okta.known) return null;
  const { office365, directoryExternalId } = facts.okta.value;
  const candidates: readonly (readonly [ExpectedSource, string | null])[] = [
    ['office365Profile', office365?.immutableId ?? null],
    // An object id says which account it is linked to, and nothing of its immutable ID.
    ['office365ExternalId', isGuid(office365?.externalId ?? '') ? null : (office365?.externalId ?? null)],
    ['directoryExternalId', directoryExternalId],
  ];
  for (const [source, immutableId] of candidates) {
    if (immutableId !== null) return { source, immutableId, anchor: anchorOf(immutableId, facts) };
  }
  return null;
}

/**
 * Pure. What an immutable ID of this user seems to be made from. Where one of the two GUIDs is known, another is taken
 * for the other one: inferred, since it may be somebody else's as well.
 */
export function anchorOf(immutableId: string, facts: Known): Anchor {
  const okta = facts.okta.known ? facts.okta.value : null;
  if (immutableId === okta?.userId || isOktaUserId(immutableId)) return 'oktaUserId';
  const objectGuid = okta?.directoryExternalId ?? givenBy(facts, 'objectGuid', 'externalId');
  const consistencyGuid = okta?.consistencyGuid ?? givenBy(facts, 'consistencyGuid');
  if (immutableId === objectGuid) return 'objectGuid';
  if (immutableId === consistencyGuid) return 'consistencyGuid';
  if (guidOfImmutableId(immutableId) === null) return 'other';
  if (objectGuid === null && consistencyGuid === null) return 'guid';
  if (objectGuid === null) return 'objectGuid';
  return consistencyGuid === null ? 'consistencyGuid' : 'other';
}

function givenBy({ given }: Known, ...fields: readonly string[]): string | null {
  return given !== null && fields.includes(given.field) ? given.immutableId : null;
}

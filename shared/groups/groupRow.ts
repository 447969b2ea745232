import type { ProtectionLists } from './blockers.ts';
import type { Group } from './group.ts';
import type { GroupKind } from './kinds.ts';
import { linkabilityOf, type OktaVisibility, oktaVisibilityOf } from './linkability.ts';

/** One group of a list: flat, so that a flow needs no second loop. */
export interface GroupRow extends OktaVisibility {
  /** Entra object id; null for a dynamic distribution group, which Entra does not know. */
  readonly id: string | null;
  readonly kind: GroupKind;
  readonly displayName: string;
  readonly alias: string | null;
  readonly primarySmtpAddress: string | null;
  readonly description: string | null;
  readonly linkable: boolean;
  /** Separated by commas, the gravest first; empty when nothing is in the way. */
  readonly blockerCodes: string;
  /** Of the gravest. */
  readonly blockerMessage: string | null;
}

/** Pure. */
export function groupRowOf(group: Group, lists: ProtectionLists): GroupRow {
  const { id, kind, displayName, alias, primarySmtpAddress, description } = group;
  const { linkable, blockers } = linkabilityOf(group, lists);
  return {
    id,
    kind,
    displayName,
    alias,
    primarySmtpAddress,
    description,
    linkable,
    blockerCodes: blockers.map(({ code }) => code).join(','),
    blockerMessage: blockers[0]?.message ?? null,
    ...oktaVisibilityOf(group),
  };
}

import type { Call } from '../call.ts';
import { type Blocker, blockersOf, type ProtectionLists } from './blockers.ts';
import type { Group } from './group.ts';
import { livesInExchange } from './kinds.ts';

export const noteCodes = ['team_connected', 'converted_to_cloud'] as const;

/** What does not stand in the way of a change and should be known before one. */
export interface Note {
  readonly code: (typeof noteCodes)[number];
  readonly message: string;
  readonly fix: string;
}

/** Whether a group may be managed from the cloud by this app, and all that is to be said of it. */
export interface Linkability {
  readonly linkable: boolean;
  /** The gravest first; none of a group that is linkable. */
  readonly blockers: readonly Blocker[];
  readonly notes: readonly Note[];
}

/** Whether Okta's own Office 365 app can push to the group or link it, and if not, why. */
export interface OktaVisibility {
  readonly oktaLinkable: boolean;
  /** One sentence; null when it can. */
  readonly oktaReason: string | null;
}

/** Pure. */
export function linkabilityOf(group: Group, lists: ProtectionLists): Linkability {
  const blockers = blockersOf(group, lists);
  return { linkable: blockers.length === 0, blockers, notes: notesOf(group) };
}

/** Pure. */
export function notesOf({ kind, exchange, graph }: Group): Note[] {
  const notes: Note[] = [];
  if (graph?.isTeam === true) {
    notes.push({
      code: 'team_connected',
      message:
        'The group carries a Team, which changes with it: who joins or leaves gains or loses its channels, chats and files.',
      fix: "Have the Team's owners know before its members change.",
    });
  }
  if (graph?.wasSynced === true && exchange?.isDirSynced !== true) {
    notes.push({
      code: 'converted_to_cloud',
      message: 'The group was synced from on-premises Active Directory; the cloud is its source of authority now.',
      // graph.md §1.1: mail groups stay read-only in Graph after the conversion.
      fix: livesInExchange(kind)
        ? 'Change it here or in Exchange, never in Active Directory; Graph still refuses to write it.'
        : 'Change it here or in Entra, never in Active Directory.',
    });
  }
  return notes;
}

/** For a write that changes the group, or would: what should have been known before. */
export function warnOfNotes(group: Group, call: Pick<Call, 'warn'>): void {
  for (const { message, fix } of notesOf(group)) call.warn(`${message} ${fix}`);
}

/**
 * Pure. Okta's app knows security and Microsoft 365 groups alone, and none that are synced from on-premises: those do
 * not even appear in its list (okta.md §5 P1, P3). That a rule's group is out as well follows from Entra, which lets
 * nobody add to it (graph.md §1.1); that Okta hides it is inferred.
 */
export function oktaVisibilityOf(group: Group): OktaVisibility {
  const oktaReason = oktaReasonOf(group);
  return { oktaLinkable: oktaReason === null, oktaReason };
}

function oktaReasonOf({ kind, graph }: Group): string | null {
  if (kind === 'dynamicDistribution') {
    return 'Okta works through Entra, which does not know dynamic distribution groups.';
  }
  if (livesInExchange(kind)) {
    const name = kind === 'distributionList' ? 'distribution lists' : 'mail-enabled security groups';
    return `Okta pushes to and links security and Microsoft 365 groups only, not ${name}, which are written in Exchange.`;
  }
  if (graph?.isOnPremisesSynced === true) {
    return 'Okta leaves groups that are synced from on-premises Active Directory out of its list.';
  }
  if (graph?.isDynamic === true) {
    return 'A rule decides the membership, so Entra lets Okta add and remove nobody.';
  }
  return null;
}

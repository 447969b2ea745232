import type { Call } from '../../call.ts';
import { Fault, isFault } from '../../errors.ts';
import { type Came, type Creation, type CreationOutcome, type GroupRequest, judgeCreation } from './creationPlan.ts';
import { type Group, labelOf } from '../group.ts';
import { failedRow, type MembershipSummary, summarize } from '../membership/memberRows.ts';
import type { Membership } from '../membership/membership.ts';

/** A group that a request has come by, without its members yet. */
export interface Arrival {
  readonly group: Group;
  /** Addresses or UPNs. */
  readonly owners: readonly string[];
  readonly came: Came;
  /** Whether Entra shows the group: who it does not know cannot get members there. */
  readonly isVisible: boolean;
}

/** How every creation ends, in whichever directory: members, outcome, sentence. */
export interface CreationEnd {
  finish(request: GroupRequest, arrival: Arrival, isDryRun: boolean, call: Call): Promise<Creation>;
  /** The dry run of a group that does not exist. */
  plan(request: GroupRequest, owners: readonly string[], call: Call): Promise<Creation>;
}

export function createCreationEnd({ membership }: { membership: Membership }): CreationEnd {
  /** The first members. Once the group has been written to, what stops them is told in their rows. */
  async function addMembers(
    { members }: GroupRequest,
    { group, isVisible }: Arrival,
    hasWritten: boolean,
    isDryRun: boolean,
    call: Call,
  ): Promise<MembershipSummary> {
    if (members.length === 0) return summarize([], labelOf(group), isDryRun);
    const notAttempted = (fault: Fault) =>
      summarize(
        members.map((member) => failedRow(member, 'not_attempted', fault)),
        labelOf(group),
        isDryRun,
      );
    // In Exchange a group takes members before Entra shows it.
    if (!isVisible && group.exchange === null) return notAttempted(notVisible(group));
    try {
      return await membership.changeResolved('add', group, members, isDryRun, call);
    } catch (error) {
      if (!hasWritten || !isFault(error)) throw error;
      return notAttempted(error);
    }
  }

  return {
    finish: async (request, arrival, isDryRun, call) => {
      const { group, owners, came, isVisible } = arrival;
      const hasWritten = came === 'created' || came === 'incomplete' || came === 'completed';
      const added = await addMembers(request, arrival, hasWritten, isDryRun, call);
      const outcome = judgeCreation(came, { id: isVisible ? group.id : null }, added, isDryRun);
      const sentence = sentences[outcome](labelOf(group));
      return {
        outcome,
        changed: hasWritten || added.changed,
        isNew: came === 'created' || came === 'incomplete',
        message: request.members.length === 0 ? sentence : `${sentence} Members: ${added.message}`,
        group,
        owners,
        membership: added,
      };
    },

    plan: async (request, owners, call) => {
      const rows = await membership.planForNewGroup(request.kind, request.members, call);
      const label = request.primarySmtpAddress ?? request.alias;
      return {
        outcome: 'planned',
        changed: false,
        isNew: false,
        message: `The ${request.kind} ${label} would be created.`,
        group: null,
        owners,
        membership: summarize(rows, label, true),
      };
    },
  };
}

const sentences: Readonly<Record<CreationOutcome, (label: string) => string>> = {
  created: (label) => `${label} was created.`,
  already_exists: (label) => `${label} exists as asked for.`,
  completed: (label) => `${label} existed; what was missing was completed.`,
  partial: (label) => `${label} is there, but not all of it: see warnings and results, and repeat the request.`,
  pending: (label) => `${label} is there, but Entra does not show it yet: repeat the request.`,
  planned: (label) => `${label} exists and would be completed.`,
};

function notVisible(group: Group): Fault {
  return new Fault('group_not_ready', {
    detail: `${labelOf(group)} was created, but Entra does not show it yet.`,
    fix: 'Repeat the request in a minute.',
    retryAfterSeconds: 15,
  });
}

import type { FaultCode } from '../../errors.ts';
import { isDesired } from '../desired.ts';
import type { MappingReason } from '../mapping.ts';
import { isFresh, type Standing, standingOf } from '../memberStanding.ts';
import type { ManagedMember, PushPerson } from '../people.ts';
import { isWaitingCode } from '../unresolved.ts';
import type { PendingChange } from '../store/pendingStore.ts';
import { type Facts, type Finding, valueOf } from './facts.ts';

/** From Okta to the list, in this order. */
export const linkNames = [
  'mapping',
  'oktaUser',
  'oktaStatus',
  'oktaMembership',
  'match',
  'recipient',
  'change',
  'list',
] as const;
export type LinkName = (typeof linkNames)[number];

export type LinkCode =
  | FaultCode
  | MappingReason['code']
  | 'ok'
  | 'unknown'
  | 'report_only'
  | 'status_not_desired'
  | 'not_in_okta_group'
  | 'change_waiting'
  | 'change_open'
  | 'not_shown_yet'
  | 'not_member';

/** One thing that must be so for somebody to be a member. */
export interface Link {
  readonly link: LinkName;
  /** null: it could not be judged. */
  readonly ok: boolean | null;
  readonly code: LinkCode;
  readonly message: string;
  /** null: there is nothing to mend. */
  readonly fix: string | null;
}

type Judged = Omit<Link, 'link'>;

/** The chain, judged link by link; what is not known is said to be unknown, never guessed. Pure. */
export function linksOf(facts: Facts): Link[] {
  const judges: Readonly<Record<LinkName, (facts: Facts) => Judged>> = {
    mapping: judgeMapping,
    oktaUser: judgeOktaUser,
    oktaStatus: judgeOktaStatus,
    oktaMembership: judgeOktaMembership,
    match: judgeMatch,
    recipient: judgeRecipient,
    change: judgeChange,
    list: judgeList,
  };
  return linkNames.map((link) => ({ link, ...judges[link](facts) }));
}

/** Whether the Okta group and the mapping want this person as a member; null: that cannot be told. Pure. */
export function isWanted({ mapping, person, inGroup }: Facts): boolean | null {
  if (mapping === null || person.type === 'unknown') return null;
  if (person.value === null || !isDesired(person.value, mapping.settings.desiredStatuses)) return false;
  if (inGroup.type === 'unknown' || inGroup.value === 'no_group') return null;
  return inGroup.value === 'member';
}

/** By what Graph shows and what the mapping has written a moment ago; without Graph it is open. Pure. */
export function standing({ known, listed, nowMs }: Facts): Standing {
  if (listed.type === 'unknown') return 'open';
  return standingOf(valueOf(known)?.managed ?? undefined, listed.value !== null, nowMs);
}

function judgeMapping({ mapping }: Facts): Judged {
  if (mapping === null) {
    const message = 'The Okta group has no push mapping.';
    return broken('push_mapping_not_found', message, 'Make one with PUT push-mappings/{oktaGroupId}.');
  }
  const { status, reason, settings, targetName, oktaGroupName } = mapping;
  if (reason !== null) return broken(reason.code, `The mapping is ${status}: ${reason.message}`, reason.fix);
  if (settings.reportOnly) {
    const fix = 'Give the mapping "reportOnly": false, look at its plan, and approve it.';
    return broken('report_only', 'The mapping only reports differences (reportOnly).', fix);
  }
  return fine(`${targetName} follows the Okta group ${oktaGroupName}, and the mapping is ${status}.`);
}

function judgeOktaUser({ user, person }: Facts): Judged {
  if (person.type === 'unknown') return unknown(person);
  if (person.value === null) {
    const fix = 'Check the name: an Okta id, a login, or an address, UPN or object id of somebody with an Okta login.';
    return broken('okta_object_not_found', `Okta has nobody whom "${user}" leads to.`, fix);
  }
  return fine(`Okta knows ${person.value.login} (${person.value.id}).`);
}

function judgeOktaStatus({ mapping, person }: Facts): Judged {
  const found = valueOf(person);
  if (mapping === null || found === null) return open('There is no status to judge without the mapping and the user.');
  const { desiredStatuses } = mapping.settings;
  if (isDesired(found, desiredStatuses)) return fine(`The status ${found.status} counts as desired.`);
  const isOver = found.status === 'DEPROVISIONED';
  return broken(
    'status_not_desired',
    `The status ${found.status} does not count as desired; these do: ${desiredStatuses.join(', ')}.`,
    isOver
      ? 'Reactivate the user in Okta: whoever is deactivated is never desired.'
      : `Bring the user to one of these in Okta, or add ${found.status} to desiredStatuses of the mapping.`,
  );
}

function judgeOktaMembership({ mapping, inGroup }: Facts): Judged {
  if (inGroup.type === 'unknown') return unknown(inGroup);
  const name = mapping?.oktaGroupName ?? 'the Okta group';
  if (inGroup.value === 'member') return fine(`The user is a member of ${name} in Okta.`);
  if (inGroup.value === 'no_group') {
    const fix = 'If the group was deleted, delete the mapping; else look at what the admin role of the app may see.';
    return broken('okta_object_not_found', 'Okta has no such group, or does not show it to this app.', fix);
  }
  const fix = 'Add the user to the group in Okta, or look at the rule that should.';
  return broken('not_in_okta_group', `The user is no member of ${name} in Okta.`, fix);
}

function judgeMatch({ match }: Facts): Judged {
  if (match.type === 'unknown') return unknown(match);
  const { value } = match;
  if (value.type === 'matched') {
    const how = value.matchedBy === 'externalId' ? 'the external id of the Office 365 app' : 'user principal name';
    return fine(`The user is ${value.label} (${value.entraId}) in Entra, by ${how}.`);
  }
  const fix =
    value.type === 'changed'
      ? 'If the new match is right, POST push-mappings/{oktaGroupId}/push with the login in "repin".'
      : 'Mend what the message names, in Okta or in Entra; then POST push-mappings/{oktaGroupId}/push.';
  return broken(value.code, value.message, fix);
}

function judgeRecipient({ recipient }: Facts): Judged {
  if (recipient.type === 'unknown') return unknown(recipient);
  const { value } = recipient;
  if (value.type === 'found') return fine(`${value.target.label} can be a member of the target.`);
  const fix = isWaitingCode(value.code)
    ? 'Wait for the mailbox, or give the user a licence that has one; the change is tried again until then.'
    : 'Mend what the message names; then POST push-mappings/{oktaGroupId}/push.';
  return broken(value.code, value.message, fix);
}

function judgeChange({ known, pending, nowMs }: Facts): Judged {
  const waiting = valueOf(pending);
  const pin = valueOf(known)?.pin ?? null;
  const managed = valueOf(known)?.managed ?? null;
  if (waiting !== null) return broken('change_waiting', waitingSentence(waiting, pin), pushFix('Wait until then'));
  if (pending.type === 'unknown') return unknown(pending);
  if (known.type === 'unknown') return unknown(known);
  const isOpen = managed?.state === 'adding' || managed?.state === 'removing';
  if (managed !== null && isOpen && !isFresh(managed, nowMs)) {
    const message = `A change of ${timeOf(managed.changedAtMs)} was begun, and its end is not known.`;
    return broken('change_open', message, pushFix('Wait for the next reconcile'));
  }
  if (pin?.problem != null) {
    const { code, message, sinceMs } = pin.problem;
    return broken(code, `Since ${timeOf(sinceMs)}: ${message}`, pushFix('Mend what the message names'));
  }
  return fine(`No change waits. ${managedSentence(managed)}`);
}

function waitingSentence({ firstSeenAtMs, attempts, dueAtMs }: PendingChange, pin: PushPerson | null): string {
  const tried =
    attempts === 0 ? 'has not been tried yet' : `was tried ${attempts === 1 ? 'once' : `${attempts} times`}`;
  const why = pin?.problem == null ? '' : ` ${pin.problem.message}`;
  return `A change waits since ${timeOf(firstSeenAtMs)}, ${tried}, and is due ${timeOf(dueAtMs)}.${why}`;
}

function managedSentence(managed: ManagedMember | null): string {
  if (managed === null) return 'The mapping has not added this member.';
  const at = timeOf(managed.changedAtMs);
  const sentences = {
    adding: `The mapping began to add this member at ${at}.`,
    added: `The mapping added this member at ${at}.`,
    removing: `The mapping began to remove this member at ${at}.`,
    removed: `The mapping removed this member at ${at}.`,
  };
  return sentences[managed.state];
}

function judgeList(facts: Facts): Judged {
  const { mapping, listed } = facts;
  if (listed.type === 'unknown') return unknown(listed);
  const name = mapping?.targetName ?? 'the target';
  const isShown = listed.value !== null;
  const lag = 'Graph, which is asked, follows Exchange within minutes';
  switch (standing(facts)) {
    case 'member':
      if (isShown) return fine(`Is a member of ${name}.`);
      return { ok: true, code: 'not_shown_yet', message: `Was added to ${name} a moment ago; ${lag}.`, fix: null };
    case 'open':
      return open(`A change of a moment ago is not proven; ${lag}.`);
    case 'absent': {
      const message = isShown ? `Was removed from ${name} a moment ago; ${lag}.` : `Is no member of ${name}; ${lag}.`;
      return broken('not_member', message, pushFix('Mend the links before this one'));
    }
  }
}

function pushFix(first: string): string {
  return `${first}, or POST push-mappings/{oktaGroupId}/push.`;
}

function timeOf(timeMs: number): string {
  return new Date(timeMs).toISOString();
}

function fine(message: string): Judged {
  return { ok: true, code: 'ok', message, fix: null };
}

function broken(code: LinkCode, message: string, fix: string): Judged {
  return { ok: false, code, message, fix };
}

function open(message: string): Judged {
  return { ok: null, code: 'unknown', message, fix: null };
}

function unknown({ code, message, fix }: Extract<Finding<unknown>, { readonly type: 'unknown' }>): Judged {
  return { ok: null, code: code ?? 'unknown', message, fix };
}

import { type Facts, valueOf } from './facts.ts';
import { isWanted, type Link, type LinkName, standing } from './links.ts';

/** How somebody stands to a target, and why. */
export const verdicts = ['member', 'missing', 'not_desired', 'kept', 'to_be_removed', 'unknown'] as const;
export type Verdict = (typeof verdicts)[number];

export interface Conclusion {
  readonly verdict: Verdict;
  /** null: it cannot be told. */
  readonly isDesired: boolean | null;
  /** null: it cannot be told. */
  readonly isMember: boolean | null;
  readonly brokenAt: LinkName | null;
  readonly message: string;
  readonly fix: string | null;
}

/** The chain in one sentence, both ways round: why somebody is no member, and why somebody still is one. Pure. */
export function conclude(facts: Facts, links: readonly Link[]): Conclusion {
  const isDesired = isWanted(facts);
  const stands = standing(facts);
  const isMember = stands === 'open' ? null : stands === 'member';
  const first = links.find(({ ok }) => ok === false) ?? null;
  const found = { isDesired, isMember, brokenAt: first?.link ?? null };
  const who = nameOf(facts);
  const where = facts.mapping?.targetName ?? 'the target';
  if (isDesired === null || isMember === null) {
    const open = links.find(({ ok }) => ok === null) ?? null;
    const cause = first ?? open;
    const message = `How ${who} stands to ${where} cannot be told. ${cause?.message ?? ''}`.trim();
    return { ...found, verdict: 'unknown', message, fix: cause?.fix ?? null };
  }
  if (isDesired && isMember) {
    const still = first === null ? '' : ` Still: ${first.message}`;
    const message = `${who} is a member of ${where}, as the Okta group says.${still}`;
    return { ...found, verdict: 'member', message, fix: first?.fix ?? null };
  }
  if (isDesired) {
    const message = `${who} is desired and no member of ${where}. ${first?.message ?? ''}`.trim();
    return { ...found, verdict: 'missing', message, fix: first?.fix ?? null };
  }
  const cause = links.find(({ ok, link }) => ok === false && oktaLinks.includes(link)) ?? null;
  const why = cause?.message ?? '';
  if (!isMember) {
    const message = `${who} is not desired and no member of ${where}. ${why}`.trim();
    return { ...found, verdict: 'not_desired', message, fix: cause?.fix ?? null };
  }
  return {
    ...found,
    ...concludeOnLeftover(facts, links, `${who} is a member of ${where} although not desired. ${why}`.trim()),
  };
}

/** Those that say who is wanted. */
const oktaLinks: readonly LinkName[] = ['oktaUser', 'oktaStatus', 'oktaMembership'];

/** A member that is not desired: it stays, or it goes with the next reconcile. */
function concludeOnLeftover(
  { kept, mapping, pending }: Facts,
  links: readonly Link[],
  sentence: string,
): Pick<Conclusion, 'verdict' | 'message' | 'fix'> {
  if (kept.type === 'unknown') {
    return {
      verdict: 'unknown',
      message: `${sentence} Whether it stays cannot be told: ${kept.message}`,
      fix: kept.fix,
    };
  }
  if (kept.value !== null && 'twin' in kept.value) {
    const { login } = kept.value.twin;
    const message = `${sentence} It stays for ${login}, who is the same object in Entra and desired.`;
    return { verdict: 'kept', message, fix: `If it shall go, take ${login} out of the Okta group as well.` };
  }
  if (kept.value !== null) {
    const fix =
      'If it shall go, remove it with POST groups/{group}/members/remove, or give the mapping more authority; if it shall stay, add it to the Okta group.';
    return { verdict: 'kept', message: `${sentence} ${kept.value.message}`, fix };
  }
  const isAtWork = mapping !== null && mapping.status !== 'INACTIVE' && !mapping.settings.reportOnly;
  const when = valueOf(pending) === null ? 'with the next reconcile' : 'when the change that waits is due';
  const message = isAtWork
    ? `${sentence} It is removed ${when}, as far as the guard allows.`
    : `${sentence} It stays while the mapping writes nothing.`;
  // What stops the mapping stops a push as well.
  const stop = links.find(({ link, ok }) => link === 'mapping' && ok === false)?.fix;
  const fix = stop ?? 'To have it at once, POST push-mappings/{oktaGroupId}/push.';
  return { verdict: 'to_be_removed', message, fix };
}

function nameOf({ user, person, known, listed }: Facts): string {
  return valueOf(person)?.login ?? valueOf(known)?.pin?.label ?? valueOf(listed)?.label ?? user;
}

import { type CountableStatus, countableStatuses } from './mapping.ts';
import type { SourcePerson } from './source.ts';

/**
 * Whether somebody of the source is wanted as a member, by state: one of the mapping's, and never one that does not
 * count at all, such as `DEPROVISIONED` or a state that Okta comes up with one day (design §6.6). Pure.
 */
export function isDesired({ status }: SourcePerson, statuses: readonly CountableStatus[]): boolean {
  return countableStatuses.some((each) => each === status && statuses.includes(each));
}

import type { Group } from '../../groups/group.ts';
import { labelOf } from '../../groups/group.ts';
import type { GroupUpdate } from '../../groups/update/groupChange.ts';
import type { MappingSettings } from '../mapping.ts';

/** A list that nobody joins or leaves by themselves. */
export const closedMembership = {
  joinRestriction: 'closed',
  departRestriction: 'closed',
} as const satisfies GroupUpdate;

/**
 * Authority `exclusive` undoes what people do by themselves, and they do it again: what to say of it, or null where
 * nobody can. Pure.
 */
export function tugOfWar({ kind, exchange, ...group }: Group, { authority }: MappingSettings): string | null {
  if (authority !== 'exclusive' || kind !== 'distributionList' || exchange === null) return null;
  const mayJoin = exchange.joinRestriction !== 'closed';
  const mayLeave = exchange.departRestriction !== 'closed';
  if (!mayJoin && !mayLeave) return null;
  const ways = [...(mayJoin ? ['join'] : []), ...(mayLeave ? ['leave'] : [])].join(' and ');
  return `People may ${ways} ${labelOf({ kind, exchange, ...group })} by themselves, which authority "exclusive" undoes again and again. Repeat the request with "closeMembership": true to end that.`;
}

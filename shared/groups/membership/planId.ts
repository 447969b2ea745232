import { createHash } from 'node:crypto';

/**
 * What a plan is known by: the same whenever the same changes of the same group come out, in whatever order and case.
 * Changes alone count: a plan stays the same while members that it leaves alone come and go.
 */
export function planIdOf(groupId: string, addKeys: readonly string[], removeKeys: readonly string[]): string {
  const sorted = (keys: readonly string[]) => keys.map((key) => key.toLowerCase()).sort();
  const plan = JSON.stringify([groupId.toLowerCase(), sorted(addKeys), sorted(removeKeys)]);
  return createHash('sha256').update(plan).digest('hex').slice(0, 32);
}

import type { Group } from './model.ts';

/** graph.md §8 */
const KEPT_MS = 30 * 24 * 3_600_000;

/** Groups that were deleted and can be brought back, oldest first. */
export class DeletedItems {
  #groups: Group[] = [];

  /** Those that have not yet expired. */
  at(nowMs: number): readonly Group[] {
    this.#groups = this.#groups.filter((group) => Date.parse(group.deletedDateTime ?? '') + KEPT_MS > nowMs);
    return this.#groups;
  }

  add(group: Group, nowMs: number): void {
    const deletedDateTime = new Date(nowMs).toISOString().replace(/\.\d+Z$/, 'Z');
    this.#groups.push({ ...group, deletedDateTime });
  }

  remove(id: string): void {
    this.#groups = this.#groups.filter((group) => group.id !== id);
  }
}

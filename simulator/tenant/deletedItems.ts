import type { Group, User } from './model.ts';

/** graph.md §8 */
const KEPT_MS = 30 * 24 * 3_600_000;

type Item = Group | User;

/** Groups and users that were deleted and can be brought back, oldest first. */
export class DeletedItems {
  #items: Item[] = [];

  /** Those that have not yet expired. */
  at(nowMs: number): readonly Item[] {
    this.#items = this.#items.filter((item) => Date.parse(item.deletedDateTime ?? '') + KEPT_MS > nowMs);
    return this.#items;
  }

  groups(nowMs: number): Group[] {
    return this.at(nowMs).filter((item) => item.type === 'group');
  }

  users(nowMs: number): User[] {
    return this.at(nowMs).filter((item) => item.type === 'user');
  }

  add(item: Item, nowMs: number): void {
    const deletedDateTime = new Date(nowMs).toISOString().replace(/\.\d+Z$/, 'Z');
    this.#items.push({ ...item, deletedDateTime });
  }

  remove(id: string): void {
    this.#items = this.#items.filter((item) => item.id !== id);
  }
}

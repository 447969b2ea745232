import type { DirectoryObject } from './model.ts';
import { Store, type View } from './store.ts';

/** The two stores of a Microsoft 365 tenant, each replicated to the other. */
export type Side = 'entra' | 'exchange';
export type Change = { put: DirectoryObject } | { remove: string };

interface Pending {
  dueMs: number;
  side: Side;
  changes: readonly Change[];
}

const sides = ['entra', 'exchange'] as const;
const other = (side: Side): Side => (side === 'entra' ? 'exchange' : 'entra');

/** Graph never sees a dynamic distribution group (graph.md §1.1). */
const livesOnlyInExchange = (object: DirectoryObject): boolean =>
  object.type === 'group' && object.exchange?.RecipientTypeDetails === 'DynamicDistributionGroup';

/** Objects are never changed in place, only replaced, so that a replica that lags behind holds plain references. */
export class Directory {
  readonly #stores: Record<Side, Store> = { entra: new Store(), exchange: new Store() };
  #pending: Pending[] = [];

  constructor(objects: readonly DirectoryObject[]) {
    for (const side of sides) {
      this.#apply(
        side,
        objects.map((put) => ({ put })),
      );
      this.#stores[side].mark();
    }
  }

  /** `stale` reads the state before the last write. */
  view(side: Side, stale = false): View {
    return stale ? this.#stores[side].before() : this.#stores[side];
  }

  /** A side as it was, as far as commits were told to be kept. */
  asOf(side: Side, ms: number): View {
    return this.#stores[side].asOf(ms);
  }

  /** One transaction on one side, replicated to the other after the lag; how things stood is kept for `keptMs`. */
  commit(side: Side, changes: readonly Change[], nowMs: number, lagMs: number, keptMs = 0): void {
    if (keptMs > 0)
      this.#stores[side].remember(
        changes.map((change) => ('put' in change ? change.put.id : change.remove)),
        nowMs,
        keptMs,
      );
    for (const each of sides) this.#stores[each].mark();
    this.#apply(side, changes);
    if (lagMs <= 0) this.#apply(other(side), changes);
    else this.#pending.push({ dueMs: nowMs + lagMs, side: other(side), changes });
  }

  /** Lets what is due arrive on the other side. */
  settle(nowMs: number): void {
    const due = this.#pending.filter((pending) => pending.dueMs <= nowMs);
    if (due.length === 0) return;
    this.#pending = this.#pending.filter((pending) => pending.dueMs > nowMs);
    for (const { side, changes } of due) this.#apply(side, changes);
  }

  #apply(side: Side, changes: readonly Change[]): void {
    const store = this.#stores[side];
    for (const change of changes) {
      if ('remove' in change) store.remove(change.remove);
      else if (side === 'exchange' || !livesOnlyInExchange(change.put)) store.put(change.put);
    }
  }
}

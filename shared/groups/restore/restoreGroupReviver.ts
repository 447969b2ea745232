import type { Call } from '../../call.ts';
import type { Fault } from '../../errors.ts';
import type { Group } from '../group.ts';
import type { RestoreRow } from './restorePlan.ts';
import type { Snapshot } from '../deletion/snapshot.ts';

/** A group that is back, without regard to its members. */
export interface Revival {
  readonly group: Group;
  /** Whether it is a new object, under a new id, without members. */
  readonly isNew: boolean;
  readonly changed: boolean;
  readonly rows: readonly RestoreRow[];
  /** What stopped its settings from being complete; a repeat goes on. */
  readonly fault: Fault | null;
}

/** What was found where the deleted group was, and what can be done about it. */
export interface Site {
  /** `deleted`: in the directory's recycle bin. `present`: an earlier try, or the group itself. */
  readonly type: 'absent' | 'deleted' | 'present';
  /** What is known before anything is written. */
  readonly rows: readonly RestoreRow[];
  /** What else is going to come back. */
  readonly planned: readonly RestoreRow[];
  /** Whether the group gets the owners that are asked for in place of the former ones. */
  readonly givesOwners: boolean;
  /** @throws Fault when the group is not there, or may not be */
  revive(call: Call): Promise<Revival>;
}

/** How the directory that masters a kind of group brings one back. */
export interface Reviver {
  /**
   * @param owners in place of the former ones; null for those
   * @throws Fault `address_in_use`, `owner_not_valid`, upstream faults
   */
  look(snapshot: Snapshot, owners: readonly string[] | null, call: Call): Promise<Site>;
}

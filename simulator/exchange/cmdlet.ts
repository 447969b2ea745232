import type { View } from '../tenant/store.ts';
import type { Tenant } from '../tenant/tenant.ts';
import type { World } from '../world.ts';
import type { Access } from './access.ts';
import type { Bound, ParameterTable } from './parameters.ts';
import type { Rows } from './rows.ts';

export interface CmdletContext {
  readonly world: World;
  readonly tenant: Tenant;
  readonly view: View;
  readonly access: Access;
  /** Parts of a $batch are run without the question "are you sure?" where that was seen (exchange.md §1.3). */
  readonly inBatch: boolean;
}

export type CmdletResult = { rows: Rows; warnings?: string[] } | { confirmation: string } | { rows: null };

export interface Cmdlet {
  readonly name: string;
  readonly parameters: ParameterTable;
  run(parameters: Bound, context: CmdletContext): CmdletResult;
}

/** A write that answers nothing. */
export const nothing: CmdletResult = { rows: null };

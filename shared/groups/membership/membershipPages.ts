import type { Call } from '../../call.ts';
import type { MemberChange } from '../../exchange/members.ts';
import type { OperationStore } from '../../operations/operationStore.ts';
import type { MemberRow } from './memberRows.ts';
import type { PlannedMember } from './membershipPlan.ts';
import type { SetMembersRequest } from './membershipRequest.ts';
import type { TargetResolution } from './memberTargets.ts';

/** One page of a stored plan: members of one change, small enough to be done in one slice. */
export interface PlanPage {
  readonly change: MemberChange;
  readonly members: readonly PlannedMember[];
  /** Members that the group had when the plan was made. */
  readonly actualCount: number;
}

/** How far a page has come after a round that left some of it open. By the key of the member. */
export interface Draft {
  readonly settled: Readonly<Record<string, MemberRow>>;
  /** As they stood at the end of the round. */
  readonly open: Readonly<Record<string, MemberRow>>;
  /** Rounds in a row that settled nobody. */
  readonly idleRounds: number;
}

/** Who entries of the request turned out to be. */
export type Resolved = readonly (readonly [entry: string, resolution: TargetResolution])[];

/** What an operation that sets members keeps in its pages. All methods throw storage faults. */
export interface MembershipPages {
  readRequest(operationId: string, call: Call): Promise<SetMembersRequest>;
  writeRequest(operationId: string, request: SetMembersRequest, call: Call): Promise<void>;
  readPlan(operationId: string, page: number, call: Call): Promise<PlanPage>;
  writePlan(operationId: string, page: number, plan: PlanPage, call: Call): Promise<void>;
  readDraft(operationId: string, page: number, call: Call): Promise<Draft>;
  writeDraft(operationId: string, page: number, draft: Draft, call: Call): Promise<void>;
  writeResults(operationId: string, page: number, rows: readonly MemberRow[], call: Call): Promise<void>;
  /** null: there is no such page. */
  readResolved(operationId: string, page: number, call: Call): Promise<Resolved | null>;
  writeResolved(operationId: string, page: number, resolved: Resolved, call: Call): Promise<void>;
}

export function createMembershipPages(operations: Pick<OperationStore, 'readPage' | 'writePage'>): MembershipPages {
  const { readPage, writePage } = operations;
  return {
    readRequest: async (id, call) => (await readPage(id, 'input/1', call)) as SetMembersRequest,
    writeRequest: (id, request, call) => writePage(id, 'input/1', request, call),
    readPlan: async (id, page, call) => (await readPage(id, `plan/${page}`, call)) as PlanPage,
    writePlan: (id, page, plan, call) => writePage(id, `plan/${page}`, plan, call),
    readDraft: async (id, page, call) => ((await readPage(id, `draft/${page}`, call)) as Draft | null) ?? noDraft,
    writeDraft: (id, page, draft, call) => writePage(id, `draft/${page}`, draft, call),
    writeResults: (id, page, rows, call) => writePage(id, `results/${page}`, rows, call),
    readResolved: async (id, page, call) => (await readPage(id, `resolved/${page}`, call)) as Resolved | null,
    writeResolved: (id, page, resolved, call) => writePage(id, `resolved/${page}`, resolved, call),
  };
}

const noDraft: Draft = { settled: {}, open: {}, idleRounds: 0 };

/** Twenty batches of Exchange, ten of Graph: what a crash can cost to be done again. */
const changesPerPage = 200;

/** Adds before removals: a member who is renamed or replaced is never missing in between. */
export function pagesOf(
  adds: readonly PlannedMember[],
  removes: readonly PlannedMember[],
  actualCount: number,
): PlanPage[] {
  const inPages = (change: MemberChange, members: readonly PlannedMember[]): PlanPage[] =>
    Array.from({ length: Math.ceil(members.length / changesPerPage) }, (_, page) => ({
      change,
      members: members.slice(page * changesPerPage, (page + 1) * changesPerPage),
      actualCount,
    }));
  return [...inPages('add', adds), ...inPages('remove', removes)];
}

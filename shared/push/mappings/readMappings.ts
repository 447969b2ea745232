import type { Call } from '../../call.ts';
import { decodeCursor, encodeCursor } from '../../groups/cursor.ts';
import type { MappingStatus, PushMapping } from '../mapping.ts';
import type { PushPerson } from '../people.ts';
import type { PushMappingStore } from '../store/mappingStore.ts';
import type { PushMemberStore } from '../store/memberStore.ts';
import type { PendingChange, PushPending } from '../store/pendingStore.ts';
import { noSuchMapping } from './mappingFaults.ts';

/** What waits to be looked at. */
export interface PendingSummary {
  readonly count: number;
  /** Of the change that has waited longest; null: none waits. */
  readonly waitingSinceMs: number | null;
  /** When the next is looked at. */
  readonly nextDueAtMs: number | null;
}

/** Somebody who is desired and no member. */
export type ProblemPerson = PushPerson & { readonly problem: NonNullable<PushPerson['problem']> };

export interface MappingReport {
  readonly mapping: PushMapping;
  readonly pending: PendingSummary;
  /** Members that the mapping has added. */
  readonly managedCount: number;
  /** The oldest first. */
  readonly problems: readonly ProblemPerson[];
}

export interface MappingReader {
  /** @throws Fault `push_mapping_not_found` */
  report(oktaGroupId: string, call: Call): Promise<MappingReport>;
  /** A page in order of oktaGroupId. @throws Fault `invalid_request` for a foreign cursor */
  list(
    filter: { status: MappingStatus | null },
    page: { limit: number; cursor: string | null },
    call: Call,
  ): Promise<{ mappings: readonly PushMapping[]; nextCursor: string | null }>;
}

export function createMappingReader(dependencies: {
  pushMappings: PushMappingStore;
  pushMembers: PushMemberStore;
  pushPending: Pick<PushPending, 'list'>;
}): MappingReader {
  const { pushMappings, pushMembers, pushPending } = dependencies;
  return {
    report: async (oktaGroupId, call) => {
      const [mapping, changes, known] = await Promise.all([
        pushMappings.get(oktaGroupId, call),
        pushPending.list(oktaGroupId, call),
        pushMembers.readAll(oktaGroupId, call),
      ]);
      if (mapping === null) throw noSuchMapping(oktaGroupId);
      return {
        mapping,
        pending: summarizePending(changes),
        managedCount: [...known.managed.values()].filter(({ state }) => state !== 'removed').length,
        problems: problemsOf([...known.people.values()]),
      };
    },

    list: async ({ status }, { limit, cursor }, call) => {
      const name = `push mappings ${status ?? ''}`;
      const after = cursor === null ? null : decodeCursor(cursor, name, textOrNull);
      const { mappings, hasMore } = await pushMappings.list({ status }, { limit, after }, call);
      const last = mappings.at(-1);
      return { mappings, nextCursor: hasMore && last !== undefined ? encodeCursor(name, last.oktaGroupId) : null };
    },
  };
}

/** Pure. */
export function summarizePending(changes: readonly PendingChange[]): PendingSummary {
  const least = (times: readonly number[]) => (times.length === 0 ? null : Math.min(...times));
  return {
    count: changes.length,
    waitingSinceMs: least(changes.map(({ firstSeenAtMs }) => firstSeenAtMs)),
    nextDueAtMs: least(changes.map(({ dueAtMs }) => dueAtMs)),
  };
}

/** Pure. */
export function problemsOf(people: readonly PushPerson[]): ProblemPerson[] {
  return people
    .filter((person): person is ProblemPerson => person.problem !== null)
    .sort((left, right) => left.problem.sinceMs - right.problem.sinceMs || left.login.localeCompare(right.login));
}

function textOrNull(value: unknown): string | null {
  return typeof value === 'string' ? value : null;
}

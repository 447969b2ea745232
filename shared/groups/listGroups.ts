import { createHash } from 'node:crypto';
import type { Call } from '../call.ts';
import { isFault } from '../errors.ts';
import type { DynamicGroups } from '../exchange/dynamicGroups.ts';
import type { GroupLookups } from '../exchange/groupLookups.ts';
import { isGraphFault } from '../graph/errors.ts';
import { type GraphGroupLists, groupListPrefix } from '../graph/groupLists.ts';
import type { GraphGroup } from '../graph/groups.ts';
import type { ProtectionLists } from './blockers.ts';
import { cursorFault, decodeCursor, encodeCursor } from './cursor.ts';
import { dynamicGroup, type Group, groupInExchange, groupInGraph } from './group.ts';
import { type GroupRow, groupRowOf } from './groupRow.ts';
import { type GroupKind, kindInGraph, livesInExchange } from './kinds.ts';

/** null: not asked for. */
export interface GroupFilter {
  readonly kind: GroupKind | null;
  readonly linkable: boolean | null;
  /** Part of the display name or of an address, whatever the case. */
  readonly text: string | null;
}

export interface GroupPage {
  readonly groups: readonly GroupRow[];
  /** Hand it back to get the next page; null at the end. */
  readonly nextCursor: string | null;
}

export interface GroupLister {
  /**
   * One page of all groups: first those that Graph shows, in its order, then dynamic distribution groups. A group that
   * is there throughout the listing is on exactly one page, whatever comes and goes meanwhile. A page has fewer rows than
   * `limit` when it is the last, or when time is short.
   * @throws Fault `invalid_request` for a foreign cursor; upstream faults where nothing could be listed
   */
  list(filter: GroupFilter, page: { limit: number; cursor: string | null }, call: Call): Promise<GroupPage>;
}

export interface GroupListerDependencies {
  readonly graphGroupLists: GraphGroupLists;
  readonly groupLookups: GroupLookups;
  readonly dynamicGroups: DynamicGroups;
  readonly protection: ProtectionLists;
}

/** Where a listing goes on. */
type Position =
  /** On the page at `path` (null: the first), without the groups that are in `seen`. */
  | { readonly in: 'graph'; readonly path: string | null; readonly seen: readonly string[] }
  /** Among the dynamic distribution groups, after this GUID of Exchange. */
  | { readonly in: 'exchange'; readonly after: string };

/** Groups that may be on the page, and where to go on once they are dealt with. */
interface Step {
  readonly groups: readonly GraphGroup[];
  readonly dynamic: readonly Group[];
  readonly next: Position | null;
}

/** How many groups are looked up in Exchange at a time: three `$batch`es side by side. */
const stepSize = 30;
/** Graph's own default (graph.md §9). No larger, since what was seen of a page has to fit into a cursor. */
const filteredPageSize = 100;
/** What of the deadline may be gone before another step is begun. */
const readingShare = 0.6;
/**
 * A cursor must fit into a URL. Those of one page do; more are kept only where many groups are created between two pages,
 * and the oldest are forgotten first: they have most likely been deleted.
 */
const maxSeen = 250;

export function createGroupLister(dependencies: GroupListerDependencies): GroupLister {
  const { graphGroupLists, groupLookups, dynamicGroups, protection } = dependencies;

  async function* steps(from: Position, filter: GroupFilter, room: () => number, call: Call): AsyncGenerator<Step> {
    let position: Position | null = from;
    while (position !== null) {
      const reading: AsyncGenerator<Step> =
        position.in === 'graph' ? graphSteps(position, filter, room, call) : dynamicSteps(position, filter, room, call);
      for await (const step of reading) {
        yield step;
        position = step.next;
      }
    }
  }

  /** One page of Graph, in as many steps as needed. */
  async function* graphSteps(
    { path, seen }: Position & { in: 'graph' },
    filter: GroupFilter,
    room: () => number,
    call: Call,
  ): AsyncGenerator<Step> {
    const condition = filter.kind === null ? null : graphFilters[filter.kind];
    const size = isSortedOutHere(filter) ? filteredPageSize : room();
    const { groups, nextPath } = await graphGroupLists.page({ filter: condition, size, from: path }, call);
    // Groups that others created since may have pushed what was seen here onto the next page.
    const elsewhere = without(seen, groups);
    const next: Position | null =
      nextPath === null ? afterGraph(filter) : { in: 'graph', path: nextPath, seen: elsewhere };
    const candidates = groups.filter((group) => !seen.includes(markOf(group)) && mayBeListed(group, filter));
    let done = 0;
    do {
      const step = candidates.slice(done, done + Math.min(room(), stepSize));
      done += step.length;
      const isLast = done >= candidates.length;
      const marks = [...seen, ...candidates.slice(0, done).map(markOf)].slice(-maxSeen);
      yield { groups: step, dynamic: [], next: isLast ? next : { in: 'graph', path, seen: marks } };
    } while (done < candidates.length);
  }

  /** Exchange gives them all at once; in the order of their GUIDs the place in the list is kept. */
  async function* dynamicSteps(
    { after }: Position & { in: 'exchange' },
    { text }: GroupFilter,
    room: () => number,
    call: Call,
  ): AsyncGenerator<Step> {
    const all = (await dynamicGroups.all(call)).map((group) => ({
      ...group,
      exchangeId: group.exchangeId.toLowerCase(),
    }));
    const rest = all
      .filter((group) => group.exchangeId > after && (text === null || holdsText(group, text)))
      .sort((left, right) => (left.exchangeId < right.exchangeId ? -1 : 1));
    const listed = rest.slice(0, room());
    const last = listed.at(-1);
    const next: Position | null =
      last === undefined || listed.length === rest.length ? null : { in: 'exchange', after: last.exchangeId };
    yield { groups: [], dynamic: listed.map(dynamicGroup), next };
  }

  /** Mail groups are looked at in Exchange too, which alone knows some of what blocks them. */
  async function inBoth(groups: readonly GraphGroup[], call: Call): Promise<Group[]> {
    const ids = groups.filter((group) => livesInExchange(kindInGraph(group))).map(({ id }) => id);
    const found = await groupLookups.byIds(ids, call);
    const inExchange = new Map(ids.map((id, index) => [id, found[index] ?? null]));
    return groups.map((graph) => {
      const exchange = inExchange.get(graph.id) ?? null;
      return exchange === null ? groupInGraph(graph) : groupInExchange(exchange, graph);
    });
  }

  return {
    list: async (filter, { limit, cursor }, call) => {
      const name = nameOf(filter);
      const from = cursor === null ? startOf(filter) : decodeCursor(cursor, name, readPosition);
      const stopAtMs = call.deadline.remainingMs() * (1 - readingShare);
      const rows: GroupRow[] = [];
      let position: Position | null = from;
      try {
        for await (const step of from === null ? [] : steps(from, filter, () => limit - rows.length, call)) {
          const groups = [...(await inBoth(step.groups, call)), ...step.dynamic];
          const judged = groups.map((group) => groupRowOf(group, protection));
          rows.push(...judged.filter(({ linkable }) => filter.linkable === null || linkable === filter.linkable));
          position = step.next;
          if (rows.length === limit || call.deadline.remainingMs() <= stopAtMs) break;
        }
      } catch (error) {
        const isExpired = isGraphFault(error, 'rejected') && cursor !== null && position === from;
        if (isExpired) throw cursorFault(error);
        // What is there is good, and the next page meets the same limit again.
        if (rows.length === 0 || !isFault(error, 'throttled', 'deadline_exceeded')) throw error;
      }
      return { groups: rows, nextCursor: position === null ? null : encodeCursor(name, positionInCursor(position)) };
    },
  };
}

/**
 * What Graph can sort out itself, by `eq` and `any` alone, which need no advanced query (graph.md §9). Microsoft 365
 * groups pass for the two mail kinds as well: what is left is sorted out here.
 */
const graphFilters: Record<GroupKind, string | null> = {
  distributionList: 'mailEnabled eq true and securityEnabled eq false',
  mailEnabledSecurity: 'mailEnabled eq true and securityEnabled eq true',
  security: 'mailEnabled eq false',
  microsoft365: "groupTypes/any(c:c eq 'Unified')",
  dynamicDistribution: null,
};

/** Whether a page of Graph may hold groups that are not asked for. */
function isSortedOutHere({ kind, linkable, text }: GroupFilter): boolean {
  return text !== null || linkable !== null || (kind !== null && livesInExchange(kind));
}

function mayBeListed(group: GraphGroup, { kind, text }: GroupFilter): boolean {
  if (kind !== null && kindInGraph(group) !== kind) return false;
  return text === null || holdsText({ ...group, primarySmtpAddress: group.mail }, text);
}

function holdsText(
  group: { displayName: string; primarySmtpAddress: string | null; addresses: readonly string[] },
  text: string,
): boolean {
  const wanted = text.toLowerCase();
  return [group.displayName, group.primarySmtpAddress ?? '', ...group.addresses].some((each) =>
    each.toLowerCase().includes(wanted),
  );
}

function startOf(filter: GroupFilter): Position | null {
  return filter.kind === 'dynamicDistribution' ? afterGraph(filter) : { in: 'graph', path: null, seen: [] };
}

/** Dynamic distribution groups are never linkable. */
function afterGraph({ kind, linkable }: GroupFilter): Position | null {
  const areWanted = (kind === null || kind === 'dynamicDistribution') && linkable !== true;
  return areWanted ? { in: 'exchange', after: '' } : null;
}

/** What tells a group from the others of its page, short enough for a cursor: 48 bits of a hash of its id. */
function markOf({ id }: GraphGroup): string {
  return createHash('sha256').update(id).digest().subarray(0, 6).toString('base64url');
}

const markLength = 8;

/** The marks of `seen` that none of these groups has. */
function without(seen: readonly string[], groups: readonly GraphGroup[]): string[] {
  const here = new Set(groups.map(markOf));
  return seen.filter((mark) => !here.has(mark));
}

function nameOf({ kind, linkable, text }: GroupFilter): string {
  return `groups ${JSON.stringify([kind, linkable, text?.toLowerCase() ?? null])}`;
}

/** The marks as one text, which is shorter than a list of them. */
function positionInCursor(position: Position): unknown {
  return position.in === 'graph' ? { ...position, seen: position.seen.join('') } : position;
}

/** A page of groups, or a place among the dynamic ones: it opens no other path. */
function readPosition(value: unknown): Position | null {
  const { in: directory, path, seen, after } = (value ?? {}) as Readonly<Record<string, unknown>>;
  if (directory === 'exchange' && typeof after === 'string') return { in: 'exchange', after };
  const isPage = path === null || (typeof path === 'string' && path.startsWith(groupListPrefix));
  if (directory !== 'graph' || !isPage || typeof seen !== 'string') return null;
  return { in: 'graph', path, seen: seen.match(new RegExp(`.{${markLength}}`, 'g')) ?? [] };
}
